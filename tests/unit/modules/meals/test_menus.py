"""Publishing, moving a cut-off, closing and counting: jobs on the in-memory engine."""

from datetime import datetime, time, timedelta

import pytest

from courtside.kernel.actor import Role, system
from courtside.kernel.errors import InvalidInput, NotFound, NotPermitted, VersionConflict
from courtside.kernel.jobs import JobState
from courtside.kernel.workdays import local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts import canteens, kitchen, menus
from courtside.modules.meals.contracts.canteens import Allergen, Period
from courtside.modules.meals.contracts.menus import WindowState
from courtside.modules.meals.contracts.orders import CancelMealOrder, CollectMealOrder
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.dynamo.meter import metered
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP, a_canteen

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def service(app) -> Menus:
    return app.get(Menus)


def at(day, clock_time: str) -> datetime:
    return local_instant(day, time.fromisoformat(clock_time))


class TestPublishMenu:
    async def test_shows_nothing_before_the_job_is_done(self, canteen, service):
        await canteen.knows_dish(PORK, price=1200)
        await canteen.drafts({PORK: 80})
        request = menus.PublishMenu(canteen=canteen.id, from_on=MONDAY, to_on=MONDAY)

        done = await service.publish_menu(canteen.cook, request, key="publish-1", now=canteen.now)

        assert (done.value.state, (await canteen.menu()).lines) == (JobState.RUNNING, ())
        await canteen.court.app.settle()
        job = await service.get_job(canteen.cook, done.value.id, now=canteen.now)
        assert job.state is JobState.DONE
        (line,) = (await canteen.menu()).lines
        assert (line.name, line.price_fen, line.available, line.planned) == (PORK, 1200, 80, 80)
        assert line.order_by == at(MONDAY, "09:30")

    async def test_publishes_two_weeks_of_a_large_kitchen_in_children(self, canteen, service):
        names = [f"第{n}道菜" for n in range(30)]
        for name in names:
            await canteen.knows_dish(name)
        days = [MONDAY + timedelta(days=n) for n in range(14)]
        for day in days:
            await canteen.drafts(dict.fromkeys(names, 40), on=day)

        done = await canteen.publishes(MONDAY, to=days[-1])

        job = await service.get_job(canteen.cook, done.value.id, now=canteen.now)
        assert (job.state, job.children, job.cursor) == (JobState.DONE, 57, 57)
        for day in days:
            assert len((await canteen.menu(day)).lines) == 30

    async def test_keeps_every_journal_entry_within_a_kilobyte(self, canteen, app):
        names = [f"第{n}道菜" for n in range(30)]
        for name in names:
            await canteen.knows_dish(name)
        days = [MONDAY + timedelta(days=n) for n in range(14)]
        for day in days:
            await canteen.drafts(dict.fromkeys(names, 9999), on=day)

        await canteen.publishes(MONDAY, to=days[-1])

        sizes = [
            sum(len(k) + len(next(iter(v.values())).encode()) for k, v in item.items())
            for item in app.engine.items("journal")
            if "meals.publish" in item["pk"]["S"]
        ]
        assert len(sizes) == 59  # the request, 56 with lines, the turn, the end
        assert max(sizes) <= 1024

    async def test_lists_dishes_without_a_statement(self, canteen, service):
        await canteen.knows_dish(PORK, allergens=None)
        await canteen.knows_dish(RICE)
        await canteen.drafts({PORK: 10, RICE: 10})

        with pytest.raises(errors.NoAllergenStatement) as refusal:
            await canteen.publishes()

        assert refusal.value.names == PORK
        assert (await canteen.menu()).lines == ()

    async def test_adds_dishes_and_plans_more_when_published_again(self, canteen):
        await canteen.serves({PORK: 10})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        await canteen.has_order(diner, {PORK: 3})

        await canteen.serves({PORK: 15, RICE: 20})

        assert (await canteen.left(PORK), await canteen.left(RICE)) == (12, 20)

    async def test_refuses_fewer_than_are_sold_and_another_price(self, canteen):
        await canteen.serves({PORK: 10})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        await canteen.has_order(diner, {PORK: 3})

        await canteen.drafts({PORK: 2})
        with pytest.raises(errors.FewerThanSold) as fewer:
            await canteen.publishes()
        await canteen.drafts({PORK: 10}, prices={PORK: 1300})
        with pytest.raises(errors.PriceChanged) as price:
            await canteen.publishes()

        assert (fewer.value.sold, price.value.published) == (3, 1200)
        assert await canteen.left(PORK) == 7

    async def test_plans_fewer_down_to_what_is_sold(self, canteen):
        await canteen.serves({PORK: 10})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        await canteen.has_order(diner, {PORK: 3})

        await canteen.serves({PORK: 3})

        assert await canteen.left(PORK) == 0

    @pytest.mark.parametrize(
        ("first", "last", "kind"),
        [
            (-1, 0, errors.DayIsOver),
            (0, 14, InvalidInput),
            (1, 0, InvalidInput),
            (30, 31, InvalidInput),
            (5, 6, errors.NothingDrafted),
        ],
    )
    async def test_refuses_other_days(self, canteen, service, first, last, kind):
        await canteen.knows_dish(PORK)
        await canteen.drafts({PORK: 5})
        request = menus.PublishMenu(
            canteen=canteen.id,
            from_on=MONDAY + timedelta(days=first),
            to_on=MONDAY + timedelta(days=last),
        )

        with pytest.raises(kind):
            await service.publish_menu(canteen.cook, request, key="publish-1", now=canteen.now)

    async def test_refuses_a_meal_that_was_counted(self, canteen):
        await canteen.serves({PORK: 10})
        await canteen.counts()
        await canteen.drafts({PORK: 20})

        with pytest.raises(errors.MealClosed):
            await canteen.publishes()

    async def test_is_not_for_diners(self, canteen, service):
        diner = await canteen.court.somebody()
        request = menus.PublishMenu(canteen=canteen.id, from_on=MONDAY, to_on=MONDAY)

        with pytest.raises(NotPermitted):
            await service.publish_menu(diner, request, key="publish-1", now=canteen.now)

    async def test_answers_the_same_job_again(self, canteen, service):
        await canteen.knows_dish(PORK)
        await canteen.drafts({PORK: 10})
        request = menus.PublishMenu(canteen=canteen.id, from_on=MONDAY, to_on=MONDAY)
        first = await service.publish_menu(canteen.cook, request, key="publish-1", now=canteen.now)
        await canteen.court.app.settle()
        await canteen.counts()

        again = await service.publish_menu(canteen.cook, request, key="publish-1", now=canteen.now)

        assert (again.replayed, again.value.id) == (True, first.value.id)


