"""The office's screens: canteens, meals, dishes, publishing, cut-offs."""

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.factories.meals import PORK
from testkit.factories.people import COURT
from testkit.screens import Screen, screens

RULE = {"daysBefore": 0, "at": "09:30", "count": "WORKDAYS"}
LUNCH = {
    "period": "LUNCH",
    "serveFrom": "11:30",
    "serveTo": "13:00",
    "order": RULE,
    "change": {**RULE, "at": "09:00"},
    "cancel": {**RULE, "at": "09:00"},
    "subsidy": "15.00",
}


@pytest.fixture
async def manager(app, court) -> Screen:
    await court.somebody(Role.LOGISTICS_MANAGER, staff_no="M1")
    return screens(app).of("M1", court=COURT)


@pytest.fixture
async def office(app, court) -> Screen:
    await court.somebody(Role.LOGISTICS_OFFICER, staff_no="O1")
    return screens(app).of("O1", court=COURT)


def canteen_id(canteen):
    return encode("Canteen", canteen.id)


class TestAddCanteen:
    async def test_answers_the_canteen(self, manager):
        given = {"name": "二食堂", "site": "综合楼", "windows": ["一号", "二号"]}

        answer = await manager.do("AddCanteen", given)

        canteen = answer.data["addCanteen"]["canteen"]
        assert answer.data["addCanteen"] == {
            "canteen": {"id": canteen["id"], **given, "version": 1},
            "replayed": False,
            "errors": [],
        }
        assert answer.meter.items_written == 6

    @pytest.mark.parametrize("given", [{"name": " "}, {"windows": []}, {"windows": ["一", "一"]}])
    async def test_refuses_what_has_no_name(self, app, manager, given):
        before = app.engine.dump()

        answer = await manager.do("AddCanteen", {"name": "二食堂", "windows": ["一号"], **given})

        (error,) = answer.data["addCanteen"]["errors"]
        assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", *given])
        assert app.engine.dump() == before


class TestCanteens:
    async def test_lists_the_court_s_own(self, canteen, manager):
        answer = await manager.show("Canteens")

        assert answer.data == {
            "canteens": [
                {
                    "id": canteen_id(canteen),
                    "name": "机关食堂",
                    "site": "审判楼一层",
                    "windows": ["1号窗口", "2号窗口"],
                    "version": 1,
                }
            ]
        }
        assert (answer.meter.reads, answer.meter.rounds) == (2, 1)


class TestMealPeriods:
    async def test_lists_four_meals_in_the_day_s_order(self, canteen, manager):
        answer = await manager.show("MealPeriods", canteenId=canteen_id(canteen))

        periods = answer.data["mealPeriods"]
        assert [p["period"] for p in periods] == ["BREAKFAST", "LUNCH", "DINNER", "NIGHT"]
        assert periods[0] == {
            "period": "BREAKFAST",
            "serveFrom": "07:00",
            "serveTo": "08:30",
            "order": {"daysBefore": 1, "at": "17:00", "count": "WORKDAYS"},
            "change": {"daysBefore": 1, "at": "16:30", "count": "WORKDAYS"},
            "cancel": {"daysBefore": 1, "at": "16:30", "count": "WORKDAYS"},
            "subsidy": "0.00",
            "version": 1,
        }
        assert (answer.meter.reads, answer.meter.rounds) == (2, 1)


class TestSetMealPeriod:
    async def test_answers_the_next_version(self, canteen, manager):
        given = {"canteenId": canteen_id(canteen), **LUNCH, "expectedVersion": 2}

        answer = await manager.do("SetMealPeriod", given)

        assert answer.data["setMealPeriod"] == {
            "mealPeriod": {**LUNCH, "version": 3},
            "replayed": False,
            "errors": [],
        }

    async def test_tells_lost_updates(self, app, canteen, manager):
        """D-11: somebody else set the meal since it was read."""
        before = app.engine.dump()
        given = {"canteenId": canteen_id(canteen), **LUNCH, "expectedVersion": 1}

        answer = await manager.do("SetMealPeriod", given)

        (error,) = answer.data["setMealPeriod"]["errors"]
        assert (error["code"], error["path"]) == ("VERSION_CONFLICT", ["input", "expectedVersion"])
        assert app.engine.dump() == before


