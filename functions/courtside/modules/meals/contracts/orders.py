"""Orders of meals and the personal accounts that pay for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from courtside.kernel.journal import Event, aggregate
from courtside.kernel.ledger import Account, AccountId, Movement
from courtside.modules.meals.contracts.canteens import Canteen, Period
from courtside.modules.meals.contracts.menus import DayMenu, MenuDay, MenuLine

MAX_DISHES = 5
MAX_QUANTITY = 5


class OrderState(StrEnum):
    PLACED = "PLACED"
    CANCELLED = "CANCELLED"
    COLLECTED = "COLLECTED"


class OrderKey(NamedTuple):
    """An order is its diner's for one meal of one day; ordering again is its next version."""

    date: date
    period: Period
    diner: str

    @property
    def partition(self) -> str:
        return f"MEALS#ORDERS#{self.date.isoformat()}#{self.period.value}"

    def __str__(self) -> str:
        return f"{self.date.isoformat()}#{self.period.value}#{self.diner}"

    @staticmethod
    def parse(text: str) -> "OrderKey":
        """`<date>#<PERIOD>#<diner>`, as results and refusals name an order."""
        day, period, diner = text.split("#", 2)
        return OrderKey(date.fromisoformat(day), Period(period), diner)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    dish: str
    name: str
    quantity: int
    price_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MealOrder:
    """`subsidy_fen` and `wallet_fen` are what it took from each; a cancellation gives them back.

    `code` is typed or scanned at the pick-up window and stays the same for all versions.
    """

    key: OrderKey
    version: int
    state: OrderState
    canteen: str
    lines: tuple[OrderLine, ...]
    subsidy_fen: int
    wallet_fen: int
    code: str
    placed_at: datetime
    placed_by: str
    collected_at: datetime | None = None
    collected_by: str | None = None
    window: str | None = None

    @property
    def aggregate(self) -> str:
        return aggregate("MealOrder", str(self.key))

    @property
    def total_fen(self) -> int:
        return self.subsidy_fen + self.wallet_fen

    @property
    def is_live(self) -> bool:
        return self.state is not OrderState.CANCELLED


class Wanted(NamedTuple):
    dish: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceMealOrder:
    """For oneself, or (a clerk of the same unit) for `diner`."""

    canteen: str
    date: date
    period: Period
    lines: tuple[Wanted, ...]
    diner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMealOrder:
    """Other dishes or quantities of the same canteen; everything that was ordered is named."""

    order: OrderKey
    canteen: str
    lines: tuple[Wanted, ...]
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMealOrder:
    order: OrderKey
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectMealOrder:
    canteen: str
    code: str
    window: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """One row of finance's list, resolved to a person."""

    person: str
    amount_fen: int


def subsidy_account(diner: str, day: date, period: Period, *, canteen: str) -> AccountId:
    """A diner's subsidy for one meal of one work day: each canteen grants its own."""
    return AccountId(f"MEALS#SUBSIDY#{diner}", f"{day.isoformat()}#{period.value}#{canteen}")


def wallet_account(diner: str) -> AccountId:
    return AccountId(f"MEALS#WALLET#{diner}", "WALLET")


class Bound(StrEnum):
    """Which cut-off of the line accounts a write must keep; NONE only asks that they are open."""

    ORDER = "ORDER"
    CHANGE = "CHANGE"
    CANCEL = "CANCEL"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """What one read round found; `lines` are the wanted dishes' own, where they exist."""

    day: MenuDay | None
    lines: Mapping[str, MenuLine]
    order: MealOrder | None
    subsidy: Account | None
    wallet: Account | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The order's next version with the movements and the fact that come with it.

    `had` are the portions of each dish that the diner held before.
    """

    order: MealOrder
    had: Mapping[str, int]
    movements: tuple[Movement, ...]
    event: Event
    bound: Bound


@dataclass(frozen=True, slots=True, kw_only=True)
class DinersDay:
    """A canteen's day as one diner sees it; `subsidies` are what is left for each meal, in fen."""

    menu: DayMenu
    subsidies: Mapping[tuple[date, Period], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The phone's first screen: today and the next work day at one canteen, and one's own things.

    `subsidies` are what is left for each meal, in fen.
    """

    canteen: Canteen | None
    days: tuple[DayMenu, ...]
    orders: tuple[MealOrder, ...]
    subsidies: Mapping[tuple[date, Period], int]
    wallet_fen: int
