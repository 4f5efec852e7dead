"""Items of the calendar module: `CALENDAR#YEARS` / `<year>`, one item a year of a court.

Under the reserved tenant stand the years that were imported for all courts.
"""

from collections.abc import Mapping
from datetime import date

from pynamodb.attributes import BooleanAttribute, JSONAttribute

from courtside.kernel.journal import Entry, Recorded
from courtside.kernel.workdays import DayKind
from courtside.modules.calendar.contracts import CalendarYear, ImportedYear
from courtside.platform.dynamo.database import Database, Tenant, Versioned, replace

YEARS = "CALENDAR#YEARS"


class YearItem(Versioned):
    """`imported` and `days` map dates to kinds; without `imported` the court has no import."""

    imported = JSONAttribute(null=True)
    provisional = BooleanAttribute(default=False)
    days = JSONAttribute()


class CalendarStore:
    """The calendar module's `Store` on the records table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_years(self, court: str) -> list[CalendarYear]:
        return await _years(self._database.of(court))

    async def list_years_of_all(self) -> list[CalendarYear]:
        return await _years(self._database.everybody())

    async def save_year(self, court: str, year: CalendarYear, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        transaction.add(replace(_item(court, year), by="year"))
        return await transaction.commit()


async def _years(tenant: Tenant) -> list[CalendarYear]:
    return [_year(item) for item in await tenant.query(YearItem, YEARS, consistent=True)]


def _item(court: str, year: CalendarYear) -> YearItem:
    imported = year.imported
    return YearItem(
        pk=f"{court}#{YEARS}",
        sk=str(year.year),
        imported=None if imported is None else _stored(imported.special),
        provisional=imported is not None and imported.provisional,
        days=_stored(year.days),
        version=year.version,
    )


def _year(item: YearItem) -> CalendarYear:
    imported = None
    if item.imported is not None:
        special = _days(item.imported)
        imported = ImportedYear(special=special, provisional=bool(item.provisional))
    return CalendarYear(
        year=int(item.sk), imported=imported, days=_days(item.days), version=int(item.version)
    )


def _stored(days: Mapping[date, DayKind]) -> dict[str, str]:
    return {on.isoformat(): kind.value for on, kind in sorted(days.items())}


def _days(stored: Mapping[str, str]) -> dict[date, DayKind]:
    return {date.fromisoformat(on): DayKind(kind) for on, kind in stored.items()}
