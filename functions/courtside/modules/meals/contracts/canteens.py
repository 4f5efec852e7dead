"""Canteens, their meal periods and their dishes."""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from courtside.kernel.journal import aggregate
from courtside.kernel.workdays import CutOff


class Period(StrEnum):
    BREAKFAST = "BREAKFAST"
    LUNCH = "LUNCH"
    DINNER = "DINNER"
    NIGHT = "NIGHT"


class Allergen(StrEnum):
    """The eight groups that GB 7718-2011, 4.4.3 lists."""

    GLUTEN = "GLUTEN"
    CRUSTACEAN = "CRUSTACEAN"
    FISH = "FISH"
    EGG = "EGG"
    PEANUT = "PEANUT"
    SOY = "SOY"
    MILK = "MILK"
    NUT = "NUT"


class Tag(StrEnum):
    HALAL = "HALAL"
    VEGETARIAN = "VEGETARIAN"
    LOW_SALT = "LOW_SALT"
    LOW_SUGAR = "LOW_SUGAR"
    LOW_PURINE = "LOW_PURINE"
    SPICY_1 = "SPICY_1"
    SPICY_2 = "SPICY_2"
    SPICY_3 = "SPICY_3"


# None: nothing was stated yet, which blocks publishing. An empty tuple: stated to have none.
Allergens = tuple[Allergen, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Canteen:
    """Where meals are served; `windows` are the names of its pick-up windows."""

    id: str
    name: str
    site: str
    windows: tuple[str, ...]
    version: int

    @property
    def aggregate(self) -> str:
        return aggregate("Canteen", self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MealPeriod:
    """A canteen's settings of one meal: local serving times, three cut-offs, and the subsidy (fen)
    that a diner gets for this meal on a work day. A time before 04:00 is of the next morning."""

    canteen: str
    period: Period
    serve_from: time
    serve_to: time
    order: CutOff
    change: CutOff
    cancel: CutOff
    subsidy_fen: int
    version: int

    @property
    def aggregate(self) -> str:
        return aggregate("MealPeriod", self.canteen, self.period.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dish:
    """A dish of a canteen. Its id is derived from its name: one name, one dish."""

    canteen: str
    id: str
    name: str
    category: str
    price_fen: int
    allergens: Allergens
    tags: tuple[Tag, ...]
    version: int

    @property
    def aggregate(self) -> str:
        return aggregate("Dish", self.canteen, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCanteen:
    name: str
    site: str
    windows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMealPeriod:
    canteen: str
    period: Period
    serve_from: time
    serve_to: time
    order: CutOff
    change: CutOff
    cancel: CutOff
    subsidy_fen: int
    expected_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDish:
    canteen: str
    name: str
    category: str
    price_fen: int
    allergens: Allergens
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDishAllergens:
    """A statement is made or mended; it cannot be taken back to None."""

    canteen: str
    dish: str
    allergens: tuple[Allergen, ...]
    expected_version: int
