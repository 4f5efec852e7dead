"""What publishing shows and when: a job that dies half-way, one that is taken over, dishes that
come off the menu while people have ordered them."""

from datetime import timedelta

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.errors import NotFound
from courtside.kernel.jobs import JobState
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.menus import LineState, PublishMenu
from courtside.modules.meals.contracts.orders import CancelMealOrder, ChangeMealOrder
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from courtside.modules.meals.store.menus import MenuStore
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP
from testkit.facts import facts

MANY = [f"第{n}道菜" for n in range(20)]  # three children's worth of lines
TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
async def kitchen(canteen):
    """It knows many dishes, and nothing is published."""
    for name in (*MANY, PORK, RICE, SOUP):
        await canteen.knows_dish(name)
    return canteen


async def asks(canteen, *, to=MONDAY):
    """A publishing that was asked for and did not begin yet."""
    request = PublishMenu(canteen=canteen.id, from_on=MONDAY, to_on=to)
    service = canteen.court.app.get(Menus)
    done = await service.publish_menu(canteen.cook, request, key=canteen.key(), now=canteen.now)
    return done.value


async def runs(canteen, job, children):
    """The job's first children, after which its worker dies."""
    app = canteen.court.app
    for n in range(children):
        found = await app.app.jobs.find(canteen.court.code, job.id)
        await app.app.works[job.kind].run_child(found, n, now=canteen.now)


async def ends(canteen, job):
    """The job run to its end; what became of it."""
    return await canteen.court.app.app.runner.run(canteen.court.code, job.id)


async def seen(canteen, on=MONDAY):
    return sorted(line.name for line in (await canteen.menu(on)).lines)


async def stored(canteen, on=MONDAY):
    store = MenuStore(canteen.court.app.app.database)
    menu = await store.load_menu(canteen.court.code, canteen.id, on, decide=True)
    return {line.name: line for line in menu.lines}


async def a_rich_diner(canteen):
    diner = await canteen.court.somebody()
    await canteen.tops_up(diner, 10_000)
    return diner


class TestHalfAPublishing:
    async def test_holds_its_day_until_it_resumes(self, kitchen):
        await kitchen.drafts(dict.fromkeys(MANY, 5))
        first = await asks(kitchen)
        await runs(kitchen, first, 1)
        await kitchen.drafts({PORK: 5})
        before = kitchen.court.app.engine.dump()

        with pytest.raises(errors.MealBusy):
            await asks(kitchen)

        assert kitchen.court.app.engine.dump() == before
        assert await seen(kitchen) == []
        assert (await ends(kitchen, first)).state is JobState.DONE
        assert await seen(kitchen) == sorted(MANY)

    async def test_is_never_seen_once_it_was_taken_over(self, kitchen, app):
        """A dies after its first child; B is asked for a quarter of an hour later; A wakes up."""
        await kitchen.drafts(dict.fromkeys(MANY, 5))
        first = await asks(kitchen)
        await runs(kitchen, first, 1)
        app.clock.advance(minutes=15)
        await kitchen.drafts({PORK: 5})

        second = await asks(kitchen)
        woken = await ends(kitchen, first)

        assert (woken.state, woken.report["refused"]) == (JobState.REFUSED, "TAKEN_OVER")
        assert (await ends(kitchen, second)).state is JobState.DONE
        assert await seen(kitchen) == [PORK]
        left_behind = [line.state for name, line in (await stored(kitchen)).items() if name != PORK]
        assert left_behind == [LineState.WITHDRAWN] * 8

    async def test_lets_its_price_and_number_be_corrected(self, kitchen, app):
        """What nobody has seen has no published price."""
        await kitchen.drafts({PORK: 5})
        await runs(kitchen, await asks(kitchen), 1)
        app.clock.advance(minutes=15)
        await kitchen.drafts({PORK: 2}, prices={PORK: 900})

        await ends(kitchen, await asks(kitchen))

        (line,) = (await kitchen.menu()).lines
        assert (line.price_fen, line.planned, line.available) == (900, 2, 2)

    async def test_takes_nothing_off_when_it_was_taken_over(self, kitchen, app):
        """A marked a dish as gone and died; B's draft has it again."""
        await kitchen.serves({PORK: 5, RICE: 5})
        await kitchen.drafts({RICE: 5})
        await runs(kitchen, await asks(kitchen), 1)
        assert (await stored(kitchen))[PORK].gone is not None
        assert await seen(kitchen) == sorted([PORK, RICE])
        app.clock.advance(minutes=15)
        await kitchen.drafts({PORK: 5, RICE: 5})

        await ends(kitchen, await asks(kitchen))

        assert await seen(kitchen) == sorted([PORK, RICE])
        assert (await stored(kitchen))[PORK].gone is None

    async def test_of_another_meal_leaves_no_marks(self, kitchen, app):
        """A marked lunch and died; B publishes dinner alone and must not finish A's work."""
        await kitchen.serves({PORK: 5, RICE: 5})
        await kitchen.drafts({RICE: 5, SOUP: 5})
        await runs(kitchen, await asks(kitchen), 1)
        app.clock.advance(minutes=15)
        await kitchen.drafts({SOUP: 9}, period=Period.DINNER)

        await ends(kitchen, await asks(kitchen))

        menu = await kitchen.menu()
        shown = sorted((line.period.value, line.name) for line in menu.lines)
        assert shown == sorted([("DINNER", SOUP), ("LUNCH", PORK), ("LUNCH", RICE)])

    async def test_frees_the_days_when_it_is_refused(self, kitchen, app):
        """Nobody has to wait: the job's end and the free day are one transaction."""
        await kitchen.drafts({PORK: 5})
        first = await asks(kitchen)
        app.clock.advance(minutes=15)
        second = await asks(kitchen)
        await ends(kitchen, first)
        menu = await MenuStore(app.app.database).load_menu(
            kitchen.court.code, kitchen.id, MONDAY, decide=True
        )
        assert menu.day.publishing == second.id  # the refused one lets go of its own alone

        work, store = app.app.works["meals.publish"], app.app.jobs
        found = await store.find(kitchen.court.code, second.id)
        freed = await work.free(found)
        await store.refuse(found, errors.NothingDrafted(), freed, now=kitchen.now)

        third = await asks(kitchen)
        assert (await ends(kitchen, third)).state is JobState.DONE
        assert await seen(kitchen) == [PORK]


