"""Pure decisions about a court's work calendar."""

import calendar
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType

from courtside.kernel.actor import Permits, Role
from courtside.kernel.errors import InvalidInput, Path, Text
from courtside.kernel.workdays import SATURDAY, DayKind, WorkCalendar, business_day
from courtside.modules.calendar import errors
from courtside.modules.calendar.contracts import (
    CalendarDay,
    CalendarMonth,
    CalendarYear,
    Holiday,
    ImportedYear,
    ImportYear,
    SetCourtDay,
)

KEEPERS = frozenset({Role.ADMINISTRATOR, Role.LOGISTICS_MANAGER})
PERMITS: Permits = {
    "calendar.set_court_day": KEEPERS,
    "calendar.import_year": frozenset({Role.ADMINISTRATOR, Role.SYSTEM}),
    "calendar.get_month": frozenset({Role.MEMBER, Role.SYSTEM}),
}

FIRST_YEAR, LAST_YEAR, MONTHS = 2004, 2100, 12
MOST_SPECIAL = 80  # a notice names about 40 days; more is a slip


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """All that decides what a court's days are: published years, imports for all, its own."""

    published: WorkCalendar
    for_all: tuple[CalendarYear, ...]
    own: tuple[CalendarYear, ...]

    def kept(self, year: int) -> CalendarYear:
        """What the court keeps of a year; version 0 if nothing yet."""
        found = (kept for kept in self.own if kept.year == year)
        return next(found, CalendarYear(year=year))

    def having(self, changed: CalendarYear) -> "Years":
        """These years with the court's own one replaced."""
        others = (kept for kept in self.own if kept.year != changed.year)
        return replace(self, own=(*others, changed))


def set_court_day(years: Years, request: SetCourtDay, *, now: datetime) -> CalendarYear:
    """The court's year with that day set, or back on the State Council's calendar.

    CalendarYearMissing for a year that has not been imported.
    """
    if request.on < business_day(now):
        raise errors.DayHasPassed(on=request.on)
    work_calendar(years).kind(request.on)
    year = years.kept(request.on.year)
    days = {on: kind for on, kind in year.days.items() if on != request.on}
    if request.kind is not None:
        days[request.on] = request.kind
    return replace(year, days=days, version=year.version + 1)


def import_year(years: Years, request: ImportYear, *, now: datetime) -> CalendarYear:
    """The year as its notice says it, in place of an earlier import; days set singly stay."""
    if request.year < business_day(now).year:
        raise errors.YearHasPassed(year=request.year)
    if request.year > LAST_YEAR:
        raise _unusable(
            Text(f"最晚 {LAST_YEAR} 年", f"{LAST_YEAR} at the latest"), ("input", "year")
        )
    special = {
        **dict.fromkeys(_days_off(request), DayKind.HOLIDAY),
        **dict.fromkeys(_made_up(request), DayKind.MAKEUP_WORKDAY),
    }
    year = years.kept(request.year)
    imported = ImportedYear(special=special, provisional=request.provisional)
    return replace(year, imported=imported, version=year.version + 1)


def work_calendar(years: Years) -> WorkCalendar:
    """The court's calendar: its own import of a year goes before the one for all, that before the
    published one; days that the court set singly go before everything."""
    kept = (*years.for_all, *years.own)
    imports = {year.year: year.imported for year in kept if year.imported is not None}
    special = {on: kind for on, kind in years.published.special.items() if on.year not in imports}
    for imported in imports.values():
        special.update(imported.special)
    for year in years.own:
        special.update(year.days)
    provisional = {year for year, imported in imports.items() if imported.provisional}
    return WorkCalendar(
        special=MappingProxyType(special),
        years=years.published.years | imports.keys(),
        provisional=(years.published.provisional - imports.keys()) | provisional,
    )


def day_of(years: Years, on: date) -> CalendarDay:
    """What kind of day it is, and whether the court said so. CalendarYearMissing."""
    return _day(work_calendar(years), years, on)


def month_of(years: Years, *, year: int, month: int) -> CalendarMonth:
    """The days of a month. CalendarYearMissing, InvalidInput."""
    _require_month(year, month)
    work = work_calendar(years)
    _, last = calendar.monthrange(year, month)
    return CalendarMonth(
        year=year,
        month=month,
        provisional=year in work.provisional,
        days=tuple(_day(work, years, date(year, month, day)) for day in range(1, last + 1)),
    )


def _day(work: WorkCalendar, years: Years, on: date) -> CalendarDay:
    return CalendarDay(on=on, kind=work.kind(on), set_by_court=on in years.kept(on.year).days)


def _days_off(request: ImportYear) -> list[date]:
    off: list[date] = []
    where: Path = ("input", "holidays")
    for n, holiday in enumerate(request.holidays):
        path = (*where, n)
        _require_within(request.year, holiday.starts_on, holiday.ends_on, path=path)
        if holiday.ends_on < holiday.starts_on:
            raise _unusable(Text("结束早于开始", "ends before it starts"), path)
        off.extend(_span(holiday))
    if not 0 < len(off) <= MOST_SPECIAL:
        raise _unusable(
            Text("放假天数不合理", "an implausible number of days"), ("input", "holidays")
        )
    if len(set(off)) < len(off):
        raise _unusable(Text("假期重叠", "holidays overlap"), where)
    return off


def _made_up(request: ImportYear) -> list[date]:
    off = {day for holiday in request.holidays for day in _span(holiday)}
    for n, day in enumerate(request.makeup_workdays):
        path = ("input", "makeupWorkdays", n)
        _require_within(request.year, day, path=path)
        if day.weekday() < SATURDAY:
            raise _unusable(Text("调休上班日应为周六或周日", "must be a weekend day"), path)
        if day in off:
            raise _unusable(Text("与假期重叠", "is a holiday as well"), path)
    return list(request.makeup_workdays)


def _span(holiday: Holiday) -> list[date]:
    length = (holiday.ends_on - holiday.starts_on).days + 1
    return [holiday.starts_on + timedelta(days=n) for n in range(length)]


def _require_within(year: int, *days: date, path: Path) -> None:
    if any(day.year != year for day in days):
        raise _unusable(Text(f"应在 {year} 年内", f"must lie in {year}"), path)


def _require_month(year: int, month: int) -> None:
    if not 1 <= month <= MONTHS:
        raise _unusable(Text("应为 1 至 12", "must be 1 to 12"), ("month",))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        reason = Text(f"应为 {FIRST_YEAR} 至 {LAST_YEAR}", f"must be {FIRST_YEAR} to {LAST_YEAR}")
        raise _unusable(reason, ("year",))


def _unusable(reason: Text, path: Path) -> InvalidInput:
    field = next(part for part in reversed(path) if isinstance(part, str))
    return InvalidInput(field=field, reason=reason, path=path)
