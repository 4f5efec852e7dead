"""Orders, subsidies and wallets as stored, and the one transaction of an order."""

import json
from collections.abc import Sequence
from datetime import date
from functools import partial

from courtside.kernel.actor import Actor
from courtside.kernel.jobs import Job
from courtside.kernel.journal import Entry, Recorded
from courtside.kernel.ledger import Account, AccountId, Movement, Unit
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.menus import LineState, menu_partition
from courtside.modules.meals.contracts.orders import (
    Bound,
    Decided,
    MealOrder,
    OrderFacts,
    OrderKey,
    OrderLine,
    OrderState,
    Wanted,
    subsidy_account,
    wallet_account,
)
from courtside.modules.meals.rules.orders import explain
from courtside.modules.meals.store.items import DAY, AccountItem, DayItem, LineItem, OrderItem
from courtside.modules.meals.store.menus import line_sort, to_day, to_line
from courtside.platform import jobs
from courtside.platform.dynamo.database import Database, load, replace
from courtside.platform.dynamo.grants import still_granted
from courtside.platform.dynamo.transaction import Guard
from courtside.platform.dynamo.values import NOW, Check, Item, Op, from_instant, instant

_TAKES = Check("st", Op.EQ, LineState.OPEN.value)
_GIVES_BACK = Check("st", Op.NE, LineState.CLOSED.value)
_KEPT = {
    Bound.ORDER: (Check("ob", Op.GT, NOW),),
    Bound.CHANGE: (Check("cb", Op.GT, NOW),),
    Bound.CANCEL: (Check("xb", Op.GT, NOW),),
    Bound.NONE: (),
}


class OrderStore:
    """Orders and the personal accounts that pay for them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_order(
        self, court: str, key: OrderKey, canteen: str, wanted: Sequence[Wanted]
    ) -> OrderFacts:
        menu = menu_partition(canteen, key.date)
        granted = subsidy_account(key.diner, key.date, key.period, canteen=canteen)
        owned = wallet_account(key.diner)
        day, order, subsidy, wallet, *lines = await self._database.of(court).get_mixed(
            [
                (DayItem, menu, DAY),
                (OrderItem, key.partition, key.diner),
                (AccountItem, *granted),
                (AccountItem, *owned),
                *((LineItem, menu, line_sort(key.period, want.dish)) for want in wanted),
            ]
        )
        return OrderFacts(
            day=None if day is None else to_day(day),
            lines={w.dish: to_line(x) for w, x in zip(wanted, lines, strict=True) if x is not None},
            order=None if order is None else _order(order),
            subsidy=None if subsidy is None else _account(granted, subsidy),
            wallet=None if wallet is None else _account(owned, wallet),
        )

    async def find_order(self, court: str, key: OrderKey) -> MealOrder | None:
        item = await self._database.of(court).get(OrderItem, key.partition, key.diner)
        return None if item is None else _order(item)

    async def find_orders(
        self, court: str, keys: Sequence[OrderKey], *, decide: bool
    ) -> list[MealOrder]:
        wanted = [(key.partition, key.diner) for key in keys]
        items = await self._database.of(court).get_many(OrderItem, wanted, consistent=decide)
        return [_order(item) for item in items if item is not None]

    async def list_orders(self, court: str, day: date, period: Period) -> list[MealOrder]:
        partition = OrderKey(day, period, "").partition
        items = await self._database.of(court).query(OrderItem, partition, consistent=True)
        return [_order(item) for item in items]

    async def find_by_code(self, court: str, code: str) -> list[OrderKey]:
        partition = f"MEALS#CODE#{code}"
        items = await self._database.of(court).query(OrderItem, partition, index="gsi1")
        return [_key(item) for item in items]

    async def find_balances(
        self, court: str, accounts: Sequence[AccountId]
    ) -> list[Account | None]:
        keys = [(account.partition, account.sort) for account in accounts]
        items = await self._database.of(court).get_many(AccountItem, keys)
        return [
            None if item is None else _account(account, item)
            for account, item in zip(accounts, items, strict=True)
        ]

    async def save_order(
        self, decided: Decided, entry: Entry, *, acting: Actor | None = None
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        for check in still_granted(acting) if acting is not None else ():
            transaction.add(check)
        item = _order_item(entry.command.court, decided.order)
        transaction.add(replace(item, by="meal order"))
        menu = menu_partition(decided.order.canteen, decided.order.key.date)
        lines = [m for m in entry.movements if m.account.partition == menu]
        transaction.move({m.account: self._guard(m, decided) for m in lines})
        return await transaction.commit()

    async def save_collected(self, order: MealOrder, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        transaction.add(replace(_order_item(entry.command.court, order), by="meal order"))
        return await transaction.commit()

    async def save_top_ups(self, job: Job, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        transaction.move({})
        transaction.add(jobs.step(job))
        return await transaction.commit()

    def _guard(self, movement: Movement, decided: Decided) -> Guard:
        amount = movement.available
        state = _TAKES if amount < 0 else _GIVES_BACK
        checks = (state, *_KEPT[decided.bound])
        return Guard(checks=checks, explain=partial(self._explain, decided, amount))

    def _explain(self, decided: Decided, amount: int, item: Item | None) -> Exception:
        line = None if item is None else to_line(load(LineItem, item))
        return explain(line, amount, decided, now=self._database.clock.now())


def _order_item(court: str, order: MealOrder) -> OrderItem:
    lines = [[x.dish, x.name, x.quantity, x.price_fen] for x in order.lines]
    own = order.placed_by == order.key.diner
    return OrderItem(
        pk=f"{court}#{order.key.partition}",
        sk=order.key.diner,
        gsi1pk=f"{court}#MEALS#CODE#{order.code}",
        gsi1sk=order.key.date.isoformat(),
        version=order.version,
        state=order.state.value,
        canteen=order.canteen,
        lines=json.dumps(lines, ensure_ascii=False, separators=(",", ":")),
        subsidy=order.subsidy_fen,
        wallet=order.wallet_fen,
        code=order.code,
        placed_at=instant(order.placed_at),
        placed_by=None if own else order.placed_by,
        collected_at=None if order.collected_at is None else instant(order.collected_at),
        collected_by=order.collected_by,
        window=order.window,
    )


def _key(item: OrderItem) -> OrderKey:
    _, day, period = item.pk.rsplit("#", 2)
    return OrderKey(date.fromisoformat(day), Period(period), item.sk)


def _order(item: OrderItem) -> MealOrder:
    lines = (
        OrderLine(dish=dish, name=name, quantity=quantity, price_fen=price)
        for dish, name, quantity, price in json.loads(item.lines)
    )
    return MealOrder(
        key=_key(item),
        version=int(item.version),
        state=OrderState(item.state),
        canteen=item.canteen,
        lines=tuple(lines),
        subsidy_fen=int(item.subsidy),
        wallet_fen=int(item.wallet),
        code=item.code,
        placed_at=from_instant(item.placed_at),
        placed_by=item.placed_by or item.sk,
        collected_at=None if item.collected_at is None else from_instant(item.collected_at),
        collected_by=item.collected_by,
        window=item.window,
    )


def _account(account: AccountId, item: AccountItem) -> Account:
    return Account(id=account, unit=Unit.FEN, available=int(item.available), held=int(item.held))
