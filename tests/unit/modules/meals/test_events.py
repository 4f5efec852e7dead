"""Every fact that meals tells, as the journal holds it, against its schema."""

from datetime import time, timedelta

from courtside.kernel.actor import Role
from courtside.kernel.workdays import local_instant
from courtside.modules.meals import events
from courtside.modules.meals.contracts.canteens import Allergen, Period, SetDishAllergens
from courtside.modules.meals.contracts.menus import MoveCutOff
from courtside.modules.meals.contracts.orders import (
    CancelMealOrder,
    ChangeMealOrder,
    CollectMealOrder,
)
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP
from testkit.facts import facts, schema_errors

TUESDAY = MONDAY + timedelta(days=1)
TOLD = {
    events.MealOrderPlaced.name,
    events.MealOrderChanged.name,
    events.MealOrderCancelled.name,
    events.MealOrderKept.name,
    events.MealOrderCollected.name,
    events.MenuPublished.name,
    events.CutOffMoved.name,
    events.AllergensStated.name,
    events.KitchenCountIssued.name,
}


async def a_day_of_everything(app, canteen):
    """One of each fact, through the use cases."""
    orders, menus = app.get(MealOrders), app.get(Menus)
    await canteen.grants_subsidy(1500, change_at="09:30")
    await canteen.serves({PORK: 10, RICE: 10, SOUP: 10})
    await canteen.serves({PORK: 10}, on=TUESDAY)
    until = local_instant(MONDAY, time(10, 0))
    statement = SetDishAllergens(
        canteen=canteen.id,
        dish=canteen.dish(RICE),
        allergens=tuple(Allergen),
        expected_version=1,
    )
    await app.get(Canteens).set_dish_allergens(
        canteen.cook, statement, key="state-01", now=canteen.now
    )
    move = MoveCutOff(
        canteen=canteen.id,
        date=MONDAY,
        period=Period.LUNCH,
        order_by=until,
        change_by=until,
        cancel_by=until,
    )
    await menus.move_cut_off(canteen.cook, move, key="move-0001", now=canteen.now)
    await app.settle()
    diner, leaver = await canteen.court.somebody(), await canteen.court.somebody()
    order = await canteen.has_order(diner, {PORK: 1})
    change = ChangeMealOrder(
        order=order.key, canteen=canteen.id, lines=canteen.lines({RICE: 2, SOUP: 1})
    )
    await orders.change_order(diner, change, key="change-01", now=canteen.now)
    cancel = CancelMealOrder(order=order.key)
    await orders.cancel_order(diner, cancel, key="cancel-01", now=canteen.now)
    order = await canteen.has_order(diner, {PORK: 1})
    await canteen.has_order(leaver, {PORK: 1})
    await canteen.counts()
    server = await canteen.court.somebody(Role.SERVING)
    scan = CollectMealOrder(canteen=canteen.id, code=order.code, window="1号窗口")
    await orders.collect_order(server, scan, key="collect-1", now=canteen.now)
    await canteen.court.leaves(leaver)
    await app.settle()


async def test_every_fact_keeps_its_schema(app, canteen):
    await a_day_of_everything(app, canteen)

    told = [fact for fact in facts(app.engine) if fact.name.startswith("meals.")]

    assert {fact.name for fact in told} == TOLD
    assert {fact.name: schema_errors(fact) for fact in told} == {name: [] for name in TOLD}


async def test_no_fact_or_entry_holds_a_name(app, canteen):
    await a_day_of_everything(app, canteen)

    kept = str(app.engine.items("journal"))

    assert "李小雨" not in kept
    assert PORK not in kept


async def test_every_entry_fits_a_kilobyte(app, canteen):
    await a_day_of_everything(app, canteen)

    sizes = {
        item["pk"]["S"]: sum(
            len(name) + len(next(iter(value.values())).encode()) for name, value in item.items()
        )
        for item in app.engine.items("journal")
        if "#meals." in item["pk"]["S"]
    }

    assert max(sizes.values()) <= 1024
