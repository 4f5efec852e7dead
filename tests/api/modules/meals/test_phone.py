"""What a diner does on a phone: whole answers, and what each costs."""

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP, order_key
from testkit.factories.people import COURT
from testkit.screens import screens

NOW = "2026-03-02T09:00:00.000+08:00"
CLOSES = "2026-03-02T09:30:00.000+08:00"


def dish(canteen, name):
    return encode("Dish", canteen.id, canteen.dish(name))


def order_id(diner, on=MONDAY):
    return encode("MealOrder", *str(order_key(diner, on)).split("#"))


def wants(canteen, portions, **more):
    lines = [{"dishId": dish(canteen, name), "quantity": n} for name, n in portions.items()]
    return {
        "canteenId": encode("Canteen", canteen.id),
        "date": "2026-03-02",
        "period": "LUNCH",
        "lines": lines,
        **more,
    }


def shown(canteen, diner, code, portions, **more):
    prices = {PORK: "12.00", RICE: "1.00", SOUP: "3.00"}
    return {
        "id": order_id(diner),
        "version": 1,
        "state": "PLACED",
        "date": "2026-03-02",
        "period": "LUNCH",
        "canteenId": encode("Canteen", canteen.id),
        "lines": [
            {"dishId": dish(canteen, name), "name": name, "quantity": n, "price": prices[name]}
            for name, n in portions.items()
        ],
        "code": code,
        "placedAt": NOW,
        "collectedAt": None,
        "window": None,
        **more,
    }


def cost(answer):
    meter = answer.meter
    return meter.reads, meter.writes, meter.rounds, meter.items_written


class TestHome:
    async def test_shows_everything_in_two_rounds(self, canteen, judge, phone):
        await canteen.has_order(judge, {PORK: 1})

        answer = await phone.show("Home")

        home = answer.data["mealsHome"]
        (meal,) = home["days"][0]["meals"]
        lines = sorted(meal.pop("lines"), key=lambda line: line["left"])
        assert lines[2] == {
            "dishId": dish(canteen, RICE),
            "name": RICE,
            "price": "1.00",
            "left": 20,
            "allergens": [],
            "tags": [],
        }
        assert [line["left"] for line in lines] == [5, 9, 20]
        assert meal == {
            "period": "LUNCH",
            "servesFrom": "2026-03-02T11:30:00.000+08:00",
            "servesTo": "2026-03-02T13:00:00.000+08:00",
            "closesAt": CLOSES,
            "changesUntil": CLOSES,
            "cancelsUntil": CLOSES,
            "secondsLeft": 1800,
            "isOpen": True,
            "subsidyLeft": "3.00",
        }
        code = home["orders"][0]["code"]
        assert home == {
            "serverNow": NOW,
            "canteen": {"id": encode("Canteen", canteen.id), "name": "机关食堂"},
            "days": [{"date": "2026-03-02", "meals": [meal]}, {"date": "2026-03-03", "meals": []}],
            "orders": [
                {
                    "id": order_id(judge),
                    "version": 1,
                    "state": "PLACED",
                    "date": "2026-03-02",
                    "period": "LUNCH",
                    "lines": [{"name": PORK, "quantity": 1}],
                    "total": "12.00",
                    "code": code,
                }
            ],
            "wallet": "100.00",
        }
        assert answer.meter.rounds == 2

    async def test_stays_below_eight_kilobytes_with_twenty_dishes(self, canteen, judge, phone):
        names = ["".join(chr(0x4E00 + 9 * n + i) for i in range(8)) for n in range(17)]
        await canteen.serves(dict.fromkeys([*names, PORK, RICE, SOUP], 50))

        answer = await phone.show("Home", canteenId=encode("Canteen", canteen.id))

        assert len(answer.data["mealsHome"]["days"][0]["meals"][0]["lines"]) == 20
        assert len(answer.raw) <= 8 * 1024

    async def test_lists_no_dishes_of_a_closed_meal_which_the_day_s_menu_does(
        self, app, canteen, phone
    ):
        app.clock.advance(minutes=31)

        home = await phone.show("Home")
        day = await phone.show(
            "DayMenu", canteenId=encode("Canteen", canteen.id), date="2026-03-02"
        )

        (closed,) = home.data["mealsHome"]["days"][0]["meals"]
        (listed,) = day.data["dayMenu"]["meals"]
        assert (closed["isOpen"], closed["lines"]) == (False, [])
        assert (listed["isOpen"], len(listed["lines"])) == (False, 3)

    async def test_finds_no_such_canteen(self, phone):
        answer = await phone.show("Home", canteenId=encode("Canteen", "NOSUCH"))

        assert answer.codes == ["NOT_FOUND"]


