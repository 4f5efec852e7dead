"""The phone: what there is to eat, placing, changing and cancelling an order."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from courtside.kernel.errors import InvalidInput, NotFound, Refusal, Text, VersionConflict
from courtside.modules.meals import errors
from courtside.modules.meals.contracts import orders as contracts
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.orders import OrderState, Wanted
from courtside.modules.meals.gql import ids
from courtside.modules.meals.gql.canteens import Canteen
from courtside.modules.meals.gql.menus import DayMenu, to_day_menu
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.gql.commands import carry_out
from courtside.platform.gql.payloads import (
    Info,
    Payload,
    UserError,
    mutation,
    query,
)
from courtside.platform.gql.scalars import Yuan

strawberry.enum(OrderState, name="MealOrderState", description="订餐状态 / State of an order.")


@strawberry.type
class MealOrderLine:
    dish_id: strawberry.ID
    name: str
    quantity: int
    price: Yuan = strawberry.field(description="单价 / Price of one portion.")


@strawberry.type(description="一餐的订单 / What one diner takes of one meal of one day.")
class MealOrder:
    id: strawberry.ID
    version: int
    state: OrderState
    date: date
    period: Period
    canteen_id: strawberry.ID
    diner_id: strawberry.ID
    lines: list[MealOrderLine]
    total: Yuan
    subsidy: Yuan = strawberry.field(description="餐补支付 / Paid by the subsidy.")
    wallet: Yuan = strawberry.field(description="钱包支付 / Paid by the wallet.")
    code: str = strawberry.field(description="取餐码 / Pick-up code.")
    placed_at: datetime
    collected_at: datetime | None
    window: str | None

    @staticmethod
    def of(order: contracts.MealOrder) -> "MealOrder":
        canteen = order.canteen
        return MealOrder(
            id=ids.order_id(order.key),
            version=order.version,
            state=order.state,
            date=order.key.date,
            period=order.key.period,
            canteen_id=ids.canteen_id(canteen),
            diner_id=ids.person_id(order.key.diner),
            lines=[
                MealOrderLine(
                    dish_id=ids.dish_id(canteen, x.dish),
                    name=x.name,
                    quantity=x.quantity,
                    price=Yuan(x.price_fen),
                )
                for x in order.lines
            ],
            total=Yuan(order.total_fen),
            subsidy=Yuan(order.subsidy_fen),
            wallet=Yuan(order.wallet_fen),
            code=order.code,
            placed_at=order.placed_at,
            collected_at=order.collected_at,
            window=order.window,
        )


@strawberry.type(description="首页 / The first screen: what to eat, what is ordered, what is left.")
class MealsHome:
    server_now: datetime
    canteen: Canteen | None
    days: list[DayMenu] = strawberry.field(
        description="今天和下一个工作日 / Today and the next work day."
    )
    orders: list[MealOrder]
    wallet: Yuan


@strawberry.type(description="可改选的菜 / Another dish of the same meal that is to be had.")
class Alternative:
    dish_id: strawberry.ID
    name: str
    left: int
    price: Yuan


@strawberry.type(description="余量不足 / Less is left than was asked for.")
class SoldOut(UserError):
    dish_id: strawberry.ID
    name: str
    left: int
    alternatives: list[Alternative]

    @staticmethod
    def of(refusal: errors.SoldOut, **common: Any) -> "SoldOut":
        alternatives = [
            Alternative(
                dish_id=ids.dish_id(refusal.canteen, other.dish),
                name=other.name,
                left=other.left,
                price=Yuan(other.price_fen),
            )
            for other in refusal.alternatives
        ]
        return SoldOut(
            dish_id=ids.dish_id(refusal.canteen, refusal.dish),
            name=refusal.name,
            left=refusal.left,
            alternatives=alternatives,
            **common,
        )


@strawberry.type(description="已过订餐时间 / Ordering has closed.")
class OrderWindowClosed(UserError):
    closed_at: datetime

    @staticmethod
    def of(refusal: errors.OrderWindowClosed, **common: Any) -> "OrderWindowClosed":
        return OrderWindowClosed(closed_at=refusal.closed_at, **common)


@strawberry.type(description="已过改餐时间 / Changing has closed.")
class ChangeWindowClosed(UserError):
    closed_at: datetime

    @staticmethod
    def of(refusal: errors.ChangeWindowClosed, **common: Any) -> "ChangeWindowClosed":
        return ChangeWindowClosed(closed_at=refusal.closed_at, **common)


@strawberry.type(description="已过退餐时间 / Cancelling has closed.")
class CancelWindowClosed(UserError):
    closed_at: datetime

    @staticmethod
    def of(refusal: errors.CancelWindowClosed, **common: Any) -> "CancelWindowClosed":
        return CancelWindowClosed(closed_at=refusal.closed_at, **common)


@strawberry.type(description="余额不足 / Subsidy and wallet together do not pay for it.")
class InsufficientFunds(UserError):
    missing: Yuan
    available: Yuan

    @staticmethod
    def of(refusal: errors.InsufficientFunds, **common: Any) -> "InsufficientFunds":
        return InsufficientFunds(
            missing=Yuan(refusal.missing), available=Yuan(refusal.available), **common
        )


@strawberry.type(description="这一餐已订 / There is a live order for this meal: change it instead.")
class AlreadyOrdered(UserError):
    order_id: strawberry.ID
    pickup_code: str
    version: int

    @staticmethod
    def of(refusal: errors.AlreadyOrdered, **common: Any) -> "AlreadyOrdered":
        return AlreadyOrdered(
            order_id=ids.order_id(contracts.OrderKey.parse(refusal.order)),
            pickup_code=refusal.pickup_code,
            version=refusal.version,
            **common,
        )


ERROR_TYPES: dict[type[Refusal], type[Any]] = {
    errors.SoldOut: SoldOut,
    errors.OrderWindowClosed: OrderWindowClosed,
    errors.ChangeWindowClosed: ChangeWindowClosed,
    errors.CancelWindowClosed: CancelWindowClosed,
    errors.InsufficientFunds: InsufficientFunds,
    errors.AlreadyOrdered: AlreadyOrdered,
}


@strawberry.input
class MealOrderLineInput:
    dish_id: strawberry.ID
    quantity: int = 1


@strawberry.input
class PlaceMealOrderInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    date: date
    period: Period
    lines: list[MealOrderLineInput]
    diner_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="为同部门他人订餐(书记员) / For another of one's unit, as its clerk.",
    )

    def request(self) -> contracts.PlaceMealOrder:
        canteen = ids.to_canteen(self.canteen_id)
        return contracts.PlaceMealOrder(
            canteen=canteen,
            date=self.date,
            period=self.period,
            lines=_wanted(self.lines, canteen),
            diner=None if self.diner_id is None else ids.to_person(self.diner_id),
        )


@strawberry.input
class ChangeMealOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[MealOrderLineInput] = strawberry.field(
        description="改后的全部菜品 / Everything that shall be ordered afterwards."
    )
    expected_version: int | None = None

    def request(self) -> contracts.ChangeMealOrder:
        if not self.lines:
            reason = Text(zh="至少一种菜;不要了请退餐", en="at least one dish; or cancel the order")
            raise InvalidInput(field="lines", reason=reason)
        canteen, _ = ids.to_dish(self.lines[0].dish_id, path=("input", "lines", 0, "dishId"))
        return contracts.ChangeMealOrder(
            order=ids.to_order(self.order_id),
            canteen=canteen,
            lines=_wanted(self.lines, canteen),
            expected_version=self.expected_version,
        )


@strawberry.input
class CancelMealOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    expected_version: int | None = None

    def request(self) -> contracts.CancelMealOrder:
        return contracts.CancelMealOrder(
            order=ids.to_order(self.order_id), expected_version=self.expected_version
        )


@strawberry.type
class PlaceMealOrderPayload(Payload):
    order: MealOrder | None = None


@strawberry.type
class ChangeMealOrderPayload(Payload):
    order: MealOrder | None = None


@strawberry.type
class CancelMealOrderPayload(Payload):
    order: MealOrder | None = None


@strawberry.type
class Query:
    @query(
        "meals.get_home",
        description="首页;不指定食堂则按名称取第一个 / The first screen, of the first canteen.",
    )
    async def meals_home(self, info: Info, canteen_id: strawberry.ID | None = None) -> MealsHome:
        context = info.context
        wanted = None if canteen_id is None else ids.to_canteen(canteen_id, path=("canteenId",))
        home = await context.get(Homes).get_home(context.principal, wanted, now=context.now)
        return MealsHome(
            server_now=context.now,
            canteen=None if home.canteen is None else Canteen.of(home.canteen),
            days=[
                to_day_menu(day, now=context.now, subsidies=home.subsidies, lists_closed=False)
                for day in home.days
            ],
            orders=[MealOrder.of(order) for order in home.orders],
            wallet=Yuan(home.wallet_fen),
        )

    @query("meals.get_day_menu", description="某日菜单及剩余份数 / A day's menu with what is left.")
    async def day_menu(self, info: Info, canteen_id: strawberry.ID, date: date) -> DayMenu:
        context, canteen = info.context, ids.to_canteen(canteen_id, path=("canteenId",))
        day = await context.get(Homes).get_day_menu(
            context.principal, canteen, date, now=context.now
        )
        return to_day_menu(day.menu, now=context.now, subsidies=day.subsidies)

    @query(
        "meals.list_my_orders",
        description="我的订餐,最多 24 天 / One's own orders of at most 24 days.",
    )
    async def my_meal_orders(
        self, info: Info, from_: Annotated[date, strawberry.argument(name="from")], to: date
    ) -> list[MealOrder]:
        context = info.context
        found = await context.get(MealOrders).list_my_orders(
            context.principal, from_on=from_, to_on=to, now=context.now
        )
        return [MealOrder.of(order) for order in found]


@strawberry.type
class Mutation:
    @mutation(
        "meals.place_order",
        refuses=(
            NotFound,
            errors.MenuNotPublished,
            errors.AlreadyOrdered,
            errors.OrderWindowClosed,
            errors.SoldOut,
            errors.InsufficientFunds,
        ),
        description="订餐 / Order a meal; the subsidy pays first, the wallet the rest.",
    )
    async def place_meal_order(
        self, info: Info, input: PlaceMealOrderInput
    ) -> PlaceMealOrderPayload:
        use_case = info.context.get(MealOrders).place_order
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return PlaceMealOrderPayload(order=MealOrder.of(done.value), replayed=done.replayed)

    @mutation(
        "meals.change_order",
        refuses=(
            NotFound,
            VersionConflict,
            errors.MenuNotPublished,
            errors.AlreadyCancelled,
            errors.AlreadyCollected,
            errors.ChangeWindowClosed,
            errors.SoldOut,
            errors.InsufficientFunds,
        ),
        description="改餐 / Take other dishes; only the difference in portions and money moves.",
    )
    async def change_meal_order(
        self, info: Info, input: ChangeMealOrderInput
    ) -> ChangeMealOrderPayload:
        use_case = info.context.get(MealOrders).change_order
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return ChangeMealOrderPayload(order=MealOrder.of(done.value), replayed=done.replayed)

    @mutation(
        "meals.cancel_order",
        refuses=(
            NotFound,
            VersionConflict,
            errors.AlreadyCancelled,
            errors.AlreadyCollected,
            errors.CancelWindowClosed,
        ),
        description="退餐,原路退回 / Cancel; money goes back to where it came from.",
    )
    async def cancel_meal_order(
        self, info: Info, input: CancelMealOrderInput
    ) -> CancelMealOrderPayload:
        use_case = info.context.get(MealOrders).cancel_order
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return CancelMealOrderPayload(order=MealOrder.of(done.value), replayed=done.replayed)


def _wanted(lines: Sequence[MealOrderLineInput], canteen: str) -> tuple[Wanted, ...]:
    """Dishes of that one canteen."""
    wanted = []
    for n, line in enumerate(lines):
        path = ("input", "lines", n, "dishId")
        of, dish = ids.to_dish(line.dish_id, path=path)
        if of != canteen:
            reason = Text(zh="须为同一食堂的菜品", en="the dishes must be of one canteen")
            raise InvalidInput(field="dishId", reason=reason, path=path)
        wanted.append(Wanted(dish, line.quantity))
    return tuple(wanted)