class TestDishes:
    async def test_shows_those_without_a_statement_first(self, canteen, office):
        await canteen.knows_dish("宫保鸡丁", price=1000, allergens=None)

        answer = await office.show("Dishes", canteenId=canteen_id(canteen))

        first, *rest = answer.data["dishes"]
        assert first == {
            "id": encode("Dish", canteen.id, canteen.dish("宫保鸡丁")),
            "name": "宫保鸡丁",
            "category": "",
            "price": "10.00",
            "allergens": None,
            "tags": [],
            "version": 1,
        }
        assert len(rest) == 3
        assert (answer.meter.reads, answer.meter.rounds) == (2, 1)


class TestAddDish:
    async def test_answers_the_dish(self, canteen, office):
        given = {
            "name": "辣子鸡",
            "category": "热菜",
            "price": "18.50",
            "allergens": ["PEANUT", "SOY"],
            "tags": ["SPICY_3"],
        }

        answer = await office.do("AddDish", {"canteenId": canteen_id(canteen), **given})

        assert answer.data["addDish"] == {
            "dish": {
                "id": encode("Dish", canteen.id, canteen.dish("辣子鸡")),
                **given,
                "version": 1,
            },
            "replayed": False,
            "errors": [],
        }

    async def test_refuses_a_name_twice(self, app, canteen, office):
        before = app.engine.dump()

        answer = await office.do(
            "AddDish", {"canteenId": canteen_id(canteen), "name": PORK, "price": "1.00"}
        )

        (error,) = answer.data["addDish"]["errors"]
        assert error["code"] == "DISH_EXISTS"
        assert app.engine.dump() == before


class TestSetDishAllergens:
    async def test_states_that_there_are_none(self, canteen, office):
        dish = await canteen.knows_dish("白粥", price=100, allergens=None)
        given = {
            "dishId": encode("Dish", canteen.id, dish),
            "allergens": [],
            "expectedVersion": 1,
        }

        answer = await office.do("SetDishAllergens", given)

        told = answer.data["setDishAllergens"]
        assert (told["dish"]["allergens"], told["dish"]["version"]) == ([], 2)
        assert told["errors"] == []


class TestPublishMenu:
    async def test_begins_a_job(self, canteen, office):
        await canteen.drafts({PORK: 30})
        given = {"canteenId": canteen_id(canteen), "from": "2026-03-02", "to": "2026-03-02"}

        answer = await office.do("PublishMenu", given)

        told = answer.data["publishMenu"]
        assert told == {
            "job": {
                "id": told["job"]["id"],
                "kind": "meals.publish",
                "state": "RUNNING",
                "done": 0,
                "steps": 3,
            },
            "replayed": False,
            "errors": [],
        }

    async def test_lists_dishes_without_a_statement(self, app, canteen, office):
        await canteen.knows_dish("宫保鸡丁", allergens=None)
        await canteen.drafts({"宫保鸡丁": 30})
        before = app.engine.dump()
        given = {"canteenId": canteen_id(canteen), "from": "2026-03-02", "to": "2026-03-02"}

        answer = await office.do("PublishMenu", given)

        assert answer.data["publishMenu"]["errors"] == [
            {
                "code": "NO_ALLERGEN_STATEMENT",
                "message": "以下菜品尚未声明过敏原,不能发布:宫保鸡丁。",
                "path": None,
                "dishNames": ["宫保鸡丁"],
            }
        ]
        assert app.engine.dump() == before


class TestMoveCutOff:
    async def test_begins_a_job(self, app, canteen, judge, office):
        until = "2026-03-02T10:30:00+08:00"
        given = {
            "canteenId": canteen_id(canteen),
            "date": "2026-03-02",
            "period": "LUNCH",
            "orderBy": until,
            "changeBy": until,
            "cancelBy": until,
        }

        answer = await office.do("MoveCutOff", given)
        await app.settle()

        told = answer.data["moveCutOff"]
        assert (told["job"]["kind"], told["errors"]) == ("meals.move_cut_off", [])
        app.clock.advance(hours=1)
        assert (await canteen.has_order(judge, {PORK: 1})).version == 1
