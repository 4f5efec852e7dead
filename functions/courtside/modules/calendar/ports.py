"""What the calendar service needs of storage, one access pattern a method."""

from collections.abc import Callable
from typing import Protocol

from courtside.kernel.journal import Entry, Recorded
from courtside.kernel.workdays import WorkCalendar
from courtside.modules.calendar.contracts import CalendarYear

StateCouncil = Callable[[], WorkCalendar]  # the published years, read at their first use


class Store(Protocol):
    """Years of one court; every method takes the tenant first."""

    async def list_years(self, court: str) -> list[CalendarYear]:
        """One consistent query: every year of which the court keeps something, a few in all."""
        ...

    async def list_years_of_all(self) -> list[CalendarYear]:
        """One consistent query under the reserved tenant: the years imported for every court."""
        ...

    async def save_year(self, court: str, year: CalendarYear, entry: Entry) -> Recorded | None:
        """Put the next version of a year. Stale when it changed meanwhile."""
        ...
