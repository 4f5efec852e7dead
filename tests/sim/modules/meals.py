"""Meals in the simulation: orders against the last portions and the clock, and what the kitchen
does meanwhile."""

import asyncio
import hashlib
import json
from collections import Counter, defaultdict
from datetime import date, timedelta

from courtside.kernel.actor import PersonStatus, Role
from courtside.modules.meals.contracts import canteens, imports, kitchen, menus, orders
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.orders import Wanted
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.imports import Imports
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from courtside.modules.meals.store.canteens import to_dish
from courtside.modules.meals.store.items import (
    CountItem,
    DayItem,
    DishItem,
    DraftDayItem,
    ImportItem,
    LineItem,
    OrderItem,
)
from courtside.modules.meals.store.menus import to_day, to_line
from courtside.modules.meals.store.orders import _order as to_order
from courtside.modules.people.contracts import RecordLeaving
from courtside.modules.people.service import People
from courtside.platform.dynamo.database import load
from courtside.platform.dynamo.journal import from_item
from courtside.platform.dynamo.values import from_instant, plain
from sim.modules.people import persons
from testkit.factories.meals import MONDAY, PORK, PRICES, RICE, SOUP, a_canteen
from testkit.sheets import LIST, csv
from testkit.sim.registry import Action
from testkit.sim.weather import SKEW

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
MEALS = ((TUESDAY, Period.LUNCH), (MONDAY, Period.DINNER), (MONDAY, Period.LUNCH))
PLANNED = {PORK: 4, RICE: 8, SOUP: 2}
WALLET = 6_000
MENU = imports.ImportKind.MENU
WINDOW = "1号窗口"
BOUNDS = {"meals.place_order": "ob", "meals.change_order": "cb", "meals.cancel_order": "xb"}


async def prepare(cast):
    """A canteen with scarce dishes for three meals, and some money in every wallet."""
    court = cast.court
    canteen = await a_canteen(court)
    await canteen.grants_subsidy(1_500, change_at="09:20")
    for day, period in MEALS:
        await canteen.serves(PLANNED, on=day, period=period)
    for diner in cast.parts["diner"]:
        await canteen.tops_up(diner, WALLET)
    cast.things["canteen"], cast.things["dishes"] = canteen.id, [canteen.dish(d) for d in PLANNED]
    cast.things["dish"] = canteen.dish
    cast.parts["cook"] = (canteen.cook,)
    cast.parts["server"] = (await court.somebody(Role.SERVING),)
    cast.parts["finance"] = (await court.somebody(Role.FINANCE, staff_no="F0001"),)
    cast.parts["staff"] = (*cast.parts["staff"], canteen.cook, *cast.parts["finance"])


# ---- what people do ----


async def place(world):
    diner = world.one_of("diner")
    await world.ask(diner, MealOrders, "place_order", _wish(world))


async def place_for(world):
    request = _wish(world, diner=world.one_of("diner").person)
    await world.ask(world.one_of("clerk"), MealOrders, "place_order", request)


async def change(world):
    order = _some_order(world)
    if order is not None:
        request = orders.ChangeMealOrder(
            order=order.key,
            canteen=order.canteen,
            lines=_lines(world),
            expected_version=world.chance.choice((None, order.version)),
        )
        await world.ask(_diner(world, order), MealOrders, "change_order", request)


async def cancel(world):
    order = _some_order(world)
    if order is not None:
        request = orders.CancelMealOrder(order=order.key)
        await world.ask(_diner(world, order), MealOrders, "cancel_order", request)


async def collect(world):
    order = _some_order(world)
    if order is not None:
        request = orders.CollectMealOrder(canteen=order.canteen, code=order.code, window=WINDOW)
        await world.ask(world.one_of("server"), MealOrders, "collect_order", request)


async def order_while_leaving(world):
    """Somebody's last day: the order and the leaving meet somewhere on the way."""
    diner = world.one_of("diner")
    ordering = MealOrders, "place_order", _wish(world)
    leaving = People, "record_leaving", RecordLeaving(person=diner.person)
    asking = [(diner, *ordering), (world.one_of("administrator"), *leaving)]
    await asyncio.gather(*(world.ask(*each) for each in asking))


async def count(world):
    day, period = _meal(world)
    request = kitchen.IssueKitchenCount(
        canteen=_canteen(world), date=day, period=period, early=world.chance.random() < 0.3
    )
    await world.ask(world.one_of("cook"), Kitchen, "issue_count", request)


