"""The kitchen's screens: counting a meal, and handing it out."""

from datetime import date, datetime
from typing import Any

import strawberry

from courtside.kernel.errors import NotFound, Refusal
from courtside.modules.meals import errors
from courtside.modules.meals.contracts import kitchen as contracts
from courtside.modules.meals.contracts.canteens import Allergen, Period
from courtside.modules.meals.contracts.orders import CollectMealOrder
from courtside.modules.meals.gql import ids
from courtside.modules.meals.gql.menus import MealsJob
from courtside.modules.meals.gql.orders import MealOrder
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.gql.commands import carry_out
from courtside.platform.gql.payloads import (
    Info,
    Payload,
    UserError,
    mutation,
    query,
)


@strawberry.type(description="一道菜的备餐数 / How many portions of a dish, for how many diners.")
class KitchenCountLine:
    dish_id: strawberry.ID
    name: str
    portions: int
    diners: int
    allergens: list[Allergen]


@strawberry.type
class CountedPortion:
    name: str
    quantity: int


@strawberry.type(description="就餐人,只有取餐码 / A diner by pick-up code, without a name.")
class CountedDiner:
    code: str
    portions: list[CountedPortion]


@strawberry.type(description="备餐统计 / The kitchen count; what was counted never changes.")
class KitchenCount:
    date: date
    period: Period
    version: int
    issued_at: datetime
    lines: list[KitchenCountLine]
    unlisted: list[KitchenCountLine] = strawberry.field(
        description="菜单已无但有人订的菜 / Ordered, no longer on the menu: cook them."
    )
    diners: list[CountedDiner]
    counted: int = strawberry.field(description="各菜份数之和 / Sum of the lines.")
    ordered: int = strawberry.field(description="各订单份数之和 / Sum of the orders.")
    sold: int = strawberry.field(description="台账售出份数之和 / Sum sold on the accounts.")
    agrees: bool = strawberry.field(description="三数一致 / Whether the three sums are one.")

    @staticmethod
    def of(count: contracts.KitchenCount) -> "KitchenCount":
        names = {line.dish: line.name for line in count.lines}
        lines = sorted(count.lines, key=lambda line: (-line.portions, line.name))
        return KitchenCount(
            date=count.date,
            period=count.period,
            version=count.version,
            issued_at=count.issued_at,
            lines=[_line(count, line) for line in lines if line.offered],
            unlisted=[_line(count, line) for line in lines if not line.offered],
            diners=[
                CountedDiner(
                    code=diner.code,
                    portions=[
                        CountedPortion(name=names[w.dish], quantity=w.quantity) for w in diner.lines
                    ],
                )
                for diner in count.diners
            ],
            counted=count.counted,
            ordered=count.ordered,
            sold=count.sold,
            agrees=count.agrees,
        )


def _line(count: contracts.KitchenCount, line: contracts.CountLine) -> KitchenCountLine:
    return KitchenCountLine(
        dish_id=ids.dish_id(count.canteen, line.dish),
        name=line.name,
        portions=line.portions,
        diners=line.diners,
        allergens=list(line.allergens or ()),
    )


@strawberry.type(description="已取餐 / The first scan won; when and at which window it was.")
class AlreadyCollected(UserError):
    collected_at: datetime
    window: str

    @staticmethod
    def of(refusal: errors.AlreadyCollected, **common: Any) -> "AlreadyCollected":
        return AlreadyCollected(collected_at=refusal.collected_at, window=refusal.window, **common)


@strawberry.type(description="非当日取餐码 / The code is for another day.")
class CodeOfAnotherDay(UserError):
    date: date

    @staticmethod
    def of(refusal: errors.CodeOfAnotherDay, **common: Any) -> "CodeOfAnotherDay":
        return CodeOfAnotherDay(date=refusal.date, **common)


@strawberry.type(description="尚未截止 / Orders can come in until then.")
class StillOpen(UserError):
    closes_at: datetime

    @staticmethod
    def of(refusal: errors.StillOpen, **common: Any) -> "StillOpen":
        return StillOpen(closes_at=refusal.closes_at, **common)


ERROR_TYPES: dict[type[Refusal], type[Any]] = {
    errors.AlreadyCollected: AlreadyCollected,
    errors.CodeOfAnotherDay: CodeOfAnotherDay,
    errors.StillOpen: StillOpen,
}


@strawberry.input
class IssueKitchenCountInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    date: date
    period: Period
    early: bool = strawberry.field(
        default=False, description="未到截止时间也截单 / Close the meal before its cut-off."
    )

    def request(self) -> contracts.IssueKitchenCount:
        return contracts.IssueKitchenCount(
            canteen=ids.to_canteen(self.canteen_id),
            date=self.date,
            period=self.period,
            early=self.early,
        )


@strawberry.input
class CollectMealOrderInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    code: str = strawberry.field(
        description="取餐码,手输时 O、I、L 与空格均可 / Typed look-alikes and spaces are forgiven."
    )
    window: str

    def request(self) -> CollectMealOrder:
        return CollectMealOrder(
            canteen=ids.to_canteen(self.canteen_id), code=self.code, window=self.window
        )


@strawberry.type
class IssueKitchenCountPayload(Payload):
    job: MealsJob | None = None


@strawberry.type
class CollectMealOrderPayload(Payload):
    order: MealOrder | None = None


@strawberry.type
class Query:
    @query(
        "meals.get_count",
        description="备餐统计,默认最新一版 / A kitchen count, the latest by default.",
    )
    async def kitchen_count(
        self,
        info: Info,
        canteen_id: strawberry.ID,
        date: date,
        period: Period,
        version: int | None = None,
    ) -> KitchenCount:
        context, canteen = info.context, ids.to_canteen(canteen_id, path=("canteenId",))
        count = await context.get(Kitchen).get_count(
            context.principal, canteen, date, period, version=version, now=context.now
        )
        return KitchenCount.of(count)


@strawberry.type
class Mutation:
    @mutation(
        "meals.issue_count",
        refuses=(NotFound, errors.MenuNotPublished, errors.MealBusy, errors.StillOpen),
        description="截单并统计 / Close a meal, then count it; nobody is dropped.",
    )
    async def issue_kitchen_count(
        self, info: Info, input: IssueKitchenCountInput
    ) -> IssueKitchenCountPayload:
        use_case = info.context.get(Kitchen).issue_count
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        job = MealsJob.of(done.value, info.context.language)
        return IssueKitchenCountPayload(job=job, replayed=done.replayed)

    @mutation(
        "meals.collect_order",
        refuses=(
            NotFound,
            errors.CodeOfAnotherDay,
            errors.CodeOfAnotherCanteen,
            errors.AlreadyCancelled,
            errors.AlreadyCollected,
        ),
        description="取餐 / Hand a meal out by its code; a second scan is told of the first.",
    )
    async def collect_meal_order(
        self, info: Info, input: CollectMealOrderInput
    ) -> CollectMealOrderPayload:
        use_case = info.context.get(MealOrders).collect_order
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return CollectMealOrderPayload(order=MealOrder.of(done.value), replayed=done.replayed)
