"""An order's life in any sequence: nothing is lost, made or given twice."""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from courtside.kernel.actor import Role
from courtside.kernel.errors import Refusal
from courtside.modules.meals.contracts.orders import (
    CancelMealOrder,
    ChangeMealOrder,
    CollectMealOrder,
)
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.dynamo.journal import from_item
from testkit.app import build_app
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP, a_canteen, order_key
from testkit.factories.people import a_court
from testkit.tokens import issuers

DINERS = 3
PLANNED = {PORK: 4, RICE: 9, SOUP: 3}
PURSE = 4000
SUBSIDY = 1500

diners = st.integers(0, DINERS - 1)
portions = st.dictionaries(
    st.sampled_from(sorted(PLANNED)), st.integers(1, 4), min_size=1, max_size=3
)


class AnOrdersLife(RuleBasedStateMachine):
    """D-09: cancelling, changing, collecting and closing in any order, twice, and too late."""

    def __init__(self):
        super().__init__()
        self.stack = ExitStack()
        self.runner = self.stack.enter_context(asyncio.Runner())
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.app = self.stack.enter_context(build_app(folder, issuers=issuers("C310", "C320")))
        self.keys = 0
        self.is_counted = False

    def teardown(self):
        self.stack.close()

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def attempt(self, use_case, who, request):
        """A use case, twice under its key; a refusal is fine, and it must leave no trace."""
        self.keys += 1
        key = f"life-{self.keys:05}"
        before = self.app.engine.dump()
        try:
            self.run(use_case(who, request, key=key, now=self.app.clock.now()))
        except Refusal:
            assert self.app.engine.dump() == before
        else:
            again = self.run(use_case(who, request, key=key, now=self.app.clock.now()))
            assert again.replayed

    @initialize()
    def begin(self):
        self.run(self._begin())

    async def _begin(self):
        court = await a_court(self.app)
        self.canteen = await a_canteen(court)
        await self.canteen.grants_subsidy(SUBSIDY, change_at="09:30")
        await self.canteen.serves(PLANNED)
        self.people = [await court.somebody() for _ in range(DINERS)]
        for person in self.people:
            await self.canteen.tops_up(person, PURSE)
        self.server = await court.somebody(Role.SERVING)
        self.orders = self.app.get(MealOrders)

    @rule(diner=diners, wanted=portions)
    def place(self, diner, wanted):
        self.attempt(self.orders.place_order, self.people[diner], self.canteen.wants(wanted))

    @rule(diner=diners, wanted=portions)
    def change(self, diner, wanted):
        request = ChangeMealOrder(
            order=order_key(self.people[diner]),
            canteen=self.canteen.id,
            lines=self.canteen.lines(wanted),
        )
        self.attempt(self.orders.change_order, self.people[diner], request)

    @rule(diner=diners)
    def cancel(self, diner):
        request = CancelMealOrder(order=order_key(self.people[diner]))
        self.attempt(self.orders.cancel_order, self.people[diner], request)

    @rule(diner=diners)
    def collect(self, diner):
        order = self.order_of(self.people[diner])
        code = order.code if order else "ABCDEFGH"
        request = CollectMealOrder(canteen=self.canteen.id, code=code, window="1号窗口")
        self.attempt(self.orders.collect_order, self.server, request)

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes):
        self.app.clock.advance(minutes=minutes)

    @precondition(lambda self: not self.is_counted)
    @rule()
    def count(self):
        self.is_counted = True
        count = self.run(self.canteen.counts())
        assert count.agrees
        assert len(count.diners) == sum(o.is_live for o in self.all_orders())

    @invariant()
    def nothing_is_lost_or_made(self):
        if not hasattr(self, "orders"):
            return
        live = [order for order in self.all_orders() if order.is_live]
        for name, planned in PLANNED.items():
            dish = self.canteen.dish(name)
            sold = sum(x.quantity for order in live for x in order.lines if x.dish == dish)
            assert self.run(self.canteen.left(name)) + sold == planned
        for person in self.people:
            order = self.order_of(person)
            paid = (order.subsidy_fen, order.wallet_fen) if order and order.is_live else (0, 0)
            subsidy = self.run(self.canteen.subsidy(person, MONDAY))
            assert (SUBSIDY if subsidy is None else subsidy) + paid[0] == SUBSIDY
            assert self.run(self.canteen.wallet(person)) + paid[1] == PURSE

    @invariant()
    def every_balance_is_the_sum_of_its_movements(self):
        sums: dict[tuple[str, str], int] = {}
        for item in self.app.engine.items("journal"):
            for moved in from_item(item).movements:
                amount = moved.available + (moved.opens or 0)
                sums[moved.account] = sums.get(moved.account, 0) + amount
        held = {
            (item["pk"]["S"].partition("#")[2], item["sk"]["S"]): int(item["available"]["N"])
            for item in self.app.engine.items("records")
            if "available" in item
        }
        assert sums == held

    def order_of(self, person):
        return self.run(self.app.get(MealOrders)._orders.find_order("C310", order_key(person)))

    def all_orders(self):
        found = [self.order_of(person) for person in self.people]
        return [order for order in found if order is not None]


class _LongLife(AnOrdersLife):
    pass


_QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}

TestAnOrdersLife = AnOrdersLife.TestCase
TestAnOrdersLife.settings = settings(max_examples=25, stateful_step_count=25, **_QUIET)

# The catalogue's 20,000 steps.
TestManyLives = pytest.mark.nightly(_LongLife.TestCase)
TestManyLives.settings = settings(max_examples=400, stateful_step_count=50, **_QUIET)
