"""The kitchen's screens: counting, looking at a count, handing out."""

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.factories.meals import PORK, RICE, SOUP, order_key
from testkit.factories.people import COURT
from testkit.screens import Screen, screens

MEAL = {"date": "2026-03-02", "period": "LUNCH"}


@pytest.fixture
async def kitchen(app, canteen) -> Screen:
    await canteen.court.somebody(Role.KITCHEN, staff_no="K1")
    return screens(app).of("K1", court=COURT)


def of(canteen):
    return {"canteenId": encode("Canteen", canteen.id)}


def line(canteen, name, portions, diners):
    return {
        "dishId": encode("Dish", canteen.id, canteen.dish(name)),
        "name": name,
        "portions": portions,
        "diners": diners,
        "allergens": [],
    }


class TestIssueKitchenCount:
    async def test_begins_a_job(self, app, canteen, kitchen):
        app.clock.advance(minutes=30)

        answer = await kitchen.do("IssueKitchenCount", {**of(canteen), **MEAL})

        job = answer.data["issueKitchenCount"]["job"]
        assert answer.data["issueKitchenCount"] == {
            "job": {
                "id": job["id"],
                "kind": "meals.close",
                "state": "RUNNING",
                "done": 0,
                "steps": 1,
            },
            "replayed": False,
            "errors": [],
        }
        meter = answer.meter
        assert (meter.reads, meter.writes, meter.rounds, meter.items_written) == (2, 1, 2, 3)

    async def test_waits_for_the_cut_off(self, app, canteen, kitchen):
        before = app.engine.dump()

        answer = await kitchen.do("IssueKitchenCount", {**of(canteen), **MEAL})

        assert answer.data["issueKitchenCount"]["errors"] == [
            {
                "code": "STILL_OPEN",
                "message": "订餐到 03-02 09:30 才截止。",
                "path": None,
                "closesAt": "2026-03-02T09:30:00.000+08:00",
            }
        ]
        assert app.engine.dump() == before


class TestMealsJob:
    async def test_tells_how_far_it_is(self, app, canteen, kitchen):
        begun = await kitchen.do("IssueKitchenCount", {**of(canteen), **MEAL, "early": True})
        job = begun.data["issueKitchenCount"]["job"]
        await app.settle()

        answer = await kitchen.show("MealsJob", jobId=job["id"])

        told = {**job, "state": "DONE", "done": 1, "code": None, "message": None}
        assert answer.data == {"mealsJob": told}
        assert (answer.meter.reads, answer.meter.rounds) == (1, 1)


class TestKitchenCount:
    async def test_names_portions_and_codes_and_nobody(self, canteen, judge, kitchen):
        order = await canteen.has_order(judge, {PORK: 2, RICE: 1})
        await canteen.counts()

        answer = await kitchen.show("KitchenCount", **of(canteen), **MEAL)

        count = answer.data["kitchenCount"]
        count["lines"].sort(key=lambda told: told["portions"])
        assert count == {
            **MEAL,
            "version": 1,
            "issuedAt": "2026-03-02T09:00:00.000+08:00",
            "lines": [
                line(canteen, SOUP, 0, 0),
                line(canteen, RICE, 1, 1),
                line(canteen, PORK, 2, 1),
            ],
            "unlisted": [],
            "diners": [
                {
                    "code": order.code,
                    "portions": [{"name": PORK, "quantity": 2}, {"name": RICE, "quantity": 1}],
                }
            ],
            "counted": 3,
            "ordered": 3,
            "sold": 3,
            "agrees": True,
        }
        assert (answer.meter.reads, answer.meter.rounds) == (2, 2)
        assert "李小雨" not in answer.raw.decode()

    async def test_lists_what_was_taken_off_in_a_section_of_its_own(self, canteen, judge, kitchen):
        await canteen.has_order(judge, {PORK: 2, RICE: 1})
        await canteen.serves({RICE: 10})
        await canteen.counts()

        answer = await kitchen.show("KitchenCount", **of(canteen), **MEAL)

        count = answer.data["kitchenCount"]
        assert count["lines"] == [line(canteen, RICE, 1, 1)]
        assert count["unlisted"] == [line(canteen, PORK, 2, 1)]
        assert (count["counted"], count["agrees"]) == (3, True)

    async def test_was_not_issued_yet(self, canteen, kitchen):
        answer = await kitchen.show("KitchenCount", **of(canteen), **MEAL)

        assert answer.codes == ["NOT_FOUND"]


class TestCollectMealOrder:
    async def test_hands_out_once(self, canteen, judge, kitchen):
        order = await canteen.has_order(judge, {PORK: 1})
        given = {**of(canteen), "code": order.code.lower(), "window": "1号窗口"}

        first = await kitchen.do("CollectMealOrder", given)
        second = await kitchen.do("CollectMealOrder", given, key="key-00000002")

        assert first.data["collectMealOrder"] == {
            "order": {
                "id": encode("MealOrder", *str(order_key(judge)).split("#")),
                "state": "COLLECTED",
                **MEAL,
                "lines": [{"name": PORK, "quantity": 1}],
                "code": order.code,
                "collectedAt": "2026-03-02T09:00:00.000+08:00",
                "window": "1号窗口",
            },
            "replayed": False,
            "errors": [],
        }
        meter = first.meter
        assert (meter.reads, meter.writes, meter.rounds, meter.items_written) == (3, 1, 3, 2)
        assert second.data["collectMealOrder"]["errors"] == [
            {
                "code": "ALREADY_COLLECTED",
                "message": "已于 09:00 在1号窗口取餐。",
                "path": None,
                "collectedAt": "2026-03-02T09:00:00.000+08:00",
                "window": "1号窗口",
            }
        ]

    async def test_tells_another_day(self, app, canteen, judge, kitchen):
        order = await canteen.has_order(judge, {PORK: 1})
        app.clock.advance(hours=24)
        given = {**of(canteen), "code": order.code, "window": "1号窗口"}
        await canteen.court.somebody(Role.SERVING, staff_no="W1")

        answer = await screens(app).of("W1", court=COURT).do("CollectMealOrder", given)

        (error,) = answer.data["collectMealOrder"]["errors"]
        assert (error["code"], error["date"]) == ("CODE_OF_ANOTHER_DAY", "2026-03-02")
