"""Lost answers, duplicates, conflicts, clocks that differ: one effect each, never one too many."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta

import pytest

from courtside import bootstrap
from courtside.kernel.actor import Role
from courtside.kernel.errors import Refusal
from courtside.kernel.workdays import CLOCK_SKEW, local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import (
    AddCanteen,
    AddDish,
    Period,
    SetDishAllergens,
    SetMealPeriod,
)
from courtside.modules.meals.contracts.kitchen import IssueKitchenCount
from courtside.modules.meals.contracts.menus import MoveCutOff, PublishMenu
from courtside.modules.meals.contracts.orders import (
    CancelMealOrder,
    ChangeMealOrder,
    CollectMealOrder,
)
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.dynamo.engine import Unanswered
from courtside.platform.dynamo.values import Key, Write
from testkit.engine import Faults
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP

CLOSES = local_instant(MONDAY, time(9, 30))
TOMORROW = MONDAY + timedelta(days=1)
MUTATIONS = [
    "add_canteen",
    "set_meal_period",
    "add_dish",
    "set_dish_allergens",
    "publish_menu",
    "move_cut_off",
    "issue_count",
    "place_order",
    "change_order",
    "cancel_order",
    "collect_order",
]


class LosesAnAnswer:
    """The engine does what it is asked, and the first answer is lost on its way back."""

    def __init__(self, engine, monkeypatch):
        self._transact = engine.transact
        self.lost = 0
        monkeypatch.setattr(engine, "transact", self.transact)

    async def transact(self, writes):
        await self._transact(writes)
        if not self.lost:
            self.lost += 1
            raise Unanswered("lost")


class Lunch:
    """A canteen in the middle of its morning, and each mutation of meals as a call."""

    def __init__(self, canteen):
        self.canteen = canteen
        self.app = canteen.court.app

    async def begin(self):
        canteen = self.canteen
        await canteen.grants_subsidy(1500, change_at="09:30")
        await canteen.serves({PORK: 10, RICE: 20})
        await canteen.knows_dish(SOUP, allergens=None)
        await canteen.drafts({PORK: 5}, on=TOMORROW)
        self.manager = await canteen.court.somebody(Role.LOGISTICS_MANAGER)
        self.server = await canteen.court.somebody(Role.SERVING)
        self.hungry = await canteen.court.somebody()
        self.diner = await canteen.court.somebody()
        self.order = await canteen.has_order(self.diner, {PORK: 1})
        canteens = self.app.get(Canteens)
        periods = await canteens.list_periods(self.manager, canteen.id, now=canteen.now)
        self.lunch = next(p for p in periods if p.period is Period.LUNCH)

    def call(self, name, *, key):
        """A new attempt at the same asking."""
        who, service, request = getattr(self, name)()
        return getattr(self.app.get(service), name)(who, request, key=key, now=self.canteen.now)

    def add_canteen(self):
        return self.manager, Canteens, AddCanteen(name="二食堂", site="", windows=("一号",))

    def set_meal_period(self):
        before = self.lunch
        request = SetMealPeriod(
            canteen=before.canteen,
            period=before.period,
            serve_from=before.serve_from,
            serve_to=before.serve_to,
            order=before.order,
            change=before.change,
            cancel=before.cancel,
            subsidy_fen=900,
            expected_version=before.version,
        )
        return self.manager, Canteens, request

    def add_dish(self):
        request = AddDish(
            canteen=self.canteen.id, name="辣子鸡", category="", price_fen=1800, allergens=()
        )
        return self.canteen.cook, Canteens, request

    def set_dish_allergens(self):
        request = SetDishAllergens(
            canteen=self.canteen.id,
            dish=self.canteen.dish(SOUP),
            allergens=(),
            expected_version=1,
        )
        return self.canteen.cook, Canteens, request

    def publish_menu(self):
        request = PublishMenu(canteen=self.canteen.id, from_on=TOMORROW, to_on=TOMORROW)
        return self.canteen.cook, Menus, request

    def move_cut_off(self):
        until = CLOSES + timedelta(hours=1)
        request = MoveCutOff(
            canteen=self.canteen.id,
            date=MONDAY,
            period=Period.LUNCH,
            order_by=until,
            change_by=until,
            cancel_by=until,
        )
        return self.canteen.cook, Menus, request

    def issue_count(self):
        request = IssueKitchenCount(
            canteen=self.canteen.id, date=MONDAY, period=Period.LUNCH, early=True
        )
        return self.canteen.cook, Kitchen, request

    def place_order(self):
        return self.hungry, MealOrders, self.canteen.wants({PORK: 1, RICE: 1})

    def change_order(self):
        request = ChangeMealOrder(
            order=self.order.key, canteen=self.canteen.id, lines=self.canteen.lines({RICE: 2})
        )
        return self.diner, MealOrders, request

    def cancel_order(self):
        return self.diner, MealOrders, CancelMealOrder(order=self.order.key)

    def collect_order(self):
        request = CollectMealOrder(canteen=self.canteen.id, code=self.order.code, window="1号窗口")
        return self.server, MealOrders, request


@pytest.fixture
async def lunch(canteen) -> Lunch:
    made = Lunch(canteen)
    await made.begin()
    return made


def entries(app) -> int:
    return len(app.engine.items("journal"))


class TestLostAnswers:
    @pytest.mark.parametrize("mutation", MUTATIONS)
    async def test_have_one_effect(self, app, lunch, monkeypatch, mutation):
        """D-03: the answer is lost after the commit, in the transaction and again at the door."""
        before = entries(app)
        engine = LosesAnAnswer(app.engine, monkeypatch)

        first = await lunch.call(mutation, key="the-key-1")
        after = app.engine.dump()
        again = await lunch.call(mutation, key="the-key-1")

        assert engine.lost == 1
        assert entries(app) == before + 1
        assert (again.replayed, again.value) == (True, first.value)
        assert app.engine.dump() == after

    async def test_take_twice_without_a_journal_key(self, app, lunch, monkeypatch):
        """D-03, the broken twin: an update that is sent again counts again."""
        LosesAnAnswer(app.engine, monkeypatch)
        canteen = lunch.canteen
        before = await canteen.left(RICE)
        account = f"{canteen.court.code}#MEALS#MENU#{canteen.id}#{MONDAY.isoformat()}"
        take = Write(
            table="records",
            key=Key(account, f"LINE#LUNCH#{canteen.dish(RICE)}"),
            add={"available": -1},
        )

        try:
            await app.engine.transact([take])
        except Unanswered:
            await app.engine.transact([take])

        assert await canteen.left(RICE) == before - 2


class TestDuplicates:
    @pytest.mark.parametrize("mutation", MUTATIONS)
    async def test_sent_at_once_have_one_effect(self, app, lunch, mutation):
        """D-05: fifty of the same at once; one does it, all are told of it."""
        app.engine.faults = Faults(overlap=0.008, latency=0.002)
        before = entries(app)

        done = await asyncio.gather(*(lunch.call(mutation, key="the-key-1") for _ in range(50)))

        assert entries(app) == before + 1
        assert sum(not one.replayed for one in done) == 1
        assert {str(one.value) for one in done} == {str(done[0].value)}

    @pytest.mark.parametrize("mutation", MUTATIONS)
    async def test_are_answered_a_day_later(self, app, lunch, mutation):
        """D-07: after any window of the engine's own the key still guards its effect."""
        first = await lunch.call(mutation, key="the-key-1")
        app.clock.advance(hours=30)
        before = app.engine.dump()

        again = await lunch.call(mutation, key="the-key-1")

        assert (again.replayed, app.engine.dump()) == (True, before)
        assert str(again.value) == str(first.value)

    async def test_of_different_diners_and_courts_are_their_own(self, app, lunch):
        """D-06: the same key of another principal tells nothing and hinders nothing."""
        await lunch.call("place_order", key="the-key-1")
        other = await lunch.canteen.court.somebody()
        request = lunch.canteen.wants({PORK: 1, RICE: 1})

        done = await app.get(MealOrders).place_order(
            other, request, key="the-key-1", now=lunch.canteen.now
        )
        abroad = replace(lunch.hungry, court="C999")
        with pytest.raises(Refusal) as refusal:
            await app.get(MealOrders).place_order(
                abroad, request, key="the-key-1", now=lunch.canteen.now
            )

        assert not done.replayed
        assert refusal.value.code == "NOT_PERMITTED"


