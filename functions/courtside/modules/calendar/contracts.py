"""What the module speaks of: a court's years and days, and the requests that change them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from courtside.kernel.journal import aggregate
from courtside.kernel.workdays import DayKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedYear:
    """A year as its notice says it: the days that differ from Monday-to-Friday.

    `provisional` was entered before the notice and may still change.
    """

    special: Mapping[date, DayKind]
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    """What a court (or `_`, for all) keeps of a year: an import, and single days set on top.

    Version 0 is a year of which nothing is kept yet.
    """

    year: int
    imported: ImportedYear | None = None
    days: Mapping[date, DayKind] = field(default_factory=dict)
    version: int = 0

    @property
    def aggregate(self) -> str:
        return aggregate("CalendarYear", str(self.year))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    on: date
    kind: DayKind
    set_by_court: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarMonth:
    """The days of one month in their order."""

    year: int
    month: int
    provisional: bool
    days: tuple[CalendarDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCourtDay:
    """What kind of day it is in this court; None returns it to the State Council's calendar."""

    on: date
    kind: DayKind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A run of days off from `starts_on` to `ends_on`, both included, as notices print them."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportYear:
    """A year's notice: its holidays and the weekend days that are worked instead (调休)."""

    year: int
    provisional: bool
    holidays: tuple[Holiday, ...]
    makeup_workdays: tuple[date, ...]
