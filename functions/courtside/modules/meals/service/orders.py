"""Placing, changing, cancelling and collecting orders."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from courtside.kernel.actor import Actor, Actors, PersonStatus, Principal, permit
from courtside.kernel.errors import InvalidInput, NotFound, NotPermitted, Text
from courtside.kernel.ids import short_id
from courtside.kernel.journal import (
    Change,
    Command,
    Done,
    Entry,
    Event,
    Fact,
    Journal,
    Recorded,
    Result,
    entry,
)
from courtside.kernel.usecase import decides_again, permit_replay
from courtside.kernel.workdays import business_day
from courtside.modules.meals import errors, events
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.orders import (
    Bound,
    CancelMealOrder,
    ChangeMealOrder,
    CollectMealOrder,
    Decided,
    MealOrder,
    OrderFacts,
    OrderKey,
    OrderState,
    PlaceMealOrder,
)
from courtside.modules.meals.ports import CanteenStore, MenuStore, OrderStore
from courtside.modules.meals.rules import PERMITS, kitchen
from courtside.modules.meals.rules import orders as rules

MOST_DAYS = 24  # of a list of orders: four meals a day still fit one batch get
FUTURE_DAYS = 31  # how far ahead a person who leaves may have ordered
PERIODS = tuple(Period)
_RANGE = Text(
    zh=f"日期须按先后,最多 {MOST_DAYS} 天", en=f"dates in order, at most {MOST_DAYS} days"
)


class MealOrders:
    """Orders of meals: one live order for a diner, date and meal."""

    def __init__(
        self,
        orders: OrderStore,
        *,
        menus: MenuStore,
        canteens: CanteenStore,
        journal: Journal,
        actors: Actors,
    ) -> None:
        self._orders = orders
        self._menus = menus
        self._canteens = canteens
        self._journal = journal
        self._actors = actors

    @decides_again
    async def place_order(
        self, principal: Principal, request: PlaceMealOrder, *, key: str, now: datetime
    ) -> Done[MealOrder]:
        """Order a meal for oneself, or as a clerk for somebody of the same unit.

        Subsidy pays first, the wallet the rest. Refusals: MenuNotPublished, AlreadyOrdered,
        NotFound, OrderWindowClosed, SoldOut with alternatives, InsufficientFunds.
        """
        diner = request.diner or principal.person
        order = OrderKey(request.date, request.period, diner)
        command = Command(
            principal=principal, operation="meals.place_order", key=key, request=request
        )
        recorded, actor, other, facts = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._other(principal, diner),
            self._orders.load_order(principal.court, order, request.canteen, request.lines),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        _permit(actor, other, command.operation, now=now)
        try:
            decided = rules.place_order(
                request,
                facts,
                key=order,
                placed_by=principal.person,
                new_code=short_id(kitchen.CODE_LENGTH),
                now=now,
            )
            raced = await self._save(command, decided, actor, other, now=now)
        except errors.SoldOut as refusal:
            raise await self._with_alternatives(principal, order, facts, refusal) from None
        if raced is not None:
            return await self._replayed(actor, raced, now=now)
        return Done(value=decided.order)

    @decides_again
    async def change_order(
        self, principal: Principal, request: ChangeMealOrder, *, key: str, now: datetime
    ) -> Done[MealOrder]:
        """Take other dishes of the same canteen; only the difference moves.

        Refusals: as for placing, ChangeWindowClosed, AlreadyCancelled, AlreadyCollected,
        VersionConflict.
        """
        order = request.order
        command = Command(
            principal=principal, operation="meals.change_order", key=key, request=request
        )
        recorded, actor, other, facts = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._other(principal, order.diner),
            self._orders.load_order(principal.court, order, request.canteen, request.lines),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        _permit(actor, other, command.operation, now=now)
        try:
            decided = rules.change_order(request, facts, now=now)
            raced = await self._save(command, decided, actor, other, now=now)
        except errors.SoldOut as refusal:
            raise await self._with_alternatives(principal, order, facts, refusal) from None
        if raced is not None:
            return await self._replayed(actor, raced, now=now)
        return Done(value=decided.order)

    @decides_again
    async def cancel_order(
        self, principal: Principal, request: CancelMealOrder, *, key: str, now: datetime
    ) -> Done[MealOrder]:
        """Cancel an order; portions go back, and money to where it came from.

        Refusals: NotFound, CancelWindowClosed, AlreadyCancelled, AlreadyCollected,
        VersionConflict.
        """
        command = Command(
            principal=principal, operation="meals.cancel_order", key=key, request=request
        )
        recorded, actor, other, order = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._other(principal, request.order.diner),
            self._orders.find_order(principal.court, request.order),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        _permit(actor, other, command.operation, now=now)
        decided = rules.cancel_order(order, expected_version=request.expected_version)
        raced = await self._save(command, decided, actor, other, now=now)
        if raced is not None:
            return await self._replayed(actor, raced, now=now)
        return Done(value=decided.order)

    @decides_again
    async def cancel_for_leaver(
        self, principal: Principal, order_key: OrderKey, *, key: str, now: datetime
    ) -> None:
        """Cancel an order of somebody who left, also after its cut-off, until its meal is closed;
        one that is cooked already is kept, and told of. Nothing happens without an order, or when
        its serving has ended: whether that meal was eaten, nobody knows.
        """
        command = Command(
            principal=principal,
            operation="meals.cancel_for_leaver",
            key=key,
            request=CancelMealOrder(order=order_key),
        )
        recorded, actor, order = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._orders.find_order(principal.court, order_key),
        )
        permit(actor, PERMITS, command.operation, now=now)
        if recorded is not None or order is None:
            return
        days = await self._menus.find_days(principal.court, order.canteen, [order_key.date])
        if not rules.is_ahead(order, days[0] if days else None, now=now):
            return
        decided = rules.cancel_order(order, bound=Bound.NONE)
        try:
            await self._orders.save_order(decided, _entry(command, decided, now=now))
        except errors.CancelWindowClosed:
            await self._keep(command, order, now=now)

    async def cancel_if_left(
        self, principal: Principal, order_key: OrderKey, *, key: str, now: datetime
    ) -> None:
        """Cancel an order whose diner has left: it was on its way while the leaving was recorded,
        and came in after the leaver's orders had been cancelled."""
        asked = Principal(court=principal.court, person=order_key.diner, client="")
        actor, diner = await gather(
            self._actors.get_actor(principal), self._actors.get_actor(asked)
        )
        permit(actor, PERMITS, "meals.cancel_for_leaver", now=now)
        if diner.status is PersonStatus.LEFT:
            await self.cancel_for_leaver(principal, order_key, key=key, now=now)

    @decides_again
    async def collect_order(
        self, principal: Principal, request: CollectMealOrder, *, key: str, now: datetime
    ) -> Done[MealOrder]:
        """Hand a meal out at a window by its code, typed or scanned.

        Refusals: NotFound, CodeOfAnotherDay, CodeOfAnotherCanteen, AlreadyCancelled,
        AlreadyCollected (when and where the first was).
        """
        code = kitchen.normalise_code(request.code)
        request = replace(request, code=code)
        command = Command(
            principal=principal, operation="meals.collect_order", key=key, request=request
        )
        recorded, actor, canteen, keys = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._canteens.find_canteen(principal.court, request.canteen),
            self._orders.find_by_code(principal.court, code),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        found = await gather(*(self._orders.find_order(principal.court, k) for k in keys))
        order = kitchen.likeliest([o for o in found if o is not None], request, now=now)
        taken = kitchen.collect(request, order, canteen=canteen, by=principal.person, now=now)
        event = events.MealOrderCollected(
            aggregate=taken.aggregate,
            version=taken.version,
            canteen=taken.canteen,
            window=request.window,
        )
        raced = await self._orders.save_collected(taken, _told(command, taken, event, now=now))
        if raced is not None:
            return await self._replayed(actor, raced, now=now)
        return Done(value=taken)

    async def list_my_orders(
        self, principal: Principal, *, from_on: date, to_on: date, now: datetime
    ) -> Sequence[MealOrder]:
        """One's own orders of those dates in their order. Refusals: InvalidInput for dates that are
        not in order, or more than 24 days."""
        days = (to_on - from_on).days + 1
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInput(field="to", reason=_RANGE, path=("to",))
        keys = order_keys(principal.person, from_on, days)
        actor, orders = await gather(
            self._actors.get_actor(principal),
            self._orders.find_orders(principal.court, keys, decide=False),
        )
        permit(actor, PERMITS, "meals.list_my_orders", now=now)
        return orders

    async def list_orders_ahead(
        self, principal: Principal, diner: str, *, now: datetime
    ) -> list[MealOrder]:
        """The orders of a diner from today on that are neither cancelled nor handed out; for the
        system's own use."""
        keys = order_keys(diner, business_day(now), FUTURE_DAYS + 1)
        actor, found = await gather(
            self._actors.get_actor(principal),
            self._orders.find_orders(principal.court, keys, decide=True),
        )
        permit(actor, PERMITS, "meals.list_orders_ahead", now=now)
        return [order for order in found if order.state is OrderState.PLACED]

    async def _save(
        self,
        command: Command,
        decided: Decided,
        actor: Actor,
        other: Actor | None,
        *,
        now: datetime,
    ) -> Recorded | None:
        """Another's money moves only while the clerk's grants are those that were read."""
        told = _entry(command, decided, now=now)
        acting = None if other is None else actor
        return await self._orders.save_order(decided, told, acting=acting)

    async def _other(self, principal: Principal, diner: str) -> Actor | None:
        """The diner's actor when somebody acts for another."""
        if diner == principal.person:
            return None
        return await self._actors.get_actor(replace(principal, person=diner))

    async def _replayed(
        self, actor: Actor, recorded: Recorded, *, now: datetime
    ) -> Done[MealOrder]:
        """The order as it is now: to its diner and the diner's unit, and to those who count meals
        and hand them out."""
        key = OrderKey.parse(recorded.result.id)
        order, other = await gather(
            self._orders.find_order(actor.court, key), self._other(actor.principal, key.diner)
        )
        own = other is None or (other.unit is not None and other.unit == actor.unit)
        permit_replay(actor, PERMITS, "meals.list_my_orders" if own else "meals.get_count", now=now)
        if order is None:
            raise NotFound(kind=errors.ORDER)
        return Done(value=order, replayed=True, outcome=recorded.result.outcome)

    async def _keep(self, command: Command, order: MealOrder, *, now: datetime) -> None:
        event = events.MealOrderKept(
            aggregate=order.aggregate, version=order.version + 1, canteen=order.canteen
        )
        kept = replace(order, version=order.version + 1)
        await self._orders.save_collected(kept, _told(command, kept, event, now=now))

    async def _with_alternatives(
        self, principal: Principal, key: OrderKey, facts: OrderFacts, refusal: errors.SoldOut
    ) -> errors.SoldOut:
        """The refusal with what else is to be had of the meal: one query, only when refused."""
        if facts.day is None:
            return refusal
        menu = await self._menus.load_menu(
            principal.court, facts.day.canteen, key.date, decide=False
        )
        meal = [line for line in menu.lines if line.period is key.period]
        found = rules.alternatives(meal, to=refusal.dish, published=facts.day.published)
        return errors.SoldOut(
            canteen=refusal.canteen,
            dish=refusal.dish,
            name=refusal.name,
            left=refusal.left,
            alternatives=found,
            path=refusal.path,
        )


