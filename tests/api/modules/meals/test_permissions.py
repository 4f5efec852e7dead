"""Who may do what in meals: every mutation and query with every caller.

On a refusal nothing of the use case remains but the audit entry of a refused permission.
"""

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.callers import (
    ANYBODY,
    CALLERS,
    a_caller,
    a_foreigner,
    audited,
    expected,
    left_behind,
    refusals,
)
from testkit.factories.meals import PORK, SOUP, order_key

KITCHEN = {Role.KITCHEN, Role.LOGISTICS_OFFICER}
MANAGERS = {Role.LOGISTICS_MANAGER, Role.ADMINISTRATOR}
SERVING = {Role.SERVING, Role.KITCHEN}
UNTIL = "2026-03-02T10:30:00+08:00"
RULE = {"daysBefore": 0, "at": "09:30"}
MUTATIONS = {
    "AddCanteen": ({"name": "二食堂", "windows": ["一号"]}, MANAGERS),
    "SetMealPeriod": (
        {
            "canteenId": "$canteen",
            "period": "LUNCH",
            "serveFrom": "11:30",
            "serveTo": "13:00",
            "order": RULE,
            "change": RULE,
            "cancel": RULE,
            "subsidy": "1.00",
            "expectedVersion": 2,
        },
        MANAGERS,
    ),
    "AddDish": ({"canteenId": "$canteen", "name": "辣子鸡", "price": "1.00"}, KITCHEN),
    "SetDishAllergens": ({"dishId": "$dish", "allergens": [], "expectedVersion": 1}, KITCHEN),
    "PublishMenu": ({"canteenId": "$canteen", "from": "2026-03-03", "to": "2026-03-03"}, KITCHEN),
    "MoveCutOff": (
        {
            "canteenId": "$canteen",
            "date": "2026-03-02",
            "period": "LUNCH",
            "orderBy": UNTIL,
            "changeBy": UNTIL,
            "cancelBy": UNTIL,
        },
        KITCHEN,
    ),
    "IssueKitchenCount": (
        {"canteenId": "$canteen", "date": "2026-03-02", "period": "LUNCH", "early": True},
        KITCHEN,
    ),
    "CollectMealOrder": ({"canteenId": "$canteen", "code": "$code", "window": "1号窗口"}, SERVING),
    "PlaceMealOrder": (
        {
            "canteenId": "$canteen",
            "date": "2026-03-02",
            "period": "LUNCH",
            "lines": [{"dishId": "$soup", "quantity": 1}],
        },
        ANYBODY,
    ),
    "ChangeMealOrder": (
        {"orderId": "$order", "lines": [{"dishId": "$soup", "quantity": 1}]},
        set(),
    ),
    "CancelMealOrder": ({"orderId": "$order"}, set()),
}
QUERIES = {
    "Canteens": ({}, ANYBODY),
    "MealPeriods": ({"canteenId": "$canteen"}, ANYBODY),
    "Dishes": ({"canteenId": "$canteen"}, KITCHEN | MANAGERS),
    "Home": ({}, ANYBODY),
    "DayMenu": ({"canteenId": "$canteen", "date": "2026-03-02"}, ANYBODY),
    "MyMealOrders": ({"from": "2026-03-02", "to": "2026-03-02"}, ANYBODY),
}
ALL = {**MUTATIONS, **QUERIES}
ABSENT = {
    "PlaceMealOrder": ["MENU_NOT_PUBLISHED"],
    "MoveCutOff": ["MENU_NOT_PUBLISHED"],
    "IssueKitchenCount": ["MENU_NOT_PUBLISHED"],
    "PublishMenu": ["NOTHING_DRAFTED"],
    "ChangeMealOrder": ["NOT_PERMITTED"],
    "CancelMealOrder": ["NOT_PERMITTED"],
    **{seen: [] for seen in ("MealPeriods", "Dishes", "DayMenu")},
}


class World:
    """What the operations speak of: an order of somebody else, and a draft to publish."""

    def __init__(self, canteen, order):
        self._known = {
            "$canteen": encode("Canteen", canteen.id),
            "$dish": encode("Dish", canteen.id, canteen.dish(PORK)),
            "$soup": encode("Dish", canteen.id, canteen.dish(SOUP)),
            "$order": encode("MealOrder", *str(order.key).split("#")),
            "$code": order.code,
        }

    def fill(self, value):
        if isinstance(value, dict):
            return {name: self.fill(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        return self._known.get(value, value) if isinstance(value, str) else value


@pytest.fixture
async def world(canteen, judge) -> World:
    order = await canteen.has_order(judge, {PORK: 1})
    await canteen.drafts({PORK: 5}, on=order_key(judge).date.replace(day=3))
    return World(canteen, order)


class TestPermissions:
    """Z-02 for meals."""

    @pytest.mark.parametrize("operation", list(ALL))
    @pytest.mark.parametrize("who", CALLERS)
    async def test_follow_the_table(self, app, court, world, operation, who):
        given, allowed = ALL[operation]
        screen = await a_caller(court, who)
        before = app.engine.dump()

        codes = refusals(await screen.ask(operation, world.fill(given)))

        assert codes == expected(who, allowed)
        if codes:
            assert left_behind(app, before) == audited(codes)

    @pytest.mark.parametrize("operation", [name for name in ALL if "$" in str(ALL[name][0])])
    async def test_end_at_the_court(self, app, world, operation):
        """Z-01: another court's canteens and orders are as if there were none."""
        screen = await a_foreigner(app)
        before = app.engine.dump()

        codes = refusals(await screen.ask(operation, world.fill(ALL[operation][0])))

        assert codes == ABSENT.get(operation, ["NOT_FOUND"])
        assert left_behind(app, before) == audited(codes)
