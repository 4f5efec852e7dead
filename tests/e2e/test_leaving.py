"""Somebody leaves the court: what was ordered ahead is cancelled and paid back, through the whole
path from the journal's stream to the meals module, with every batch doubled and shuffled."""

from datetime import timedelta

import pytest

from courtside.kernel.workdays import business_day
from courtside.modules.meals.store.orders import OrderStore
from courtside.platform.dynamo.journal import from_item
from courtside.platform.reconcile import Reconciler
from testkit.factories.meals import MONDAY, PORK, RICE, a_canteen, order_key
from testkit.facts import facts

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


@pytest.fixture
async def canteen(court):
    """Three days of lunch, 15 yuan of subsidy each."""
    found = await a_canteen(court)
    await found.grants_subsidy(1500)
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        await found.serves({PORK: 10, RICE: 20}, on=day)
    return found


async def a_diner_with_three_lunches(canteen):
    diner = await canteen.court.somebody()
    await canteen.tops_up(diner, 5000)
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        await canteen.has_order(diner, {PORK: 1, RICE: 5}, on=day)
    return diner


def states(app) -> dict[tuple[str, str], str]:
    """The state of each order by diner and date."""
    return {
        (item["sk"]["S"], item["pk"]["S"].split("#")[3]): item["st"]["S"]
        for item in app.engine.items("records")
        if "#MEALS#ORDERS#" in item["pk"]["S"]
    }


class TestPersonLeaves:
    async def test_future_orders_are_cancelled_and_refunded(self, app, canteen):
        leaver = await a_diner_with_three_lunches(canteen)
        other = await a_diner_with_three_lunches(canteen)
        await canteen.counts(MONDAY)  # Monday's lunch is being cooked

        await canteen.court.leaves(leaver)
        await app.settle()

        shown = states(app)
        assert [shown[leaver.person, day.isoformat()] for day in (TUESDAY, WEDNESDAY)] == [
            "CANCELLED",
            "CANCELLED",
        ]
        assert shown[leaver.person, MONDAY.isoformat()] == "PLACED"
        assert {shown[other.person, d.isoformat()] for d in (MONDAY, TUESDAY, WEDNESDAY)} == {
            "PLACED"
        }
        assert await canteen.wallet(leaver) == 5000 - 200  # Monday's part beyond the subsidy
        assert await canteen.subsidy(leaver, TUESDAY) == 1500
        assert await canteen.wallet(other) == 5000 - 3 * 200
        assert await canteen.left(PORK, on=TUESDAY) == 9
        assert await canteen.left(RICE, on=WEDNESDAY) == 15

    async def test_each_order_is_cancelled_once_and_the_cooked_one_is_told_of(self, app, canteen):
        leaver = await a_diner_with_three_lunches(canteen)
        await canteen.counts(MONDAY)

        await canteen.court.leaves(leaver)
        await app.settle()

        cancelled = facts(app.engine, "meals.order_cancelled.v1")
        kept = facts(app.engine, "meals.order_kept.v1")
        entries = [from_item(item) for item in app.engine.items("journal")]
        causes = [e for e in entries if e.principal.person == "system:meals" and e.depth > 0]
        assert sorted(fact.aggregate for fact in cancelled) == sorted(
            f"MealOrder:{order_key(leaver, day).date.isoformat()}#LUNCH#{leaver.person}"
            for day in (TUESDAY, WEDNESDAY)
        )
        assert len(kept) == 1
        assert {e.depth for e in causes if e.operation == "meals.cancel_for_leaver"} == {1}
        assert app.queues.dead_letters("events") == []

    async def test_the_books_are_right_afterwards(self, app, canteen):
        leaver = await a_diner_with_three_lunches(canteen)
        since = business_day(app.clock.now())
        await canteen.court.leaves(leaver)
        await app.settle()
        app.clock.advance(hours=1)

        report = await Reconciler(app.app.database, clock=app.clock, signals=app.signals).reconcile(
            canteen.court.code, since=since
        )

        assert report.findings == ()
        assert report.pending == 0
        assert report.accounts >= 10

    async def test_nothing_more_happens_when_all_of_it_is_delivered_again(self, app, canteen):
        leaver = await a_diner_with_three_lunches(canteen)
        await canteen.court.leaves(leaver)
        await app.settle()
        before = app.engine.dump()

        app.pump.rewind()
        await app.settle()

        assert app.engine.dump() == before

    async def test_an_order_that_comes_in_after_the_leaving_is_cancelled_too(
        self, app, canteen, monkeypatch
    ):
        """It had read its actor before, and commits when the leaver's orders are cancelled."""
        leaver = await canteen.court.somebody()
        await canteen.tops_up(leaver, 5000)
        right = OrderStore.save_order

        async def late(store, decided, entry, **more):
            if entry.command.operation == "meals.place_order":
                await canteen.court.leaves(leaver)
                await app.settle()
            return await right(store, decided, entry, **more)

        monkeypatch.setattr(OrderStore, "save_order", late)
        order = await canteen.has_order(leaver, {PORK: 1, RICE: 5}, on=TUESDAY)
        placed = states(app)
        await app.settle()

        assert order.is_live
        assert placed == {(leaver.person, TUESDAY.isoformat()): "PLACED"}
        assert states(app) == {(leaver.person, TUESDAY.isoformat()): "CANCELLED"}
        assert await canteen.wallet(leaver) == 5000
        assert await canteen.left(PORK, on=TUESDAY) == 10
