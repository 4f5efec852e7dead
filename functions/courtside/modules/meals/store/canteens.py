"""Canteens, meal periods and dishes as stored."""

from collections.abc import Sequence
from datetime import time

from courtside.kernel.journal import Entry, Recorded
from courtside.kernel.workdays import Count, CutOff
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import (
    Allergen,
    Allergens,
    Canteen,
    Dish,
    MealPeriod,
    Period,
    Tag,
)
from courtside.modules.meals.store.items import CANTEENS, CanteenItem, DishItem, PeriodItem
from courtside.platform.dynamo.database import Database, create, replace
from courtside.platform.dynamo.transaction import refusal


class CanteenStore:
    """What changes seldom: canteens, their meals' settings, their dishes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_canteens(self, court: str) -> list[Canteen]:
        items = await self._database.of(court).query(CanteenItem, CANTEENS)
        return [_canteen(item) for item in items]

    async def find_canteen(self, court: str, canteen: str) -> Canteen | None:
        item = await self._database.of(court).get(CanteenItem, CANTEENS, canteen)
        return None if item is None else _canteen(item)

    async def list_periods(self, court: str, canteen: str) -> list[MealPeriod]:
        partition = f"MEALS#PERIODS#{canteen}"
        items = await self._database.of(court).query(PeriodItem, partition, consistent=True)
        return sorted((_period(item) for item in items), key=_in_the_days_order)

    async def find_period(self, court: str, canteen: str, period: Period) -> MealPeriod | None:
        partition = f"MEALS#PERIODS#{canteen}"
        item = await self._database.of(court).get(PeriodItem, partition, period.value)
        return None if item is None else _period(item)

    async def list_dishes(self, court: str, canteen: str) -> list[Dish]:
        partition = f"MEALS#DISHES#{canteen}"
        items = await self._database.of(court).query(DishItem, partition, consistent=True)
        return [to_dish(item) for item in items]

    async def find_dish(self, court: str, canteen: str, dish: str) -> Dish | None:
        item = await self._database.of(court).get(DishItem, f"MEALS#DISHES#{canteen}", dish)
        return None if item is None else to_dish(item)

    async def save_canteen(
        self, canteen: Canteen, periods: Sequence[MealPeriod], entry: Entry
    ) -> Recorded | None:
        court = entry.command.court
        item = CanteenItem(
            pk=f"{court}#{CANTEENS}",
            sk=canteen.id,
            version=canteen.version,
            name=canteen.name,
            site=canteen.site,
            windows=list(canteen.windows),
        )
        transaction = self._database.transaction(entry)
        transaction.add(replace(item, by="canteen"))
        for period in periods:
            transaction.add(replace(_period_item(court, period), by="meal period"))
        return await transaction.commit()

    async def save_period(self, period: MealPeriod, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        item = _period_item(entry.command.court, period)
        transaction.add(replace(item, by="meal period"))
        return await transaction.commit()

    async def save_dish(self, dish: Dish, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        item = dish_item(entry.command.court, dish)
        if dish.version == 1:
            taken = refusal(errors.DishExists(name=dish.name))
            transaction.add(create(item, by="dish"), explain=taken)
        else:
            transaction.add(replace(item, by="dish"))
        return await transaction.commit()


def dish_item(court: str, dish: Dish) -> DishItem:
    """A dish as stored; an import of a menu writes new ones too."""
    return DishItem(
        pk=f"{court}#MEALS#DISHES#{dish.canteen}",
        sk=dish.id,
        version=dish.version,
        name=dish.name,
        category=dish.category,
        price=dish.price_fen,
        allergens=stated(dish.allergens),
        tags=",".join(dish.tags),
    )


def to_dish(item: DishItem) -> Dish:
    return Dish(
        canteen=item.pk.rpartition("#")[2],
        id=item.sk,
        name=item.name,
        category=item.category,
        price_fen=int(item.price),
        allergens=to_allergens(item.allergens),
        tags=to_tags(item.tags),
        version=int(item.version),
    )


def stated(allergens: Allergens) -> str | None:
    """`-` for stated to have none: DynamoDB and pynamodb treat an empty text as a text, readers
    do not."""
    return None if allergens is None else ",".join(allergens) or "-"


def to_allergens(text: str | None) -> Allergens:
    if text is None:
        return None
    return () if text == "-" else tuple(Allergen(a) for a in text.split(","))


def to_tags(text: str) -> tuple[Tag, ...]:
    return tuple(Tag(t) for t in text.split(",")) if text else ()


def _canteen(item: CanteenItem) -> Canteen:
    return Canteen(
        id=item.sk,
        name=item.name,
        site=item.site,
        windows=tuple(str(window) for window in item.windows),
        version=int(item.version),
    )


def _period_item(court: str, period: MealPeriod) -> PeriodItem:
    return PeriodItem(
        pk=f"{court}#MEALS#PERIODS#{period.canteen}",
        sk=period.period.value,
        version=period.version,
        serve_from=period.serve_from.isoformat("minutes"),
        serve_to=period.serve_to.isoformat("minutes"),
        order=_rule(period.order),
        change=_rule(period.change),
        cancel=_rule(period.cancel),
        subsidy=period.subsidy_fen,
    )


def _period(item: PeriodItem) -> MealPeriod:
    return MealPeriod(
        canteen=item.pk.rpartition("#")[2],
        period=Period(item.sk),
        serve_from=time.fromisoformat(item.serve_from),
        serve_to=time.fromisoformat(item.serve_to),
        order=_to_rule(item.order),
        change=_to_rule(item.change),
        cancel=_to_rule(item.cancel),
        subsidy_fen=int(item.subsidy),
        version=int(item.version),
    )


def _rule(rule: CutOff) -> str:
    return f"{rule.days_before}|{rule.at.isoformat('minutes')}|{rule.count.value}"


def _to_rule(text: str) -> CutOff:
    days, at, count = text.split("|")
    return CutOff(days_before=int(days), at=time.fromisoformat(at), count=Count(count))


def _in_the_days_order(period: MealPeriod) -> int:
    return list(Period).index(period.period)
