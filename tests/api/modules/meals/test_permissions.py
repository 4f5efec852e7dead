"""Who may do what in meals: every mutation and query with every caller.

On a refusal nothing of the use case remains but the audit entry of a refused permission.
"""

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.factories.meals import PORK, SOUP, order_key
from testkit.factories.people import COURT, OTHER_COURT, a_court
from testkit.screens import screens

EVERYBODY = set(Role) - {Role.SYSTEM}
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
        EVERYBODY,
    ),
    "ChangeMealOrder": (
        {"orderId": "$order", "lines": [{"dishId": "$soup", "quantity": 1}]},
        set(),
    ),
    "CancelMealOrder": ({"orderId": "$order"}, set()),
}
QUERIES = {
    "Canteens": ({}, EVERYBODY),
    "MealPeriods": ({"canteenId": "$canteen"}, EVERYBODY),
    "Dishes": ({"canteenId": "$canteen"}, KITCHEN | MANAGERS),
    "Home": ({}, EVERYBODY),
    "DayMenu": ({"canteenId": "$canteen", "date": "2026-03-02"}, EVERYBODY),
    "MyMealOrders": ({"from": "2026-03-02", "to": "2026-03-02"}, EVERYBODY),
}
ALL = {**MUTATIONS, **QUERIES}


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


async def ask(screen, operation: str, world: World) -> list[str]:
    """The codes of refusals that the operation answers with."""
    given = world.fill(ALL[operation][0])
    if operation in QUERIES:
        return (await screen.show(operation, **given)).codes
    answer = await screen.do(operation, given)
    field = operation[0].lower() + operation[1:]
    return answer.codes or [error["code"] for error in answer.data[field]["errors"]]


def left_behind(app, before) -> list[str]:
    """Operations of new journal entries; fails if anything else was written."""
    after = app.engine.dump()
    assert {**after, "journal": before["journal"]} == before
    new = [item["pk"]["S"] for item in after["journal"] if item not in before["journal"]]
    return ["#".join(pk.split("#")[3:5]) for pk in new]


class TestPermissions:
    """Z-02 for meals."""

    @pytest.mark.parametrize("operation", list(ALL))
    @pytest.mark.parametrize("role", sorted(EVERYBODY))
    async def test_follow_the_table(self, app, court, world, operation, role):
        await court.somebody(*({role} - {Role.MEMBER}), staff_no="C1")
        before = app.engine.dump()

        codes = await ask(screens(app).of("C1", court=COURT), operation, world)

        if role in ALL[operation][1]:
            assert codes == []
        else:
            assert codes == ["NOT_PERMITTED"]
            assert left_behind(app, before) == ["R#NOT_PERMITTED"]

    @pytest.mark.parametrize("operation", list(ALL))
    @pytest.mark.parametrize("who", ["nobody", "stranger", "left"])
    async def test_are_nobody_s_without_being_of_the_court(self, app, court, world, operation, who):
        if who == "left":
            leaver = await court.somebody(*(EVERYBODY - {Role.MEMBER}), staff_no="L1")
            await court.leaves(leaver)
        number = {"nobody": None, "stranger": "S1", "left": "L1"}[who]
        before = app.engine.dump()

        codes = await ask(screens(app).of(number, court=COURT), operation, world)

        assert codes == ["NOT_SIGNED_IN" if who == "nobody" else "NOT_PERMITTED"]
        assert left_behind(app, before) == ([] if who == "nobody" else ["R#NOT_PERMITTED"])

    @pytest.mark.parametrize("operation", [name for name in ALL if "$" in str(ALL[name][0])])
    async def test_end_at_the_court(self, app, world, operation):
        """Z-01: another court's canteens and orders are as if there were none."""
        other = await a_court(app, code=OTHER_COURT)
        await other.somebody(*(EVERYBODY - {Role.MEMBER}), staff_no="X1")
        before = app.engine.dump()

        codes = await ask(screens(app).of("X1", court=OTHER_COURT), operation, world)

        absent = {
            "PlaceMealOrder": ["MENU_NOT_PUBLISHED"],
            "MoveCutOff": ["MENU_NOT_PUBLISHED"],
            "IssueKitchenCount": ["MENU_NOT_PUBLISHED"],
            "PublishMenu": ["NOTHING_DRAFTED"],
            "ChangeMealOrder": ["NOT_PERMITTED"],
            "CancelMealOrder": ["NOT_PERMITTED"],
            **{seen: [] for seen in ("MealPeriods", "Dishes", "DayMenu")},
        }
        assert codes == absent.get(operation, ["NOT_FOUND"])
        audited = ["R#NOT_PERMITTED"] if codes == ["NOT_PERMITTED"] else []
        assert left_behind(app, before) == audited