async def move_cut_off(world):
    """Often to a moment that is very near, so that many come just before or after it."""
    day, period = _meal(world)
    at = world.clock.now().replace(microsecond=0)
    bounds = [
        at + timedelta(seconds=world.chance.choice((3, 10, 60, 3600, 7200, 7200))) for _ in range(3)
    ]
    request = menus.MoveCutOff(
        canteen=_canteen(world),
        date=day,
        period=period,
        order_by=bounds[0],
        change_by=bounds[1],
        cancel_by=bounds[2],
    )
    await world.ask(world.one_of("cook"), Menus, "move_cut_off", request)


async def publish(world):
    """What is drafted of some days, for the first time or again."""
    start = world.chance.choice((MONDAY, TUESDAY, WEDNESDAY))
    request = menus.PublishMenu(canteen=_canteen(world), from_on=start, to_on=WEDNESDAY)
    await world.ask(world.one_of("cook"), Menus, "publish_menu", request)


async def state_allergens(world):
    """A dish turns out to have what nobody had said, or not to have it."""
    dish = world.chance.choice(world.cast.things["dishes"])
    item = world.item(f"MEALS#DISHES#{_canteen(world)}", dish)
    request = canteens.SetDishAllergens(
        canteen=_canteen(world),
        dish=dish,
        allergens=tuple(world.chance.sample(list(canteens.Allergen), k=2)),
        expected_version=plain(item["version"]),
    )
    await world.ask(world.one_of("cook"), Canteens, "set_dish_allergens", request)


async def import_menu(world):
    """A sheet from its announcement to the published menu, with dishes that are new in part."""
    cook = world.one_of("cook")
    data = csv([LIST, *_rows(world)])
    if await _imported(world, cook, MENU, data):
        following = world.chance.choice(((), (publish,), (publish, move_cut_off)))
        await asyncio.gather(*(each(world) for each in following))


async def top_up(world):
    """Finance's list, by staff number."""
    finance = world.one_of("finance")
    numbers = [item.staff_no for item in persons(world).values()]
    chosen = world.chance.sample(sorted(numbers), k=3)
    rows = [("工号", "姓名", "金额(元)"), *((number, "", "5.00") for number in chosen)]
    await _imported(world, finance, imports.ImportKind.TOP_UP, csv(rows))


async def _imported(world, who, kind, data):
    """Start, upload, check, wait, commit; as far as it goes."""
    start = imports.StartImport(
        kind=kind,
        canteen=_canteen(world) if kind is MENU else "",
        filename="表.csv",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        portions=None,
    )
    names = [f"{verb}_import" for verb in ("start", "check", "commit")]
    asked = await world.ask(who, Imports, names[0], start)
    if not asked.values:
        return None
    import_id, sha256 = asked.values[0], world.files.upload(world.court, data)
    check = imports.CheckImport(import_id=import_id, kind=kind)
    if not (await world.ask(who, Imports, names[1], check)).values:
        return None
    await _until(world, import_id, "CHECKING")
    commit = imports.CommitImport(import_id=import_id, kind=kind, sha256=sha256)
    if not (await world.ask(who, Imports, names[2], commit)).values:
        return None
    return await _until(world, import_id, "COMMITTING")


async def _until(world, import_id, state):
    """Wait while the import is in that state; what it is in afterwards."""
    for _ in range(600):
        item = world.item("MEALS#IMPORTS", import_id)
        if plain(item["state"]) != state:
            return plain(item["state"])
        await world.clock.sleep(5)
    return None


def _rows(world):
    day = world.chance.choice((_meal(world)[0], WEDNESDAY))
    names = [*PLANNED, "清炒时蔬", "蒸蛋"]
    for name in world.chance.sample(names, k=2):
        planned = world.chance.choice((3, 5, 8))
        price = PRICES.get(name, 400) / 100
        stated = "" if name in PLANNED else "无"  # what is known needs no second statement
        yield (day.isoformat(), "午餐", name, f"{price:.2f}", str(planned), stated, "", "热菜")


def _wish(world, *, diner=None):
    day, period = _meal(world)
    return orders.PlaceMealOrder(
        canteen=_canteen(world), date=day, period=period, lines=_lines(world), diner=diner
    )


def _meal(world):
    """Mostly the one that everybody is after in this seed."""
    sought = MEALS[world.seed % 2]
    return world.chance.choice((sought, sought, sought, sought, *MEALS))


def _lines(world):
    dishes = world.cast.things["dishes"]
    chosen = world.chance.sample(dishes, k=world.chance.choice((1, 1, 2, 3)))
    return tuple(Wanted(dish, world.chance.choice((1, 1, 2))) for dish in chosen)


def _some_order(world):
    found = all_orders(world)
    live = [order for order in found if order.state is orders.OrderState.PLACED]
    chosen = live if live and world.chance.random() < 0.8 else found
    return world.chance.choice(chosen) if chosen else None


