"""Work days and cut-offs by a court's work calendar.

The calendar is a frozen table handed in; a year without data is an error, never a guess. Holidays
and make-up work days (调休) follow the State Council's yearly notice as each court amended it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from courtside.kernel.errors import Refusal, Text

ZONE = ZoneInfo("Asia/Shanghai")
SATURDAY = 5  # as date.weekday() counts
DAY_BEGINS = time(4, 0)  # a meal at 00:30 belongs to the business day before
CLOCK_SKEW = timedelta(milliseconds=250)  # how far two servers' clocks may differ (ε)


class DayKind(StrEnum):
    WORKDAY = "WORKDAY"
    WEEKEND = "WEEKEND"
    HOLIDAY = "HOLIDAY"
    MAKEUP_WORKDAY = "MAKEUP_WORKDAY"
    COURT_CLOSED = "COURT_CLOSED"

    @property
    def is_worked(self) -> bool:
        return self in (DayKind.WORKDAY, DayKind.MAKEUP_WORKDAY)


class CalendarYearMissing(Refusal):
    code = "CALENDAR_YEAR_MISSING"
    text = Text(
        zh="{year} 年的工作日历尚未导入,请管理员先导入。",
        en="The work calendar of {year} has not been imported yet; an administrator must do so.",
    )

    def __init__(self, *, year: int) -> None:
        super().__init__()
        self.year = year


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """`special` names the days that differ from Monday-to-Friday; `years` are those with data.

    `provisional` years were entered before the State Council's notice and may still change.
    """

    special: Mapping[date, DayKind]
    years: frozenset[int]
    provisional: frozenset[int] = field(default_factory=frozenset)

    def kind(self, day: date) -> DayKind:
        """What kind of day it is, or CalendarYearMissing."""
        if day.year not in self.years:
            raise CalendarYearMissing(year=day.year)
        usual = DayKind.WEEKEND if day.weekday() >= SATURDAY else DayKind.WORKDAY
        return self.special.get(day, usual)

    def is_workday(self, day: date) -> bool:
        return self.kind(day).is_worked

    def workday_before(self, day: date, count: int = 1) -> date:
        """The `count`-th work day before `day`; `day` itself when `count` is 0."""
        while count > 0:
            day -= timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def workday_at_or_before(self, day: date) -> date:
        return day if self.is_workday(day) else self.workday_before(day)


class Count(StrEnum):
    WORKDAYS = "WORKDAYS"
    CALENDAR_DAYS = "CALENDAR_DAYS"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """`days_before` the day concerned, at local `at`, counted in work days or calendar days."""

    days_before: int
    at: time
    count: Count = Count.WORKDAYS

    def resolve(self, day: date, calendar: WorkCalendar) -> datetime:
        """The instant (UTC) from which it is too late; the bound is exclusive.

        A cut-off that would fall on a day off moves earlier, to the last work day before it.
        """
        if self.count is Count.WORKDAYS:
            due = calendar.workday_before(day, self.days_before)
        else:
            due = day - timedelta(days=self.days_before)
        due = calendar.workday_at_or_before(due)
        return datetime.combine(due, self.at, ZONE).astimezone(UTC)


def business_day(now: datetime) -> date:
    """The local date to which an instant belongs; the day begins at 04:00."""
    local = now.astimezone(ZONE)
    return local.date() - timedelta(days=local.time() < DAY_BEGINS)


def local_instant(day: date, at: time) -> datetime:
    """A local wall-clock time as an instant in UTC."""
    return datetime.combine(day, at, ZONE).astimezone(UTC)
