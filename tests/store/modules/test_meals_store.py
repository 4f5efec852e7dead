"""The stores of meals on both engines: the conditions of an order, and what a failed one tells."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Stale
from courtside.kernel.ids import short_id
from courtside.kernel.jobs import Job, JobState
from courtside.kernel.journal import Command, Entry, Result, entry
from courtside.kernel.ledger import Account, Movement, Unit
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Allergen, Dish, Period, Tag
from courtside.modules.meals.contracts.kitchen import CountedDiner, CountLine, KitchenCount
from courtside.modules.meals.contracts.menus import (
    LineState,
    MenuDay,
    MenuLine,
    PlannedLines,
    Window,
    line_account,
)
from courtside.modules.meals.contracts.orders import (
    Bound,
    Decided,
    OrderKey,
    PlaceMealOrder,
    Wanted,
    wallet_account,
)
from courtside.modules.meals.rules.orders import cancel_order, place_order
from courtside.modules.meals.store.canteens import CanteenStore
from courtside.modules.meals.store.kitchen import KitchenStore
from courtside.modules.meals.store.menus import MenuStore
from courtside.modules.meals.store.orders import OrderStore

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FAR = datetime(2126, 3, 2, tzinfo=UTC)  # these engines know the real time alone
PAST = datetime(2025, 3, 2, tzinfo=UTC)
DAY = date(2026, 3, 2)
CANTEEN = "CANT01"
_numbers = count(1)


@pytest.fixture
def menus(database) -> MenuStore:
    return MenuStore(database)


@pytest.fixture
def canteens(database) -> CanteenStore:
    return CanteenStore(database)


@pytest.fixture
def orders(database) -> OrderStore:
    return OrderStore(database)


def told(court: str, **parts) -> Entry:
    principal = Principal(court=court, person="SOMEBODY", client="web")
    key = f"key-{next(_numbers):04}"
    command = Command(principal=principal, operation="meals.test", key=key, request={})
    return entry(command, now=NOW, result=Result(kind="Test", id="T"), **parts)


def a_job(court: str, **more) -> Job:
    given = {
        "court": court,
        "id": short_id(),
        "kind": "meals.publish",
        "state": JobState.RUNNING,
        "children": 1,
        "cursor": 0,
        "requested_by": "SOMEBODY",
        "at": NOW,
        "about": {},
    }
    return Job(**{**given, **more})


def a_day(**more) -> MenuDay:
    window = Window(
        period=Period.LUNCH,
        serves_from=NOW + timedelta(hours=2),
        serves_to=NOW + timedelta(hours=4),
        order_by=FAR,
        change_by=FAR,
        cancel_by=FAR,
        subsidy_fen=3000,
    )
    given = {
        "canteen": CANTEEN,
        "date": DAY,
        "version": 1,
        "published": 1,
        "batch": 1,
        "windows": (window,),
    }
    return MenuDay(**{**given, **more})


def a_line(dish: str = "DISH001", **more) -> MenuLine:
    given = {
        "canteen": CANTEEN,
        "date": DAY,
        "period": Period.LUNCH,
        "dish": dish,
        "name": "红烧肉",
        "price_fen": 1200,
        "allergens": (Allergen.SOY,),
        "tags": (Tag.SPICY_1,),
        "planned": 10,
        "available": 10,
        "held": 0,
        "state": LineState.OPEN,
        "order_by": FAR,
        "change_by": FAR,
        "cancel_by": FAR,
        "closed_at": None,
        "batch": 1,
    }
    return MenuLine(**{**given, **more})


def a_dish() -> Dish:
    return Dish(
        canteen=CANTEEN,
        id="DISH001",
        name="红烧肉",
        category="",
        price_fen=1200,
        allergens=(),
        tags=(),
        version=1,
    )


async def serve(menus: MenuStore, court: str, *lines: MenuLine) -> tuple[MenuDay, Job]:
    """A published day with these lines."""
    day, job = a_day(), a_job(court)
    await menus.request_job([day], job, told(court))
    opened = tuple(
        Movement(account=x.account.id, available=x.planned, counter="PLANNED", opens=0)
        for x in lines
    )
    chunk = PlannedLines(opened=lines)
    await menus.publish_lines(day, chunk, job, told(court, movements=opened))
    return day, job


async def decide(orders: OrderStore, court: str, diner: str, quantity: int = 1) -> Decided:
    key = OrderKey(DAY, Period.LUNCH, diner)
    wanted = (Wanted("DISH001", quantity),)
    facts = await orders.load_order(court, key, CANTEEN, wanted)
    request = PlaceMealOrder(canteen=CANTEEN, date=DAY, period=Period.LUNCH, lines=wanted)
    return place_order(request, facts, key=key, placed_by=diner, new_code=short_id(8), now=NOW)


async def save(orders: OrderStore, court: str, decided: Decided):
    return await orders.save_order(decided, told(court, movements=decided.movements))


class TestMenuStore:
    async def test_reads_a_day_as_it_was_published(self, menus, code):
        line = a_line()
        day, _ = await serve(menus, code, line)

        menu = await menus.load_menu(code, CANTEEN, DAY, decide=True)

        assert (menu.day, menu.lines) == (day, [line])

    async def test_opens_a_line_once(self, menus, code):
        day, job = await serve(menus, code, a_line())

        with pytest.raises(Stale):
            await menus.publish_lines(
                day, PlannedLines(opened=[a_line(planned=99)]), replace(job, cursor=1), told(code)
            )

        menu = await menus.load_menu(code, CANTEEN, DAY, decide=True)
        assert [line.planned for line in menu.lines] == [10]

    async def test_plans_more_and_fewer_but_not_below_nothing(self, menus, code):
        day, job = await serve(menus, code, a_line())

        fewer, too_few = (PlannedLines(changed=[(a_line(), by)]) for by in (-4, -7))

        await menus.publish_lines(day, fewer, replace(job, cursor=1), told(code))
        with pytest.raises(Stale):
            await menus.publish_lines(day, too_few, replace(job, cursor=2), told(code))

        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert (line.available, line.planned) == (6, 6)

    async def test_tells_that_the_day_has_moved(self, menus, code):
        day, job = await serve(menus, code, a_line())

        with pytest.raises(Stale):
            await menus.publish_lines(
                replace(day, version=2),
                PlannedLines(opened=[a_line("DISH002")]),
                replace(job, cursor=1),
                told(code),
            )

        assert len((await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines) == 1

    async def test_closes_a_line_once(self, menus, code):
        await serve(menus, code, a_line())

        await menus.close_lines([a_line()], None, told(code))
        with pytest.raises(Stale):
            await menus.close_lines([a_line()], None, told(code))

        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert not line.is_open
        assert line.closed_at is not None

    async def test_takes_a_line_off_and_writes_it_anew(self, menus, code):
        day, job = await serve(menus, code, a_line())
        gone = replace(a_line(), gone=2)

        await menus.publish_lines(
            day, PlannedLines(marked=[gone]), replace(job, cursor=1), told(code)
        )
        await menus.withdraw_lines([gone], replace(job, cursor=2), told(code))

        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert line == replace(a_line(), gone=2, state=LineState.WITHDRAWN)
        anew = replace(a_line(), batch=3, price_fen=900)
        await menus.publish_lines(
            day, PlannedLines(changed=[(anew, 0)]), replace(job, cursor=3), told(code)
        )
        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert line == anew

    async def test_keeps_a_line_whose_mark_comes_off(self, menus, code):
        day, job = await serve(menus, code, a_line(gone=2))

        await menus.publish_lines(
            day, PlannedLines(marked=[a_line()]), replace(job, cursor=1), told(code)
        )

        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert line == a_line()

    @pytest.mark.parametrize(
        "stored", [{}, {"gone": 3}, {"gone": 2, "state": LineState.CLOSED}], ids=str
    )
    async def test_withdraws_only_what_went_with_that_batch(self, menus, code, stored):
        _, job = await serve(menus, code, a_line(**stored))

        with pytest.raises(Stale):
            await menus.withdraw_lines([a_line(gone=2)], replace(job, cursor=1), told(code))

    async def test_writes_no_line_of_a_dish_that_has_changed(self, menus, canteens, code):
        dish = a_dish()
        await canteens.save_dish(dish, told(code))
        day, job = await serve(menus, code)
        await canteens.save_dish(replace(dish, version=2), told(code))

        with pytest.raises(Stale):
            await menus.publish_lines(
                day,
                PlannedLines(dishes=[dish], opened=[a_line()]),
                replace(job, cursor=1),
                told(code),
            )

    async def test_restates_a_dish_s_lines_and_no_others(self, menus, canteens, code):
        await canteens.save_dish(a_dish(), told(code))
        newest = replace(a_dish(), version=2, allergens=(Allergen.PEANUT,))
        await canteens.save_dish(newest, told(code))
        await serve(menus, code, a_line(), a_line("DISH002"))
        days = [DAY + timedelta(days=n) for n in range(31)]
        found = await menus.find_lines_of(code, CANTEEN, "DISH001", days)

        with pytest.raises(Stale):
            await menus.restate_lines(found, a_dish(), told(code))
        await menus.restate_lines(found, newest, told(code))

        lines = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert found == [a_line()]
        assert lines == [replace(a_line(), allergens=(Allergen.PEANUT,)), a_line("DISH002")]

    async def test_moves_no_line_of_a_day_that_has_moved(self, menus, code):
        day, _ = await serve(menus, code, a_line())
        window = day.windows[0]

        with pytest.raises(Stale):
            await menus.move_lines(replace(day, version=2), [a_line()], window, None, told(code))
        await menus.move_lines(day, [a_line()], window, None, told(code))

        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert line.order_by == window.order_by


class TestOrderStore:
    async def test_reads_an_order_back(self, menus, orders, code):
        await serve(menus, code, a_line())
        decided = await decide(orders, code, "DINER01")

        assert await save(orders, code, decided) is None

        assert await orders.find_order(code, decided.order.key) == decided.order
        assert await orders.find_by_code(code, decided.order.code) == [decided.order.key]
        assert await orders.list_orders(code, DAY, Period.LUNCH) == [decided.order]

    async def test_lets_one_of_two_orders_of_a_diner_win(self, menus, orders, code):
        await serve(menus, code, a_line())
        first = await decide(orders, code, "DINER01")
        second = await decide(orders, code, "DINER01", 2)

        answers = await asyncio.gather(
            save(orders, code, first), save(orders, code, second), return_exceptions=True
        )

        assert sorted(type(a) for a in answers if a is not None) == [Stale]
        (order,) = await orders.list_orders(code, DAY, Period.LUNCH)
        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert line.available + order.lines[0].quantity == 10

    async def test_sells_the_last_portions_once(self, menus, orders, code):
        await serve(menus, code, a_line(planned=5, available=5))
        decisions = [await decide(orders, code, f"DINER{n:02}") for n in range(12)]

        answers = await asyncio.gather(
            *(save(orders, code, d) for d in decisions), return_exceptions=True
        )

        refused = [a for a in answers if a is not None]
        assert {type(a) for a in refused} == {errors.SoldOut}
        assert len(refused) == 7
        assert len(await orders.list_orders(code, DAY, Period.LUNCH)) == 5

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ({"order_by": PAST}, errors.OrderWindowClosed),
            ({"state": LineState.CLOSED, "closed_at": PAST}, errors.OrderWindowClosed),
            ({"state": LineState.WITHDRAWN, "gone": 1}, Stale),
            ({"available": 0}, errors.SoldOut),
        ],
    )
    async def test_refuses_by_what_the_account_says(self, menus, orders, code, line, kind):
        """The decision was made on what was true a moment before."""
        await serve(menus, code, a_line(**line))
        key = OrderKey(DAY, Period.LUNCH, "DINER01")
        wanted = (Wanted("DISH001", 1),)
        facts = replace(
            await orders.load_order(code, key, CANTEEN, wanted), lines={"DISH001": a_line()}
        )
        request = PlaceMealOrder(canteen=CANTEEN, date=DAY, period=Period.LUNCH, lines=wanted)
        decided = place_order(
            request, facts, key=key, placed_by="DINER01", new_code="K7M2", now=NOW
        )

        with pytest.raises(kind):
            await save(orders, code, decided)

        assert await orders.find_order(code, key) is None
        accounts = [m.account for m in decided.movements if m.opens is not None]
        assert await orders.find_balances(code, accounts) == [None]

    async def test_gives_back_after_the_cut_off_only_where_no_bound_is_kept(
        self, menus, orders, code
    ):
        await serve(menus, code, a_line(cancel_by=PAST))
        decided = await decide(orders, code, "DINER01")
        await save(orders, code, decided)

        with pytest.raises(errors.CancelWindowClosed) as refusal:
            await save(orders, code, cancel_order(decided.order))
        await save(orders, code, cancel_order(decided.order, bound=Bound.NONE))

        assert refusal.value.closed_at == PAST
        (line,) = (await menus.load_menu(code, CANTEEN, DAY, decide=True)).lines
        assert line.available == 10

    async def test_opens_a_wallet_with_its_first_top_up(self, orders, menus, code):
        job = a_job(code, kind="meals.top_up", children=2)
        await menus.request_job([], job, told(code))
        account = wallet_account("DINER01")
        first = Movement(account=account, available=500, counter="TOP_UP", opens=0)
        second = Movement(account=account, available=250, counter="TOP_UP")

        await orders.save_top_ups(job, told(code, movements=(first,)))
        await orders.save_top_ups(replace(job, cursor=1), told(code, movements=(second,)))

        assert await orders.find_balances(code, [account]) == [
            Account(id=account, unit=Unit.FEN, available=750)
        ]

    async def test_sees_nothing_of_another_court(self, menus, orders, code):
        await serve(menus, code, a_line())
        decided = await decide(orders, code, "DINER01")
        await save(orders, code, decided)

        other = f"{code}X"

        assert await orders.find_order(other, decided.order.key) is None
        assert await orders.list_orders(other, DAY, Period.LUNCH) == []
        assert await orders.find_by_code(other, decided.order.code) == []


class TestKitchenStore:
    async def test_keeps_more_diners_than_an_item_holds(self, database, menus, code):
        job = a_job(code, kind="meals.close", children=0)
        await menus.request_job([a_day()], job, told(code))
        diners = tuple(
            CountedDiner(code=f"{n:08}", lines=(Wanted("DISH001", 1),)) for n in range(5000)
        )
        line = CountLine(
            dish="DISH001",
            name="红烧肉",
            allergens=(),
            portions=5000,
            diners=5000,
            offered=True,
        )
        count_made = KitchenCount(
            canteen=CANTEEN,
            date=DAY,
            period=Period.LUNCH,
            version=1,
            issued_at=NOW,
            lines=(line,),
            diners=diners,
            counted=5000,
            ordered=5000,
            sold=5000,
        )
        store = KitchenStore(database)

        await store.save_count(count_made, a_day(version=2), job, told(code))

        found = await store.find_count(code, CANTEEN, DAY, Period.LUNCH, 1)
        assert found == count_made


def test_a_line_is_its_own_account():
    assert a_line().account.id == line_account(CANTEEN, DAY, Period.LUNCH, "DISH001")
