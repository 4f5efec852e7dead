"""Canteens, meal periods and dishes at the API."""

from datetime import time

import strawberry

from courtside.kernel.errors import NotFound, VersionConflict
from courtside.kernel.workdays import Count
from courtside.kernel.workdays import CutOff as Rule
from courtside.modules.meals import errors
from courtside.modules.meals.contracts import canteens as contracts
from courtside.modules.meals.contracts.canteens import Allergen, Period, Tag
from courtside.modules.meals.gql import ids
from courtside.modules.meals.service.canteens import Canteens
from courtside.platform.gql.commands import carry_out
from courtside.platform.gql.payloads import Info, Payload, mutation, query
from courtside.platform.gql.scalars import Yuan

strawberry.enum(Period, name="Meal", description="餐次 / Which meal of the day.")
strawberry.enum(Allergen, description="过敏原八大类 / The eight groups of GB 7718, 4.4.3.")
strawberry.enum(Tag, name="DishTag", description="菜品标签 / What a dish is, for choosing.")
strawberry.enum(Count, name="DayCount", description="按工作日或自然日 / Which days are counted.")


@strawberry.type(description="食堂 / A canteen.")
class Canteen:
    id: strawberry.ID
    name: str
    site: str
    windows: list[str] = strawberry.field(description="取餐窗口 / Names of its pick-up windows.")
    version: int

    @staticmethod
    def of(canteen: contracts.Canteen) -> "Canteen":
        return Canteen(
            id=ids.canteen_id(canteen.id),
            name=canteen.name,
            site=canteen.site,
            windows=list(canteen.windows),
            version=canteen.version,
        )


@strawberry.type(
    description="截止规则:提前若干天的某一时刻 / A time of day so many days before the meal."
)
class CutOff:
    days_before: int
    at: time
    count: Count

    @staticmethod
    def of(rule: Rule) -> "CutOff":
        return CutOff(days_before=rule.days_before, at=rule.at, count=rule.count)


@strawberry.type(description="餐次设置 / When a meal is served and until when it can be ordered.")
class MealPeriod:
    period: Period
    serve_from: time
    serve_to: time = strawberry.field(
        description="04:00 之前属次日凌晨 / Before 04:00 it is of the next morning."
    )
    order: CutOff
    change: CutOff
    cancel: CutOff
    subsidy: Yuan = strawberry.field(description="工作日餐补 / The subsidy on a work day.")
    version: int

    @staticmethod
    def of(period: contracts.MealPeriod) -> "MealPeriod":
        return MealPeriod(
            period=period.period,
            serve_from=period.serve_from,
            serve_to=period.serve_to,
            order=CutOff.of(period.order),
            change=CutOff.of(period.change),
            cancel=CutOff.of(period.cancel),
            subsidy=Yuan(period.subsidy_fen),
            version=period.version,
        )


@strawberry.type(description="菜品 / A dish of a canteen.")
class Dish:
    id: strawberry.ID
    name: str
    category: str
    price: Yuan
    allergens: list[Allergen] | None = strawberry.field(
        description="空值为尚未声明,空列表为声明“无” / Null: nothing stated yet. Empty: has none."
    )
    tags: list[Tag]
    version: int

    @staticmethod
    def of(dish: contracts.Dish) -> "Dish":
        return Dish(
            id=ids.dish_id(dish.canteen, dish.id),
            name=dish.name,
            category=dish.category,
            price=Yuan(dish.price_fen),
            allergens=None if dish.allergens is None else list(dish.allergens),
            tags=list(dish.tags),
            version=dish.version,
        )


@strawberry.input
class AddCanteenInput:
    idempotency_key: str
    name: str
    site: str = ""
    windows: list[str]

    def request(self) -> contracts.AddCanteen:
        return contracts.AddCanteen(name=self.name, site=self.site, windows=tuple(self.windows))


@strawberry.input
class CutOffInput:
    days_before: int
    at: time
    count: Count = Count.WORKDAYS

    def rule(self) -> Rule:
        return Rule(days_before=self.days_before, at=self.at, count=self.count)


@strawberry.input
class SetMealPeriodInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    period: Period
    serve_from: time
    serve_to: time
    order: CutOffInput
    change: CutOffInput
    cancel: CutOffInput
    subsidy: Yuan
    expected_version: int

    def request(self) -> contracts.SetMealPeriod:
        return contracts.SetMealPeriod(
            canteen=ids.to_canteen(self.canteen_id),
            period=self.period,
            serve_from=self.serve_from,
            serve_to=self.serve_to,
            order=self.order.rule(),
            change=self.change.rule(),
            cancel=self.cancel.rule(),
            subsidy_fen=self.subsidy,
            expected_version=self.expected_version,
        )


