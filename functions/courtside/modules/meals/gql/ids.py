"""Opaque ids of meals: a dish's names its canteen, an order's its date, meal and diner."""

from datetime import date

import strawberry

from courtside.kernel.errors import InvalidInput, Path, Text
from courtside.kernel.ids import decode, encode
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.orders import OrderKey


def canteen_id(canteen: str) -> strawberry.ID:
    return strawberry.ID(encode("Canteen", canteen))


def to_canteen(opaque: str, *, path: Path = ("input", "canteenId")) -> str:
    return decode("Canteen", opaque, path=path)[0]


def dish_id(canteen: str, dish: str) -> strawberry.ID:
    return strawberry.ID(encode("Dish", canteen, dish))


def to_dish(opaque: str, *, path: Path = ("input", "dishId")) -> tuple[str, str]:
    """Canteen and dish."""
    canteen, dish = decode("Dish", opaque, 2, path=path)
    return canteen, dish


def order_id(key: OrderKey) -> strawberry.ID:
    return strawberry.ID(encode("MealOrder", key.date.isoformat(), key.period.value, key.diner))


def to_order(opaque: str, *, path: Path = ("input", "orderId")) -> OrderKey:
    day, period, diner = decode("MealOrder", opaque, 3, path=path)
    try:
        return OrderKey(date.fromisoformat(day), Period(period), diner)
    except ValueError:
        reason = Text(zh="不是 MealOrder 的编号", en="not an id of MealOrder")
        raise InvalidInput(field=str(path[-1]), reason=reason, path=path) from None


def person_id(person: str) -> strawberry.ID:
    return strawberry.ID(encode("Person", person))


def to_person(opaque: str, *, path: Path = ("input", "dinerId")) -> str:
    return decode("Person", opaque, path=path)[0]


def job_id(job: str) -> strawberry.ID:
    return strawberry.ID(encode("MealsJob", job))


def to_job(opaque: str, *, path: Path = ("jobId",)) -> str:
    return decode("MealsJob", opaque, path=path)[0]