class TestMoveCutOff:
    def move(self, canteen, order_by, *, cancel_by=None):
        return menus.MoveCutOff(
            canteen=canteen.id,
            date=MONDAY,
            period=Period.LUNCH,
            order_by=order_by,
            change_by=order_by,
            cancel_by=cancel_by or order_by,
        )

    async def test_rewrites_accounts_and_the_window(self, canteen, service, app):
        await canteen.serves({f"菜{n}": 10 for n in range(30)})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        later = at(MONDAY, "10:30")

        await service.move_cut_off(
            canteen.cook, self.move(canteen, later), key="move-one", now=canteen.now
        )
        await app.settle()

        menu = await canteen.menu()
        assert {line.order_by for line in menu.lines} == {later}
        window = menu.day.find_window(Period.LUNCH)
        assert (window.order_by, window.job) == (later, None)
        app.clock.set(at(MONDAY, "10:29"))
        assert (await canteen.has_order(diner, {"菜1": 1})).version == 1

    async def test_closes_earlier_as_well(self, canteen, service, app):
        await canteen.serves({PORK: 10})
        diner = await canteen.court.somebody()
        await service.move_cut_off(
            canteen.cook, self.move(canteen, at(MONDAY, "09:05")), key="move-one", now=canteen.now
        )
        await app.settle()
        app.clock.set(at(MONDAY, "09:05"))

        with pytest.raises(errors.OrderWindowClosed):
            await canteen.has_order(diner, {PORK: 1})

    @pytest.mark.parametrize("bound", ["09:00", "13:01"])
    async def test_refuses_the_past_and_after_serving(self, canteen, service, bound):
        await canteen.serves({PORK: 10})

        with pytest.raises(InvalidInput):
            await service.move_cut_off(
                canteen.cook, self.move(canteen, at(MONDAY, bound)), key="move-one", now=canteen.now
            )

    async def test_refuses_while_another_change_is_under_way(self, canteen, service):
        await canteen.serves({PORK: 10})
        later = self.move(canteen, at(MONDAY, "10:30"))
        await service.move_cut_off(canteen.cook, later, key="move-one", now=canteen.now)

        with pytest.raises(errors.MealBusy):
            await service.move_cut_off(canteen.cook, later, key="move-two", now=canteen.now)


