"""Facts that the calendar module publishes."""

from dataclasses import dataclass
from typing import ClassVar

from courtside.kernel.journal import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtDaySet(Event):
    """`kind` None: the day follows the State Council's calendar again."""

    name: ClassVar[str] = "calendar.court_day_set.v1"
    on: str
    kind: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYearImported(Event):
    name: ClassVar[str] = "calendar.year_imported.v1"
    year: int
    provisional: bool
    holidays: int
    makeup_workdays: int