def _diner(world, order):
    known = {p.person: p for part in world.cast.parts.values() for p in part}
    return known[order.key.diner]


def _canteen(world):
    return world.cast.things["canteen"]


# ---- what must hold ----


def all_orders(world):
    items = world.items("MEALS#ORDERS#")
    return sorted((to_order(load(OrderItem, i)) for i in items), key=lambda o: str(o.key))


def all_days(world):
    return [to_day(load(DayItem, i)) for i in world.items("MEALS#MENU#") if i["sk"]["S"] == "DAY"]


def all_lines(world):
    return [to_line(load(LineItem, i)) for i in world.items("MEALS#MENU#") if i["sk"]["S"] != "DAY"]


def nothing_is_sold_twice(world):
    """What is left and what is ordered is what was planned."""
    sold = Counter()
    for order in all_orders(world):
        for line in order.lines if order.is_live else ():
            sold[order.canteen, order.key.date, order.key.period, line.dish] += line.quantity
    for line in all_lines(world):
        place = (line.canteen, line.date, line.period, line.dish)
        if line.available < 0 or line.available + line.held + sold[place] != line.planned:
            told = f"{line.available} left, {sold[place]} sold of {line.planned}"
            yield f"{line.name} {line.date} {line.period}: {told}"


def money_comes_back_to_where_it_was(world):
    """Wallets hold what was topped up less what live orders took; subsidies what they opened at."""
    given, taken = Counter(), Counter()
    for item in world.engine.items("journal"):
        for moved in from_item(item).movements:
            put = moved.available if moved.counter == "TOP_UP" else 0
            given[moved.account] += put + (moved.opens or 0)
    for order in all_orders(world):
        if order.is_live:
            key = order.key
            taken[orders.wallet_account(key.diner)] += order.wallet_fen
            subsidy = orders.subsidy_account(key.diner, key.date, key.period, canteen=order.canteen)
            taken[subsidy] += order.subsidy_fen
    for prefix in ("MEALS#WALLET#", "MEALS#SUBSIDY#"):
        for item in world.items(prefix):
            account = orders.AccountId(item["pk"]["S"].partition("#")[2], item["sk"]["S"])
            left = plain(item["available"])
            if left + taken[account] != given[account]:
                yield f"{account}: {left} left, {taken[account]} taken of {given[account]}"


def every_count_is_what_was_sold(world):
    """A meal that was counted: each count agrees, and is what is ordered now."""
    portions, diners = Counter(), Counter()
    for order in all_orders(world):
        if order.is_live:
            meal = (order.canteen, order.key.date, order.key.period)
            portions[meal] += sum(line.quantity for line in order.lines)
            diners[meal] += 1
    for item in world.items("MEALS#COUNTS#"):
        found = load(CountItem, item)
        _, canteen, day = found.pk.rsplit("#", 2)
        period, version, _ = found.sk.split("#")
        meal = (canteen, date.fromisoformat(day), Period(period))
        counted, people = int(found.counted), len(json.loads(found.diners))
        if not found.agrees or counted != portions[meal] or people != diners[meal]:
            told = f"{counted} for {people}, ordered {portions[meal]} by {diners[meal]}"
            yield f"count {version} of {day} {period}: {told}, agrees {found.agrees}"


def no_job_holds_a_meal(world):
    for day in all_days(world):
        if day.publishing is not None:
            yield f"{day.date} is still held by {day.publishing}"
        for window in day.windows:
            if window.job is not None or window.state is menus.WindowState.CLOSING:
                yield f"{day.date} {window.period} is still {window.state} by {window.job}"


def meals_are_wholly_open_or_closed(world):
    """A meal's lines have its state and its cut-offs."""
    windows = {(d.canteen, d.date, w.period): (d, w) for d in all_days(world) for w in d.windows}
    for line in all_lines(world):
        day, window = windows[line.canteen, line.date, line.period]
        where = f"{line.name} {line.date} {line.period}"
        if line.is_closed is (window.state is menus.WindowState.OPEN):
            yield f"{where} is {'open' if line.is_open else 'closed'}, its meal {window.state}"
        bounds = (window.order_by, window.change_by, window.cancel_by)
        own = (line.order_by, line.change_by, line.cancel_by)
        if line.is_shown(day.published) and line.is_open and own != bounds:
            yield f"{where} ends at {[f'{at:%H:%M:%S}' for at in own]}, its meal at {bounds}"