class TestKitchenCount:
    @pytest.fixture
    def count(self, app) -> Kitchen:
        return app.get(Kitchen)

    async def order(self, canteen, portions):
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 50_000)
        return await canteen.has_order(diner, portions)

    async def test_counts_everybody_once_closed(self, canteen):
        await canteen.serves({PORK: 50, RICE: 50, SOUP: 50})
        taken = [await self.order(canteen, {PORK: 1, RICE: 2}) for _ in range(3)]
        taken.append(await self.order(canteen, {RICE: 1}))

        count = await canteen.counts()

        told = {line.name: (line.portions, line.diners) for line in count.lines}
        assert told == {PORK: (3, 3), RICE: (7, 4), SOUP: (0, 0)}
        assert (count.counted, count.ordered, count.sold, count.agrees) == (10, 10, 10, True)
        assert [d.code for d in count.diners] == sorted(order.code for order in taken)

    async def test_leaves_out_what_was_cancelled_and_other_canteens(self, canteen, court):
        await canteen.serves({PORK: 50})
        order = await self.order(canteen, {PORK: 1})
        gone = await self.order(canteen, {PORK: 1})
        other = await a_canteen(court, name="二食堂")
        await other.serves({RICE: 10})
        await self.order(other, {RICE: 1})
        await self._cancel(canteen, gone)

        count = await canteen.counts()

        assert [d.code for d in count.diners] == [order.code]
        assert count.agrees

    async def _cancel(self, canteen, order):
        await canteen.court.app.get(MealOrders).cancel_for_leaver(
            system(canteen.court.code, "meals"), order.key, key="left", now=canteen.now
        )

    async def test_refuses_orders_changes_and_cancellations_afterwards(self, canteen):
        await canteen.serves({PORK: 50})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        order = await canteen.has_order(diner, {PORK: 1})
        await canteen.counts()
        orders = canteen.court.app.get(MealOrders)
        late = await canteen.court.somebody()

        with pytest.raises(errors.OrderWindowClosed):
            await canteen.has_order(late, {PORK: 1})
        with pytest.raises(errors.CancelWindowClosed):
            await orders.cancel_order(
                diner, CancelMealOrder(order=order.key), key="cancel-1", now=canteen.now
            )

    async def test_waits_for_the_cut_off_unless_told_otherwise(self, canteen, count):
        await canteen.serves({PORK: 50})
        request = kitchen.IssueKitchenCount(canteen=canteen.id, date=MONDAY, period=Period.LUNCH)

        with pytest.raises(errors.StillOpen) as refusal:
            await count.issue_count(canteen.cook, request, key="count-one", now=canteen.now)

        assert refusal.value.closes_at == at(MONDAY, "09:30")

    async def test_counts_again_as_the_next_version(self, canteen):
        await canteen.serves({PORK: 50})
        await self.order(canteen, {PORK: 2})
        first = await canteen.counts()

        second = await canteen.counts()

        assert (first.version, second.version) == (1, 2)
        assert (second.lines, second.diners) == (first.lines, first.diners)

    async def test_closes_what_is_published_while_it_closes(self, canteen, count, app):
        """A publishing that was asked for first must not leave a line open."""
        names = [f"菜{n}" for n in range(14)]
        for name in names:
            await canteen.knows_dish(name)
        await canteen.serves({PORK: 10})
        await canteen.drafts({PORK: 10, **dict.fromkeys(names, 5)})
        request = menus.PublishMenu(canteen=canteen.id, from_on=MONDAY, to_on=MONDAY)
        await app.get(Menus).publish_menu(canteen.cook, request, key="again-one", now=canteen.now)

        await canteen.counts()

        lines = [i for i in app.engine.items("records") if i["sk"]["S"].startswith("LINE#LUNCH")]
        assert {line["st"]["S"] for line in lines} == {"CLOSED"}
        assert (await canteen.menu()).day.find_window(Period.LUNCH).state is WindowState.CLOSED

    async def test_shows_nothing_that_was_never_counted(self, canteen, count):
        with pytest.raises(NotFound):
            await count.get_count(
                canteen.cook, canteen.id, MONDAY, Period.LUNCH, version=None, now=canteen.now
            )

    async def test_stays_what_it_was_after_pick_up(self, canteen, count):
        await canteen.serves({PORK: 50})
        order = await self.order(canteen, {PORK: 2})
        first = await canteen.counts()
        server = await canteen.court.somebody(Role.SERVING)
        scan = CollectMealOrder(canteen=canteen.id, code=order.code, window="1号窗口")
        await canteen.court.app.get(MealOrders).collect_order(
            server, scan, key="scan-one", now=canteen.now
        )

        second = await canteen.counts()

        assert (second.counted, second.agrees) == (first.counted, True)


