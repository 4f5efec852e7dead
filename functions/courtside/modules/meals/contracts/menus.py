"""Menus: what is drafted, what is published of a day, and what is left of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from courtside.kernel.journal import aggregate
from courtside.kernel.ledger import Account, AccountId, Unit
from courtside.modules.meals.contracts.canteens import Allergens, Dish, Period, Tag


class LineState(StrEnum):
    """WITHDRAWN: taken off the menu, what was ordered of it stands and can be given back. CLOSED:
    the kitchen counts, nothing moves any more."""

    OPEN = "OPEN"
    WITHDRAWN = "WITHDRAWN"
    CLOSED = "CLOSED"


class WindowState(StrEnum):
    """CLOSING: the kitchen count was asked for and the accounts are being closed."""

    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One meal of one day, resolved on the court's calendar: instants, all bounds exclusive.

    `count` is the latest kitchen count's version (0: none). `job` is the job that is closing it or
    moving its cut-offs.
    """

    period: Period
    serves_from: datetime
    serves_to: datetime
    order_by: datetime
    change_by: datetime
    cancel_by: datetime
    subsidy_fen: int
    state: WindowState = WindowState.OPEN
    count: int = 0
    job: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuDay:
    """The pointer of a canteen's day: lines of a batch above `published` are not seen yet.

    `batch` is the last number handed out to a publishing, `publishing` the job that is carrying it
    out: one at a time, since the next one's number covers its own.
    """

    canteen: str
    date: date
    version: int
    published: int
    batch: int
    windows: tuple[Window, ...]
    publishing: str | None = None

    @property
    def aggregate(self) -> str:
        return aggregate("MenuDay", self.canteen, self.date.isoformat())

    def find_window(self, period: Period) -> Window | None:
        return next((w for w in self.windows if w.period is period), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLine:
    """A dish on the menu of one meal, which is the account of its portions as well.

    Name, price and tags are the dish's when it was published; a corrected allergen statement
    follows the dish. It is seen from batch `batch` on and until before batch `gone`.
    """

    canteen: str
    date: date
    period: Period
    dish: str
    name: str
    price_fen: int
    allergens: Allergens
    tags: tuple[Tag, ...]
    planned: int
    available: int
    held: int
    state: LineState
    order_by: datetime
    change_by: datetime
    cancel_by: datetime
    closed_at: datetime | None
    batch: int
    gone: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it takes orders, as far as its account goes."""
        return self.state is LineState.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether nothing of it moves any more."""
        return self.state is LineState.CLOSED

    def is_shown(self, published: int) -> bool:
        """Whether it is on the menu when its day has published up to that batch."""
        return self.batch <= published and (self.gone is None or published < self.gone)

    @property
    def account(self) -> Account:
        return Account(
            id=line_account(self.canteen, self.date, self.period, self.dish),
            unit=Unit.PORTION,
            available=self.available,
            held=self.held,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLines:
    """What one step of a publishing writes: lines that open, lines that are written anew with how
    many more portions are planned of each, and lines whose `gone` alone changes. `dishes` are
    those whose statements the lines carry."""

    dishes: Sequence[Dish] = ()
    opened: Sequence[MenuLine] = ()
    changed: Sequence[tuple[MenuLine, int]] = ()
    marked: Sequence[MenuLine] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMenu:
    """A day as a diner sees it: only what is published. `day` is None when nothing ever was."""

    canteen: str
    date: date
    day: MenuDay | None
    lines: Sequence[MenuLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A dish planned for one meal, not published. Price as the spreadsheet or the dish says."""

    date: date
    period: Period
    dish: str
    name: str
    price_fen: int
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftDay:
    """The pointer to a day's draft: the lines of each meal stand in the batch of one import."""

    canteen: str
    date: date
    batches: Mapping[Period, str]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishMenu:
    """Publish what is drafted from `from_on` to `to_on`, both included; at most 14 days."""

    canteen: str
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCutOff:
    canteen: str
    date: date
    period: Period
    order_by: datetime
    change_by: datetime
    cancel_by: datetime


def meal_aggregate(canteen: str, day: date, period: Period) -> str:
    """Under which history keeps what happens to one meal of one day as a whole."""
    return aggregate("Meal", canteen, day.isoformat(), period.value)


def menu_partition(canteen: str, day: date) -> str:
    return f"MEALS#MENU#{canteen}#{day.isoformat()}"


def line_account(canteen: str, day: date, period: Period, dish: str) -> AccountId:
    """Where the portions of a dish stand: in the day's menu itself."""
    return AccountId(menu_partition(canteen, day), f"LINE#{period.value}#{dish}")