@strawberry.input
class AddDishInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    name: str
    category: str = ""
    price: Yuan
    allergens: list[Allergen] | None = strawberry.field(
        default=None, description="不填为尚未声明 / Left out: nothing stated yet."
    )
    tags: list[Tag] = strawberry.field(default_factory=list)

    def request(self) -> contracts.AddDish:
        return contracts.AddDish(
            canteen=ids.to_canteen(self.canteen_id),
            name=self.name,
            category=self.category,
            price_fen=self.price,
            allergens=None if self.allergens is None else _distinct(self.allergens),
            tags=tuple(dict.fromkeys(self.tags)),
        )


@strawberry.input
class SetDishAllergensInput:
    idempotency_key: str
    dish_id: strawberry.ID
    allergens: list[Allergen] = strawberry.field(description="空列表为“无” / Empty: has none.")
    expected_version: int

    def request(self) -> contracts.SetDishAllergens:
        canteen, dish = ids.to_dish(self.dish_id)
        return contracts.SetDishAllergens(
            canteen=canteen,
            dish=dish,
            allergens=_distinct(self.allergens),
            expected_version=self.expected_version,
        )


@strawberry.type
class AddCanteenPayload(Payload):
    canteen: Canteen | None = None


@strawberry.type
class SetMealPeriodPayload(Payload):
    meal_period: MealPeriod | None = None


@strawberry.type
class AddDishPayload(Payload):
    dish: Dish | None = None


@strawberry.type
class SetDishAllergensPayload(Payload):
    dish: Dish | None = None


@strawberry.type
class Query:
    @query("meals.list_canteens", description="本院食堂 / The canteens of the court.")
    async def canteens(self, info: Info) -> list[Canteen]:
        context = info.context
        found = await context.get(Canteens).list_canteens(context.principal, now=context.now)
        return [Canteen.of(canteen) for canteen in found]

    @query("meals.list_canteens", description="食堂的餐次设置 / The meals of a canteen.")
    async def meal_periods(self, info: Info, canteen_id: strawberry.ID) -> list[MealPeriod]:
        context, canteen = info.context, ids.to_canteen(canteen_id, path=("canteenId",))
        found = await context.get(Canteens).list_periods(
            context.principal, canteen, now=context.now
        )
        return [MealPeriod.of(period) for period in found]

    @query(
        "meals.list_dishes",
        description="食堂菜品,未声明过敏原的在前 / Dishes, those without a statement first.",
    )
    async def dishes(self, info: Info, canteen_id: strawberry.ID) -> list[Dish]:
        context, canteen = info.context, ids.to_canteen(canteen_id, path=("canteenId",))
        found = await context.get(Canteens).list_dishes(context.principal, canteen, now=context.now)
        return [Dish.of(dish) for dish in found]


@strawberry.type
class Mutation:
    @mutation(
        "meals.add_canteen",
        refuses=(NotFound,),
        description="新增食堂,四个餐次取默认时间 / A canteen and its four usual meals.",
    )
    async def add_canteen(self, info: Info, input: AddCanteenInput) -> AddCanteenPayload:
        use_case = info.context.get(Canteens).add_canteen
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return AddCanteenPayload(canteen=Canteen.of(done.value), replayed=done.replayed)

    @mutation(
        "meals.set_meal_period",
        refuses=(NotFound, VersionConflict),
        description="设置餐次,对之后发布的菜单生效 / Set a meal; menus published later follow it.",
    )
    async def set_meal_period(self, info: Info, input: SetMealPeriodInput) -> SetMealPeriodPayload:
        use_case = info.context.get(Canteens).set_meal_period
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return SetMealPeriodPayload(meal_period=MealPeriod.of(done.value), replayed=done.replayed)

    @mutation(
        "meals.add_dish",
        refuses=(NotFound, errors.DishExists),
        description="新增菜品 / Add a dish to a canteen.",
    )
    async def add_dish(self, info: Info, input: AddDishInput) -> AddDishPayload:
        use_case = info.context.get(Canteens).add_dish
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return AddDishPayload(dish=Dish.of(done.value), replayed=done.replayed)

    @mutation(
        "meals.set_dish_allergens",
        refuses=(NotFound, VersionConflict),
        description="声明过敏原,未声明的菜不能发布 / State allergens, or none.",
    )
    async def set_dish_allergens(
        self, info: Info, input: SetDishAllergensInput
    ) -> SetDishAllergensPayload:
        use_case = info.context.get(Canteens).set_dish_allergens
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return SetDishAllergensPayload(dish=Dish.of(done.value), replayed=done.replayed)


def _distinct(allergens: list[Allergen]) -> tuple[Allergen, ...]:
    return tuple(dict.fromkeys(allergens))