def order_keys(diner: str, from_on: date, days: int) -> list[OrderKey]:
    """Every order that a diner can have from a date on."""
    dates = (from_on + timedelta(days=n) for n in range(days))
    return [OrderKey(day, period, diner) for day in dates for period in PERIODS]


def _permit(actor: Actor, other: Actor | None, operation: str, *, now: datetime) -> None:
    """Own orders as a diner; another's as a clerk of the same unit, while that diner is here."""
    permit(actor, PERMITS, operation, now=now)
    if other is None:
        return
    permit(actor, PERMITS, f"{operation}_for", now=now, unit=other.unit)
    if other.unit is None or other.unit != actor.unit:
        raise NotPermitted(operation=f"{operation}_for")
    if other.status is PersonStatus.LEFT:
        raise NotFound(kind=errors.DINER)


def _entry(command: Command, decided: Decided, *, now: datetime) -> Entry:
    order = decided.order
    diner = order.key.diner
    return entry(
        command,
        now=now,
        result=Result(kind="MealOrder", id=str(order.key), version=order.version),
        changes=(Change.of(order),),
        movements=decided.movements,
        facts=(Fact.of(decided.event),),
        on_behalf_of=None if diner == command.principal.person else diner,
    )


def _told(command: Command, order: MealOrder, event: Event, *, now: datetime) -> Entry:
    return entry(
        command,
        now=now,
        result=Result(kind="MealOrder", id=str(order.key), version=order.version),
        changes=(Change.of(order),),
        facts=(Fact.of(event),),
    )