class TestRepublishing:
    async def test_changes_portions_at_once_and_dishes_at_the_turn(self, kitchen):
        """docs/adr/0055: each account's portions are one change; what is on the menu is another."""
        await kitchen.serves(dict.fromkeys(MANY[:10], 5))
        await kitchen.drafts({**dict.fromkeys(MANY[:9], 50), PORK: 5})
        job = await asks(kitchen)

        await runs(kitchen, job, 1)
        after_one = {line.name: line.available for line in (await kitchen.menu()).lines}
        await runs_all_lines(kitchen, job)
        before_turn = await seen(kitchen)
        await ends(kitchen, job)

        assert sorted(after_one) == sorted(MANY[:10])
        assert set(after_one.values()) == {5, 50}
        assert before_turn == sorted(MANY[:10])
        assert await seen(kitchen) == sorted([*MANY[:9], PORK])

    async def test_leaves_a_counted_meal_alone_that_is_drafted_as_it_was(self, kitchen):
        await kitchen.serves({PORK: 5})
        await kitchen.counts()
        await kitchen.drafts({PORK: 5})

        job = await ends(kitchen, await asks(kitchen))

        assert job.state is JobState.DONE
        assert (await stored(kitchen))[PORK].state is LineState.CLOSED


async def runs_all_lines(canteen, job):
    """Every child up to the turn."""
    found = await canteen.court.app.app.jobs.find(canteen.court.code, job.id)
    work = canteen.court.app.app.works[job.kind]
    while job.about["children"][found.cursor] != ["turn"]:
        await work.run_child(found, found.cursor, now=canteen.now)
        found = await canteen.court.app.app.jobs.find(canteen.court.code, job.id)


