"""The demo's three canteens: their meals, dishes, and the menu of a day as a spreadsheet's rows."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from infra.demo.people import Staff

from courtside.kernel.actor import Principal
from courtside.kernel.money import fen
from courtside.modules.meals.contracts.canteens import (
    AddCanteen,
    AddDish,
    Allergen,
    Dish,
    Period,
    SetMealPeriod,
    Tag,
)
from courtside.modules.meals.rules.canteens import default_period
from courtside.modules.meals.service.canteens import Canteens

_SUBSIDY = {Period.BREAKFAST: 500, Period.LUNCH: 1500, Period.DINNER: 1200}  # fen a work day
ALWAYS = {"米饭", "杂粮饭", "馒头", "现磨豆浆", "小米粥"}  # stands on every menu
SHARE = 0.7  # of the other dishes that stand on a day's menu


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCanteen:
    id: str
    name: str
    windows: tuple[str, ...]
    dishes: Mapping[Period, Sequence[Dish]]


async def open_canteens(
    canteens: Canteens, staff: Staff, told: Mapping[str, Any], *, now: datetime
) -> list[DemoCanteen]:
    """Canteens and meals as the logistics manager enters them, dishes as the kitchen does."""
    opened = []
    for n, one in enumerate(told["canteens"]):
        windows = ("一号窗口", "二号窗口") if n == 0 else ("一号窗口",)
        request = AddCanteen(name=one["name"], site=one["name"][:2], windows=windows)
        added = await canteens.add_canteen(
            staff["manager"], request, key=f"demo-canteen-{n}", now=now
        )
        canteen = added.value.id
        dishes = {}
        for name, rows in one["menu"].items():
            period = Period(name)
            await canteens.set_meal_period(
                staff["manager"], _subsidised(canteen, period), key=f"demo-{n}-{name}", now=now
            )
            dishes[period] = [
                await _dish(
                    canteens,
                    staff["kitchen"],
                    canteen,
                    row,
                    key=f"demo-{n}-{name}-{m:02d}",
                    now=now,
                )
                for m, row in enumerate(rows)
            ]
        opened.append(DemoCanteen(id=canteen, name=one["name"], windows=windows, dishes=dishes))
    return opened


async def find_canteens(
    canteens: Canteens, staff: Staff, told: Mapping[str, Any], *, now: datetime
) -> list[DemoCanteen]:
    """The demo's canteens and dishes as they stand in the books."""
    cook = staff["kitchen"]
    known = {one.name: one for one in await canteens.list_canteens(cook, now=now)}
    found = []
    for one in told["canteens"]:
        canteen = known[one["name"]]
        dishes = {d.name: d for d in await canteens.list_dishes(cook, canteen.id, now=now)}
        offered = {
            Period(name): [dishes[row["name"]] for row in rows]
            for name, rows in one["menu"].items()
        }
        windows = canteen.windows
        found.append(DemoCanteen(id=canteen.id, name=canteen.name, windows=windows, dishes=offered))
    return found


def planned(canteen: DemoCanteen, day: date, period: Period) -> list[tuple[Dish, int]]:
    """What stands on the menu that day, with portions; the same for the same day."""
    chance = random.Random(f"{canteen.name}{day}{period}")
    dishes = [d for d in canteen.dishes[period] if d.name in ALWAYS or chance.random() < SHARE]
    return [(d, 200 if d.name in ALWAYS else chance.choice((40, 60, 80))) for d in dishes]


async def _dish(
    canteens: Canteens,
    cook: Principal,
    canteen: str,
    row: Mapping[str, Any],
    *,
    key: str,
    now: datetime,
) -> Dish:
    request = AddDish(
        canteen=canteen,
        name=row["name"],
        category=row["category"],
        price_fen=fen(row["price"]),
        allergens=tuple(Allergen(code) for code in row["allergens"]),
        tags=tuple(Tag(code) for code in row["tags"]),
    )
    known = {d.name: d for d in await canteens.list_dishes(cook, canteen, now=now)}
    if row["name"] in known:  # rice at noon and in the evening is one dish
        return known[row["name"]]
    return (await canteens.add_dish(cook, request, key=key, now=now)).value


def _subsidised(canteen: str, period: Period) -> SetMealPeriod:
    """The usual times of the meal, with the court's subsidy."""
    usual = default_period(canteen, period)
    return SetMealPeriod(
        canteen=canteen,
        period=period,
        serve_from=usual.serve_from,
        serve_to=usual.serve_to,
        order=usual.order,
        change=usual.change,
        cancel=usual.cancel,
        subsidy_fen=_SUBSIDY[period],
        expected_version=usual.version,
    )
