"""What a diner sees first: where the calendar ends, and whose subsidy it is."""

from datetime import date, time

import pytest

from courtside.kernel.errors import InvalidInput, NotPermitted
from courtside.kernel.workdays import local_instant
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.orders import CancelMealOrder
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.orders import MealOrders
from testkit.app import build_app
from testkit.factories.meals import MONDAY, PORK, RICE, a_canteen
from testkit.factories.people import COURT, OTHER_COURT, a_court
from testkit.tokens import issuers

NEW_YEARS_EVE = date(2026, 12, 31)


class TestAtYearsEnd:
    @pytest.fixture
    def app(self, tmp_path):
        """Nine o'clock on the last day that the work calendar knows."""
        now = local_instant(NEW_YEARS_EVE, time(9))
        with build_app(tmp_path, now=now, issuers=issuers(COURT, OTHER_COURT)) as built:
            yield built

    async def test_today_is_shown_alone(self, app):
        canteen = await a_canteen(await a_court(app))
        await canteen.serves({PORK: 5}, on=NEW_YEARS_EVE)
        diner = await canteen.court.somebody()

        home = await app.get(Homes).get_home(diner, None, now=canteen.now)

        assert [day.date for day in home.days] == [NEW_YEARS_EVE]
        assert [line.name for line in home.days[0].lines] == [PORK]


class TestSubsidies:
    """A canteen grants its own: which was ordered at first does not matter."""

    @pytest.fixture
    async def canteens(self, court):
        dear, cheap = await a_canteen(court), await a_canteen(court, name="二食堂")
        await dear.grants_subsidy(3000, change_at="09:30")
        await cheap.grants_subsidy(300, change_at="09:30")
        await dear.serves({RICE: 5})
        await cheap.serves({PORK: 5})
        return dear, cheap

    async def test_follow_the_canteen_that_is_ordered_at(self, app, court, canteens):
        dear, cheap = canteens
        diner = await court.somebody()
        await cheap.tops_up(diner, 5000)
        first = await dear.has_order(diner, {RICE: 1})
        await app.get(MealOrders).cancel_order(
            diner, CancelMealOrder(order=first.key), key="cancel-1", now=court.now
        )

        order = await cheap.has_order(diner, {PORK: 1})

        assert (order.subsidy_fen, order.wallet_fen) == (300, 900)
        assert (await dear.subsidy(diner), await cheap.subsidy(diner)) == (3000, 0)

    async def test_are_shown_as_the_shown_canteen_grants_them(self, app, court, canteens):
        dear, cheap = canteens
        diner = await court.somebody()
        await dear.has_order(diner, {RICE: 1})
        homes = app.get(Homes)

        shown = [await homes.get_home(diner, c.id, now=court.now) for c in (dear, cheap)]
        days = [await homes.get_day_menu(diner, c.id, MONDAY, now=court.now) for c in canteens]

        assert [home.subsidies[MONDAY, Period.LUNCH] for home in shown] == [2900, 300]
        assert [day.subsidies[MONDAY, Period.LUNCH] for day in days] == [2900, 300]


class TestListMyOrders:
    @pytest.mark.parametrize("last", [date(2026, 3, 1), date(2026, 3, 26)])
    async def test_refuses_more_than_it_would_answer(self, app, court, last):
        diner = await court.somebody()

        with pytest.raises(InvalidInput) as refusal:
            await app.get(MealOrders).list_my_orders(
                diner, from_on=MONDAY, to_on=last, now=court.now
            )

        assert refusal.value.path == ("to",)

    async def test_answers_twenty_four_days(self, app, court):
        diner = await court.somebody()

        found = await app.get(MealOrders).list_my_orders(
            diner, from_on=MONDAY, to_on=date(2026, 3, 25), now=court.now
        )

        assert found == []


class TestTheSystemsOwn:
    async def test_is_for_nobody_else(self, app, canteen):
        """What consumers do is permitted to them by name, like everything else."""
        await canteen.serves({PORK: 5})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        order = await canteen.has_order(diner, {PORK: 1})
        service, before = app.get(MealOrders), app.engine.dump()

        for attempt in (
            service.cancel_for_leaver(diner, order.key, key="a-key-12", now=canteen.now),
            service.cancel_if_left(diner, order.key, key="a-key-12", now=canteen.now),
            service.list_orders_ahead(diner, diner.person, now=canteen.now),
        ):
            with pytest.raises(NotPermitted):
                await attempt

        assert app.engine.dump() == before