class TestDayMenu:
    async def test_is_one_read_of_the_day(self, canteen, judge, phone):
        answer = await phone.show(
            "DayMenu", canteenId=encode("Canteen", canteen.id), date="2026-03-02"
        )

        menu = answer.data["dayMenu"]
        assert (menu["serverNow"], menu["date"]) == (NOW, "2026-03-02")
        (meal,) = menu["meals"]
        told = {line["name"]: (line["left"], line["price"]) for line in meal["lines"]}
        assert told == {PORK: (10, "12.00"), RICE: (20, "1.00"), SOUP: (5, "3.00")}
        assert cost(answer) == (2, 0, 1, 0)
        assert len(answer.raw) <= 6 * 1024

    async def test_shows_what_is_left_of_one_s_own_subsidy(self, canteen, judge, phone):
        await canteen.has_order(judge, {PORK: 1})

        answer = await phone.show(
            "DayMenu", canteenId=encode("Canteen", canteen.id), date="2026-03-02"
        )

        assert [meal["subsidyLeft"] for meal in answer.data["dayMenu"]["meals"]] == ["3.00"]

    async def test_shows_no_meals_of_an_unpublished_day(self, canteen, phone):
        answer = await phone.show(
            "DayMenu", canteenId=encode("Canteen", canteen.id), date="2026-03-04"
        )

        assert answer.data["dayMenu"]["meals"] == []


class TestMyMealOrders:
    async def test_shows_one_s_own_alone(self, canteen, judge, phone):
        order = await canteen.has_order(judge, {PORK: 1, RICE: 4})
        other = await canteen.court.somebody()
        await canteen.has_order(other, {RICE: 1})

        answer = await phone.show("MyMealOrders", **{"from": "2026-02-23", "to": "2026-03-06"})

        money = {"total": "16.00", "subsidy": "15.00", "wallet": "1.00"}
        expected = shown(canteen, judge, order.code, {PORK: 1, RICE: 4}, **money)
        assert answer.data == {"myMealOrders": [expected]}
        assert cost(answer) == (1, 0, 1, 0)


class TestPlaceMealOrder:
    async def test_answers_the_order_and_its_code(self, canteen, judge, phone):
        answer = await phone.do("PlaceMealOrder", wants(canteen, {PORK: 2, RICE: 1}))

        payload = answer.data["placeMealOrder"]
        code = payload["order"]["code"]
        money = {"total": "25.00", "subsidy": "15.00", "wallet": "10.00"}
        assert payload == {
            "order": shown(canteen, judge, code, {PORK: 2, RICE: 1}, **money),
            "replayed": False,
            "errors": [],
        }
        assert cost(answer) == (1, 1, 2, 6)
        assert answer.meter.write_units <= 20

    async def test_answers_the_same_again_after_the_cut_off(self, app, canteen, judge, phone):
        given = wants(canteen, {PORK: 1})
        first = await phone.do("PlaceMealOrder", given)
        app.clock.advance(hours=3)
        before = app.engine.dump()

        again = await phone.do("PlaceMealOrder", given)

        expected = {**first.data["placeMealOrder"], "replayed": True}
        assert again.data["placeMealOrder"] == expected
        assert app.engine.dump() == before

    async def test_says_what_is_left_and_what_else(self, app, canteen, judge, phone):
        rival = await canteen.court.somebody()
        await canteen.has_order(rival, {SOUP: 5})
        before = app.engine.dump()

        refused = await phone.do("PlaceMealOrder", wants(canteen, {SOUP: 1}))

        assert app.engine.dump() == before
        assert refused.data["placeMealOrder"] == {
            "order": None,
            "replayed": False,
            "errors": [
                {
                    "code": "SOLD_OUT",
                    "message": "“番茄蛋汤”已订完。",
                    "path": ["input", "lines"],
                    "dishId": dish(canteen, SOUP),
                    "name": SOUP,
                    "left": 0,
                    "alternatives": [
                        {"dishId": dish(canteen, RICE), "name": RICE, "left": 20, "price": "1.00"},
                        {"dishId": dish(canteen, PORK), "name": PORK, "left": 10, "price": "12.00"},
                    ],
                }
            ],
        }

    async def test_says_what_is_missing(self, canteen):
        app = canteen.court.app
        await canteen.court.somebody(staff_no="P1")
        poor = screens(app).of("P1", court=COURT, language="en")

        answer = await poor.do("PlaceMealOrder", wants(canteen, {PORK: 2}))

        assert answer.data["placeMealOrder"]["errors"] == [
            {
                "code": "INSUFFICIENT_FUNDS",
                "message": "Not enough money: 9.00 yuan short (15.00 available).",
                "path": None,
                "missing": "9.00",
                "available": "15.00",
            }
        ]
        keys = [item["pk"]["S"] for item in app.engine.items("journal")]
        assert sum("#R#INSUFFICIENT_FUNDS#" in key for key in keys) == 1
        assert not any("#meals.place_order#" in key for key in keys)

    async def test_says_when_ordering_closed(self, app, canteen, judge, phone):
        app.clock.advance(minutes=30)

        answer = await phone.do("PlaceMealOrder", wants(canteen, {PORK: 1}))

        assert answer.data["placeMealOrder"]["errors"] == [
            {
                "code": "ORDER_WINDOW_CLOSED",
                "message": "订餐已于 03-02 09:30 截止。",
                "path": None,
                "closedAt": CLOSES,
            }
        ]

    async def test_points_to_the_live_order(self, canteen, judge, phone):
        order = await canteen.has_order(judge, {PORK: 1})

        answer = await phone.do("PlaceMealOrder", wants(canteen, {RICE: 1}))

        assert answer.data["placeMealOrder"]["errors"] == [
            {
                "code": "ALREADY_ORDERED",
                "message": f"这一餐已有订餐(取餐码 {order.code}),可改餐。",
                "path": None,
                "orderId": order_id(judge),
                "pickupCode": order.code,
                "version": 1,
            }
        ]

    @pytest.mark.parametrize(
        ("change", "code", "path"),
        [
            ({"canteenId": "bogus"}, "INVALID_INPUT", ["input", "canteenId"]),
            ({"lines": []}, "INVALID_INPUT", ["input", "lines"]),
            ({"date": "2026-03-05"}, "MENU_NOT_PUBLISHED", ["input", "date"]),
            ({"idempotencyKey": "short"}, "INVALID_INPUT", ["input", "idempotencyKey"]),
            (
                {"lines": [{"dishId": "Zm9v", "quantity": 1}]},
                "INVALID_INPUT",
                ["input", "lines", "0", "dishId"],
            ),
        ],
    )
    async def test_names_the_field(self, canteen, phone, change, code, path):
        app = canteen.court.app
        before = app.engine.dump()

        answer = await phone.do("PlaceMealOrder", {**wants(canteen, {PORK: 1}), **change})

        (error,) = answer.data["placeMealOrder"]["errors"]
        assert (error["code"], error["path"]) == (code, path)
        assert app.engine.dump() == before


