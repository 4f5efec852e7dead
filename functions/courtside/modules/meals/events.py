"""What meals tells others, each with a JSON Schema in `schemas/events/`.

An order's aggregate is `MealOrder:<date>#<period>#<diner>`, that of one meal of one day
`Meal:<canteen>#<date>#<period>`. Amounts are fen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from courtside.kernel.journal import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order(Event):
    """`lines` are quantities by dish."""

    canteen: str
    lines: Mapping[str, int]
    subsidy: int
    wallet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MealOrderPlaced(_Order):
    name: ClassVar[str] = "meals.order_placed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MealOrderChanged(_Order):
    name: ClassVar[str] = "meals.order_changed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MealOrderCancelled(Event):
    """`subsidy` and `wallet` went back to where they had come from."""

    name: ClassVar[str] = "meals.order_cancelled.v1"
    canteen: str
    subsidy: int
    wallet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MealOrderKept(Event):
    """The diner left, but the kitchen has counted the meal: it is cooked and not refunded."""

    name: ClassVar[str] = "meals.order_kept.v1"
    canteen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MealOrderCollected(Event):
    name: ClassVar[str] = "meals.order_collected.v1"
    canteen: str
    window: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuPublished(Event):
    """The days of one publishing with their batch: lines up to that batch are seen. Its aggregate
    is `Publishing:<job>`."""

    name: ClassVar[str] = "meals.menu_published.v1"
    canteen: str
    days: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllergensStated(Event):
    """A statement was made or mended; an empty one says that there are none."""

    name: ClassVar[str] = "meals.allergens_stated.v1"
    canteen: str
    dish: str
    allergens: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOffMoved(Event):
    name: ClassVar[str] = "meals.cut_off_moved.v1"
    canteen: str
    date: str
    period: str
    order_by: str
    change_by: str
    cancel_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KitchenCountIssued(Event):
    """`version` is the count's own."""

    name: ClassVar[str] = "meals.count_issued.v1"
    canteen: str
    date: str
    period: str
    portions: int
    diners: int
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletsToppedUp(Event):
    """A finance import was carried out; who got what stands in the movements alone."""

    name: ClassVar[str] = "meals.wallets_topped_up.v1"
    rows: int
    total: int