class TestHome:
    async def test_shows_today_and_the_next_work_day_in_two_rounds(self, canteen, app):
        await canteen.grants_subsidy(1500)
        friday = MONDAY + timedelta(days=4)
        await canteen.serves({PORK: 10}, on=friday)
        await canteen.serves({RICE: 10}, on=MONDAY + timedelta(days=7))
        app.clock.set(at(friday, "08:00"))
        diner = await canteen.court.somebody()
        await canteen.has_order(diner, {PORK: 1}, on=friday)

        with metered() as meter:
            home = await app.get(Homes).get_home(diner, None, now=canteen.now)

        assert meter.rounds == 2
        assert [day.date for day in home.days] == [friday, friday + timedelta(days=3)]
        assert [[line.name for line in day.lines] for day in home.days] == [[PORK], [RICE]]
        assert home.subsidies[friday, Period.LUNCH] == 300
        assert [order.key.date for order in home.orders] == [friday]

    async def test_finds_no_other_courts_canteen(self, canteen, app):
        diner = await canteen.court.somebody()

        with pytest.raises(NotFound):
            await app.get(Homes).get_home(diner, "NOSUCH", now=canteen.now)


class TestCanteens:
    @pytest.fixture
    def canteens_service(self, app) -> Canteens:
        return app.get(Canteens)

    async def test_tells_lost_updates(self, canteen, canteens_service):
        """D-11: two cooks state the allergens of one dish; the second is told."""
        dish = await canteen.knows_dish(PORK, allergens=None)
        request = canteens.SetDishAllergens(
            canteen=canteen.id, dish=dish, allergens=(Allergen.SOY,), expected_version=1
        )
        await canteens_service.set_dish_allergens(
            canteen.cook, request, key="state-one", now=canteen.now
        )

        with pytest.raises(VersionConflict) as refusal:
            await canteens_service.set_dish_allergens(
                canteen.cook, request, key="state-two", now=canteen.now
            )

        assert refusal.value.current == 2

    async def test_refuses_a_second_dish_of_the_name(self, canteen):
        await canteen.knows_dish(PORK)

        with pytest.raises(errors.DishExists):
            await canteen.knows_dish(f" {PORK} ")