class TestChangeMealOrder:
    async def test_answers_the_next_version(self, canteen, judge, phone):
        order = await canteen.has_order(judge, {PORK: 1, RICE: 5})
        given = {
            "orderId": order_id(judge),
            "lines": [{"dishId": dish(canteen, SOUP), "quantity": 1}],
            "expectedVersion": 1,
        }

        answer = await phone.do("ChangeMealOrder", given)

        money = {"total": "3.00", "subsidy": "3.00", "wallet": "0.00"}
        assert answer.data["changeMealOrder"] == {
            "order": shown(canteen, judge, order.code, {SOUP: 1}, version=2, **money),
            "replayed": False,
            "errors": [],
        }
        assert cost(answer) == (1, 1, 2, 7)

    async def test_refuses_another_version(self, canteen, judge, phone):
        await canteen.has_order(judge, {PORK: 1})
        given = {
            "orderId": order_id(judge),
            "lines": [{"dishId": dish(canteen, SOUP), "quantity": 1}],
            "expectedVersion": 9,
        }

        answer = await phone.do("ChangeMealOrder", given)

        (error,) = answer.data["changeMealOrder"]["errors"]
        assert error["code"] == "VERSION_CONFLICT"
        assert await canteen.left(PORK) == 9


class TestCancelMealOrder:
    async def test_answers_the_cancelled_order(self, canteen, judge, phone):
        order = await canteen.has_order(judge, {PORK: 2})

        answer = await phone.do("CancelMealOrder", {"orderId": order_id(judge)})

        money = {"total": "24.00", "subsidy": "15.00", "wallet": "9.00"}
        assert answer.data["cancelMealOrder"] == {
            "order": shown(
                canteen, judge, order.code, {PORK: 2}, version=2, state="CANCELLED", **money
            ),
            "replayed": False,
            "errors": [],
        }
        assert cost(answer) == (1, 1, 2, 5)
        assert await canteen.wallet(judge) == 10_000

    async def test_says_when_cancelling_closed(self, app, canteen, judge, phone):
        await canteen.has_order(judge, {PORK: 2})
        app.clock.advance(minutes=45)

        answer = await phone.do("CancelMealOrder", {"orderId": order_id(judge)})

        (error,) = answer.data["cancelMealOrder"]["errors"]
        assert (error["code"], error["closedAt"]) == ("CANCEL_WINDOW_CLOSED", CLOSES)


class TestForAnother:
    async def test_a_clerk_orders_for_a_colleague(self, app, canteen):
        unit = await canteen.court.a_unit()
        await canteen.court.somebody(Role.CLERK, unit=unit.id, staff_no="C1")
        judge = await canteen.court.somebody(unit=unit.id)
        clerk = screens(app).of("C1", court=COURT)

        answer = await clerk.do(
            "PlaceMealOrder", wants(canteen, {PORK: 1}, dinerId=encode("Person", judge.person))
        )

        assert answer.data["placeMealOrder"]["order"]["id"] == order_id(judge)
        assert cost(answer) == (1, 1, 2, 5)  # the clerk's grants are checked once more