class TestWithdrawing:
    @pytest.fixture
    async def ordered(self, kitchen):
        """Pork was ordered by two, and is no longer on the menu."""
        await kitchen.grants_subsidy(0, change_at="09:30")
        await kitchen.serves({PORK: 5, RICE: 5})
        self.diners = [await a_rich_diner(kitchen) for _ in range(2)]
        self.orders = [await kitchen.has_order(d, {PORK: 2, RICE: 1}) for d in self.diners]
        await kitchen.serves({RICE: 5})
        return kitchen

    async def test_takes_a_dish_off_the_menu_and_the_first_screen(self, ordered, app):
        home = await app.get(Homes).get_home(self.diners[0], ordered.id, now=ordered.now)

        assert await seen(ordered) == [RICE]
        assert [line.name for line in home.days[0].lines] == [RICE]
        assert (await stored(ordered))[PORK].state is LineState.WITHDRAWN

    async def test_takes_no_more_orders_of_it(self, ordered):
        hungry = await a_rich_diner(ordered)
        before = ordered.court.app.engine.dump()

        with pytest.raises(NotFound):
            await ordered.has_order(hungry, {PORK: 1})

        assert ordered.court.app.engine.dump() == before

    async def test_refuses_an_order_that_was_on_its_way(self, kitchen, app, monkeypatch):
        """It read the menu before the dish came off, and writes after it."""
        await kitchen.serves({PORK: 5, RICE: 5})
        hungry, service = await a_rich_diner(kitchen), app.get(MealOrders)
        load, done = service._orders.load_order, []

        async def slow(*asked):
            found = await load(*asked)
            if not done:
                done.append(True)
                await kitchen.serves({RICE: 5})
            return found

        monkeypatch.setattr(service._orders, "load_order", slow)

        with pytest.raises(NotFound):
            await kitchen.has_order(hungry, {PORK: 1})

        assert (await stored(kitchen))[PORK].available == 5

    async def test_counts_it_in_a_section_of_its_own(self, ordered):
        count = await ordered.counts()

        told = [(line.name, line.portions, line.offered) for line in count.lines]
        assert told == [(RICE, 2, True), (PORK, 4, False)]
        assert count.lines[1].allergens == ()
        assert (count.counted, count.ordered, count.sold, count.agrees) == (6, 6, 6, True)

    async def test_gives_back_until_the_kitchen_counts(self, ordered, app):
        orders = app.get(MealOrders)

        await orders.cancel_order(
            self.diners[0],
            CancelMealOrder(order=self.orders[0].key),
            key="cancel-1",
            now=ordered.now,
        )
        count = await ordered.counts()
        with pytest.raises(errors.CancelWindowClosed):
            await orders.cancel_order(
                self.diners[1],
                CancelMealOrder(order=self.orders[1].key),
                key="cancel-2",
                now=ordered.now,
            )

        assert await ordered.wallet(self.diners[0]) == 10_000
        assert (count.counted, count.agrees) == (3, True)

    @pytest.mark.parametrize(("wanted", "kind"), [(2, None), (1, None), (3, NotFound)])
    async def test_lets_a_diner_keep_what_was_ordered(self, ordered, app, wanted, kind):
        request = ChangeMealOrder(
            order=self.orders[0].key, canteen=ordered.id, lines=ordered.lines({PORK: wanted})
        )
        changing = app.get(MealOrders).change_order(
            self.diners[0], request, key="change-1", now=ordered.now
        )

        if kind is None:
            assert (await changing).value.total_fen == 1200 * wanted
        else:
            with pytest.raises(kind):
                await changing

    async def test_brings_it_back_with_what_was_sold(self, ordered):
        await ordered.serves({PORK: 6, RICE: 5})

        line = (await stored(ordered))[PORK]
        assert await seen(ordered) == sorted([PORK, RICE])
        assert (line.state, line.planned, line.available) == (LineState.OPEN, 6, 2)

    async def test_keeps_the_published_price_of_what_comes_back(self, ordered):
        await ordered.drafts({PORK: 5, RICE: 5}, prices={PORK: 900, RICE: 100})

        with pytest.raises(errors.PriceChanged):
            await asks(ordered)

    async def test_is_of_its_meal_alone(self, kitchen):
        """Dinner is drafted; lunch, of which the draft says nothing, stays."""
        await kitchen.serves({PORK: 5})

        await kitchen.serves({RICE: 5}, period=Period.DINNER)

        assert await seen(kitchen) == sorted([PORK, RICE])

    async def test_goes_on_after_a_crash_between_the_turn_and_the_accounts(self, kitchen):
        await kitchen.serves({PORK: 5, RICE: 5})
        await kitchen.drafts({RICE: 5})
        job = await asks(kitchen)

        await runs(kitchen, job, 2)
        turned = (await seen(kitchen), (await stored(kitchen))[PORK].state)
        await ends(kitchen, job)

        assert turned == ([RICE], LineState.OPEN)
        assert (await stored(kitchen))[PORK].state is LineState.WITHDRAWN
        assert len(facts(kitchen.court.app.engine, "meals.menu_published.v1")) == 2

    async def test_keeps_the_accounts_that_a_faster_publishing_brought_back(self, kitchen):
        """A turned and died before it closed; B brings the dish back; A goes on."""
        await kitchen.serves({PORK: 5, RICE: 5})
        await kitchen.drafts({RICE: 5})
        first = await asks(kitchen)
        await runs(kitchen, first, 2)
        await kitchen.drafts({PORK: 5, RICE: 5})
        await ends(kitchen, await asks(kitchen))

        assert (await ends(kitchen, first)).state is JobState.DONE

        assert await seen(kitchen) == sorted([PORK, RICE])
        assert (await stored(kitchen))[PORK].state is LineState.OPEN


class TestMenuAndKitchen:
    async def test_another_kitchen_s_day_is_free(self, kitchen, court):
        """A publishing holds its own canteen's days, and those alone that have a draft."""
        await kitchen.drafts({PORK: 5})
        await asks(kitchen, to=TUESDAY)
        await kitchen.drafts({PORK: 5}, on=TUESDAY)
        request = PublishMenu(canteen=kitchen.id, from_on=TUESDAY, to_on=TUESDAY)
        cook = await court.somebody(Role.KITCHEN)

        done = await court.app.get(Menus).publish_menu(
            cook, request, key="publish-2", now=kitchen.now
        )

        assert (await ends(kitchen, done.value)).state is JobState.DONE
        assert await seen(kitchen, TUESDAY) == [PORK]
