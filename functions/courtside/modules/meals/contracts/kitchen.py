"""The kitchen count: what to cook, for how many, and for whom by code."""

from dataclasses import dataclass
from datetime import date, datetime

from courtside.modules.meals.contracts.canteens import Allergens, Period
from courtside.modules.meals.contracts.menus import meal_aggregate
from courtside.modules.meals.contracts.orders import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLine:
    """`offered` is false for a dish that was ordered and stands on the menu no longer: it is
    counted in a section of its own, never dropped."""

    dish: str
    name: str
    allergens: Allergens
    portions: int
    diners: int
    offered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDiner:
    """A diner by pick-up code, without a name."""

    code: str
    lines: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KitchenCount:
    """Three sums that must be one: of this count, of the orders, and sold on the accounts."""

    canteen: str
    date: date
    period: Period
    version: int
    issued_at: datetime
    lines: tuple[CountLine, ...]
    diners: tuple[CountedDiner, ...]
    counted: int
    ordered: int
    sold: int

    @property
    def aggregate(self) -> str:
        return meal_aggregate(self.canteen, self.date, self.period)

    @property
    def agrees(self) -> bool:
        return self.counted == self.ordered == self.sold


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKitchenCount:
    """Close the meal and count it. Before the last cut-off only with `early`."""

    canteen: str
    date: date
    period: Period
    early: bool = False