class TestTheRush:
    async def test_sells_every_portion_once_under_faults(self, app, canteen):
        """D-01 through the services: a hundred phones, forty portions, one call in twenty fails."""
        await canteen.grants_subsidy(1500)
        await canteen.serves({PORK: 40})
        phones = [await canteen.court.somebody() for _ in range(100)]
        app.engine.faults = Faults(
            lost_before=0.0125, lost_after=0.025, throttled=0.0125, overlap=0.0005, latency=0.004
        )
        orders = app.get(MealOrders)

        async def phone(n, diner):
            await app.clock.sleep(n * 0.02)
            return await orders.place_order(
                diner, canteen.wants({PORK: 1}), key=f"phone-{n:04}", now=canteen.now
            )

        answers = await asyncio.gather(
            *(phone(n, diner) for n, diner in enumerate(phones)), return_exceptions=True
        )
        app.engine.faults = Faults()

        sold = [a for a in answers if not isinstance(a, BaseException)]
        refused = [a for a in answers if isinstance(a, BaseException)]
        assert {type(a) for a in refused} == {errors.SoldOut}
        assert (len(sold), len(refused)) == (40, 60)
        assert await canteen.left(PORK) == 0
        stored = [i for i in app.engine.items("records") if "#MEALS#ORDERS#" in i["pk"]["S"]]
        assert len(stored) == 40


class TestClocks:
    @pytest.mark.parametrize("skew", [-CLOCK_SKEW, timedelta(0), CLOCK_SKEW])
    @pytest.mark.parametrize("off", [-1, 0, 1])
    async def test_decide_within_their_difference(self, app, canteen, skew, off):
        """D-08: each server decides by its own clock to the millisecond; none accepts later than
        the cut-off and the greatest difference of clocks."""
        await canteen.grants_subsidy(1500)
        await canteen.serves({PORK: 10})
        diner = await canteen.court.somebody()
        app.clock.set(CLOSES - skew + timedelta(milliseconds=off))
        server = bootstrap.build(
            app.app.settings,
            clock=app.clock.skewed(seconds=skew.total_seconds()),
            engine=app.engine,
            queues=app.queues,
        )

        placing = server.parts[MealOrders].place_order(
            diner, canteen.wants({PORK: 1}), key="the-key-1", now=CLOSES - timedelta(seconds=1)
        )

        if off < 0:
            assert (await placing).value.version == 1
            assert app.clock.now() < CLOSES + CLOCK_SKEW
        else:
            with pytest.raises(errors.OrderWindowClosed):
                await placing
            assert await canteen.left(PORK) == 10