def menus_are_wholly_published(world):
    """No line waits for a batch, unless a publishing was refused: what that left unseen is the next
    one's. What was taken off takes no more orders."""
    given_up = any(
        plain(job["kind"]) == "meals.publish" and plain(job["state"]) == "REFUSED"
        for job in world.items("JOBS#")
    )
    published = {(day.canteen, day.date): day.published for day in all_days(world)}
    for line in all_lines(world):
        seen = published[line.canteen, line.date]
        where = f"{line.name} {line.date} {line.period}"
        if not given_up and (line.batch > seen or (line.gone or 0) > seen):
            yield f"{where} waits in batch {line.batch}, published is {seen}"
        if line.is_open and not line.is_shown(seen):
            yield f"{where} was taken off and still takes orders"


def menus_say_what_is_stated(world):
    """Every line carries its dish's newest statement, whenever it was written."""
    stated = {
        (dish.canteen, dish.id): dish.allergens
        for dish in (to_dish(load(DishItem, item)) for item in world.items("MEALS#DISHES#"))
    }
    for line in all_lines(world):
        if line.allergens != stated[line.canteen, line.dish]:
            yield f"{line.name} {line.date} {line.period} says {line.allergens}"


def whoever_left_has_no_meals_ahead(world):
    """An order of a leaver is cancelled and refunded, unless its meal was closed: then it is kept
    and told of. What was served before the end may have been eaten."""
    told = defaultdict(set)
    for item in world.items("J#", table="journal"):
        for fact in from_item(item).facts:
            told[fact.name].add(fact.aggregate)
    left = {p for p, i in persons(world).items() if i.status == PersonStatus.LEFT.value}
    serving_ends = {
        (d.canteen, d.date, w.period): w.serves_to for d in all_days(world) for w in d.windows
    }
    for order in all_orders(world):
        if order.key.diner not in left or not order.is_live or order.collected_at is not None:
            continue
        if serving_ends[order.canteen, order.key.date, order.key.period] <= world.clock.now():
            continue
        if order.aggregate not in told["meals.order_kept.v1"]:
            yield f"{order.key} is {order.state}, and its diner has left"


def imports_come_to_an_end(world):
    """None is busy; each day's draft names whole batches."""
    for item in world.items("MEALS#IMPORTS"):
        found = load(ImportItem, item)
        if found.state in ("CHECKING", "COMMITTING"):
            yield f"import {found.filename} is {found.state}"
        if found.state == "FAULTY" and found.kind == MENU.value:  # payees may leave meanwhile
            yield f"import {found.filename} has faults: {found.faults}"
    batches = {i["pk"]["S"].rpartition("#")[2] for i in world.items("MEALS#DRAFT#")}
    for item in world.items("MEALS#DRAFTS#"):
        if not batches.issuperset(load(DraftDayItem, item).batches.values()):
            yield f"the draft of {item['sk']['S']} names a batch of nothing"


def no_order_is_written_after_its_cut_off(world, commit):
    """By the true clock, at most ε and the transaction's own flight late (D-08)."""
    own = commit.writes[0]
    operation = own.key.pk.split("#")[3] if own.table == "journal" else ""
    if not operation.startswith(("meals.place", "meals.change", "meals.cancel")):
        return
    late = timedelta(seconds=SKEW + world.weather.longest_flight)
    for write in commit.writes:
        if not write.key.sk.startswith("LINE#"):
            continue
        line = commit.stored(write)
        takes = write.add.get("available", 0) < 0
        if plain(line["st"]) == "CLOSED" or (takes and plain(line["st"]) != "OPEN"):
            yield f"{operation}: {write.key.sk} was closed"
        bound = BOUNDS.get(operation)
        if bound and commit.at >= from_instant(plain(line[bound])) + late:
            yield f"{operation}: {write.key.sk} was too late by its {bound}"


def cut_offs(world):
    for line in all_lines(world):
        yield from (line.order_by, line.change_by, line.cancel_by)


ACTIONS = (
    Action(place, weight=16),
    Action(place_for, weight=3),
    Action(change, weight=6),
    Action(cancel, weight=6),
    Action(collect, weight=4),
    Action(order_while_leaving, weight=1),
    Action(count, weight=2),
    Action(move_cut_off, weight=3),
    Action(publish, weight=2),
    Action(state_allergens, weight=1),
    Action(import_menu, weight=2),
    Action(top_up, weight=1),
)
INVARIANTS = (
    nothing_is_sold_twice,
    money_comes_back_to_where_it_was,
    every_count_is_what_was_sold,
    no_job_holds_a_meal,
    meals_are_wholly_open_or_closed,
    menus_are_wholly_published,
    menus_say_what_is_stated,
    whoever_left_has_no_meals_ahead,
    imports_come_to_an_end,
)
WATCHES = (no_order_is_written_after_its_cut_off,)
MOMENTS = (cut_offs,)
