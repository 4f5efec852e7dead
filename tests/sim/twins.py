"""The system with one bug each: what the simulation must find, or it proves nothing."""

from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from courtside.kernel.actor import system
from courtside.kernel.ids import short_id
from courtside.kernel.jobs import child_command
from courtside.kernel.journal import Command, Result, entry
from courtside.kernel.ledger import Movement
from courtside.modules.meals.consumers import Consumers
from courtside.modules.meals.contracts.orders import wallet_account
from courtside.modules.meals.rules import kitchen
from courtside.modules.meals.service import works
from courtside.modules.meals.store import orders as order_store
from courtside.platform.dynamo import transaction
from courtside.platform.dynamo.values import Check, Op, Write
from courtside.platform.relay import Relay, delivered_mark


@contextmanager
def forgets_the_floor():
    """An account's bound is no condition of the write: it was checked when it was read."""
    unbounded = patch.object(transaction, "_bounds", lambda total, guard: (Check("pk", Op.EXISTS),))
    with unbounded:
        yield


@contextmanager
def forgets_the_cut_off():
    """An order's lines are written whatever their state and bound."""
    with patch.object(order_store, "_KEPT", dict.fromkeys(order_store._KEPT, ())):
        yield


@contextmanager
def writes_over_versions():
    """An order is put without looking at the version that it replaces."""

    def put(record, *, by):
        return Write(table=record.table, key=record.key, put=record.serialize(), by=by)

    with patch.object(order_store, "replace", put):
        yield


@contextmanager
def refunds_each_delivery():
    """A consumer that gives a leaver's money back whenever the fact comes, under a new key."""
    right, paid = Consumers.person_left, {}

    async def wrong(self, delivered, now):
        diner = str(delivered.fact.state["person"])
        if delivered.id in paid:
            await _pay(self._orders._orders, delivered.court, diner, paid[delivered.id], now=now)
        ahead = await self._orders.list_orders_ahead(
            system(delivered.court, "meals"), diner, now=now
        )
        await right(self, delivered, now)
        paid[delivered.id] = sum(order.wallet_fen for order in ahead)

    with patch.object(Consumers, "person_left", wrong):
        yield


async def _pay(store, court, diner, fen, *, now):
    if not fen:
        return
    moved = Movement(account=wallet_account(diner), available=fen, counter="MEALS")
    command = Command(
        principal=system(court, "meals"), operation="meals.refund", key=short_id(), request=fen
    )
    result = Result(kind="Wallet", id=diner)
    told = store._database.transaction(entry(command, now=now, result=result, movements=(moved,)))
    told.move({})
    await told.commit()


@contextmanager
def counts_before_it_closes():
    """The kitchen's count is taken when the job begins; the lines close after it."""
    right, early = kitchen.counted, {}

    async def begin(self, job, n, *, now):
        meal = works._meal(job)
        menu = await self._load(job, meal)
        orders = await self._orders.list_orders(job.court, meal.date, meal.period)
        lines = [line for line in menu.lines if line.period is meal.period]
        count = right(menu.day, meal.period, lines, orders, now=now)
        early[meal.canteen, meal.date, meal.period] = count
        told = entry(child_command(job, n), now=now, result=works.job_result(job))
        await self._menus.close_lines([], job, told)

    def counted(day, period, lines, orders, *, now):
        count = right(day, period, lines, orders, now=now)
        before = early.get((day.canteen, day.date, period), count)
        return replace(before, version=count.version)

    with (
        patch.object(works.Closing, "run_child", begin),
        patch.object(kitchen, "counted", counted),
    ):
        yield


@contextmanager
def marks_before_it_delivers():
    """The relay writes its delivered mark first: what fails afterwards is never looked for."""
    right = Relay._each

    async def wrong(self, batch, make, send, size):
        if make == self._facts:
            await right(self, batch, lambda e: [delivered_mark(e)], self._put, size)
        await right(self, batch, make, send, size)

    with patch.object(Relay, "_each", wrong):
        yield


@contextmanager
def forgets_the_guard():
    """The journal's entry is put over an earlier one of the same command."""
    right = transaction.Transaction._writes

    def wrong(self, now):
        own, *others = right(self, now)
        return [replace(own, checks=()), *others]

    with patch.object(transaction.Transaction, "_writes", wrong):
        yield


# Each twin with words of what the simulation must say of it.
TWINS = {
    forgets_the_floor: "fell to -",
    forgets_the_cut_off: "was too late",
    writes_over_versions: "versions of C310 MealOrder:",
    refunds_each_delivery: "MEALS#WALLET#",
    counts_before_it_closes: "count 0001 of",
    marks_before_it_delivers: "reached nobody",
    forgets_the_guard: "the journal says None",
}
