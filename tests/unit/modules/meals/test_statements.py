"""A corrected allergen statement reaches whoever may eat the dish, also amid a publishing."""

from datetime import timedelta

import pytest

from courtside.kernel.actor import system
from courtside.kernel.errors import NotPermitted
from courtside.kernel.jobs import JobState
from courtside.modules.meals.contracts.canteens import Allergen, Period, SetDishAllergens
from courtside.modules.meals.contracts.menus import PublishMenu
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.statements import Statements
from courtside.modules.meals.store.menus import MenuStore
from testkit.factories.meals import MONDAY, PORK, RICE, a_canteen

TUESDAY = MONDAY + timedelta(days=1)
LAST = MONDAY + timedelta(days=30)  # nobody can publish further ahead
PEANUT, SOY = (Allergen.PEANUT,), (Allergen.SOY,)


async def states(canteen, allergens, *, name=PORK, version=1):
    request = SetDishAllergens(
        canteen=canteen.id,
        dish=canteen.dish(name),
        allergens=allergens,
        expected_version=version,
    )
    service = canteen.court.app.get(Canteens)
    await service.set_dish_allergens(canteen.cook, request, key=canteen.key(), now=canteen.now)


async def shown(canteen, on=MONDAY):
    return {(x.period, x.name): x.allergens for x in (await canteen.menu(on)).lines}


def restated(app):
    """How often lines were written after a statement."""
    items = app.engine.items("journal")
    return len([i for i in items if "#meals.restate_allergens#" in i["pk"]["S"]])


class TestAStatement:
    async def test_reaches_all_meals_of_all_days_ahead(self, canteen, app):
        await canteen.serves({PORK: 5, RICE: 5})
        await canteen.serves({PORK: 5}, period=Period.DINNER)
        await canteen.serves({PORK: 5}, on=LAST)

        await states(canteen, PEANUT)
        await app.settle()

        assert await shown(canteen) == {
            (Period.LUNCH, PORK): PEANUT,
            (Period.DINNER, PORK): PEANUT,
            (Period.LUNCH, RICE): (),
        }
        assert await shown(canteen, LAST) == {(Period.LUNCH, PORK): PEANUT}
        assert restated(app) == 2

    async def test_is_counted_with_the_dish(self, canteen, app):
        """After the meal was closed too: the next count says what is known by then."""
        await canteen.serves({PORK: 5})
        first = await canteen.counts()

        await states(canteen, PEANUT)
        await app.settle()
        second = await canteen.counts()

        assert [line.allergens for line in first.lines] == [()]
        assert [line.allergens for line in second.lines] == [PEANUT]

    async def test_leaves_the_past_and_other_canteens_alone(self, canteen, app, court):
        other = await a_canteen(court, name="二食堂")
        await other.serves({PORK: 5}, on=TUESDAY)
        await canteen.serves({PORK: 5})
        await canteen.serves({PORK: 5}, on=TUESDAY)
        app.clock.advance(days=1)

        await states(canteen, PEANUT)
        await app.settle()

        assert await shown(canteen) == {(Period.LUNCH, PORK): ()}
        assert await shown(canteen, TUESDAY) == {(Period.LUNCH, PORK): PEANUT}
        assert await shown(other, TUESDAY) == {(Period.LUNCH, PORK): ()}

    async def test_changes_no_portions(self, canteen, app):
        await canteen.serves({PORK: 5})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        await canteen.has_order(diner, {PORK: 2})

        await states(canteen, PEANUT)
        await app.settle()

        assert await canteen.left(PORK) == 3
        assert (await canteen.counts()).agrees

    async def test_is_the_newest_whichever_fact_comes_last(self, canteen, app):
        """D-14: facts in any order, twice; what is written is what is stated by then."""
        await canteen.serves({PORK: 5})
        await states(canteen, PEANUT)
        await states(canteen, SOY, version=2)

        await app.settle()
        before = app.engine.dump()
        app.pump.rewind()
        await app.settle()

        assert await shown(canteen) == {(Period.LUNCH, PORK): SOY}
        assert app.engine.dump() == before

    async def test_made_between_reading_and_writing_wins(self, canteen, app, monkeypatch):
        await canteen.serves({PORK: 5})
        await states(canteen, PEANUT)
        right, done = MenuStore.restate_lines, []

        async def late(store, *asked):
            if not done:
                done.append(True)
                await states(canteen, SOY, version=2)
            return await right(store, *asked)

        monkeypatch.setattr(MenuStore, "restate_lines", late)
        await app.settle()

        assert await shown(canteen) == {(Period.LUNCH, PORK): SOY}

    async def test_reaches_lines_that_a_publishing_is_writing(self, canteen, app, monkeypatch):
        """The child has read the dish; the statement comes and finds no line; the child writes."""
        await canteen.knows_dish(PORK)
        await canteen.drafts({PORK: 5})
        request = PublishMenu(canteen=canteen.id, from_on=MONDAY, to_on=MONDAY)
        done = await app.get(Menus).publish_menu(
            canteen.cook, request, key="publish-1", now=canteen.now
        )
        right, stated = MenuStore.publish_lines, []

        async def late(store, *asked):
            if not stated:
                stated.append(True)
                await states(canteen, PEANUT)
                await app.pump.stream()
                await app.pump.queue("events", app.pump.workers["events"])
            return await right(store, *asked)

        monkeypatch.setattr(MenuStore, "publish_lines", late)
        job = await app.app.runner.run(canteen.court.code, done.value.id)

        assert job.state is JobState.DONE
        assert restated(app) == 0
        assert await shown(canteen) == {(Period.LUNCH, PORK): PEANUT}

    async def test_is_spread_by_the_system_alone(self, canteen, app):
        await canteen.serves({PORK: 5})
        foundation = app.app.database
        service = Statements(
            menus=MenuStore(foundation), journal=foundation.journal, actors=canteen.court.people
        )

        with pytest.raises(NotPermitted):
            await service.restate_allergens(
                canteen.cook, canteen.id, canteen.dish(PORK), key="a-key-12", now=canteen.now
            )
        await service.restate_allergens(
            system(canteen.court.code, "meals"),
            canteen.id,
            canteen.dish(PORK),
            key="a-key-12",
            now=canteen.now,
        )

        assert restated(app) == 0
