"""The pure rules of meals: money, cut-offs, counts, for any numbers and dates."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courtside.kernel.errors import InvalidInput, NotFound, Stale
from courtside.kernel.ledger import Account, Unit
from courtside.kernel.workdays import Count, CutOff, DayKind, WorkCalendar, local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import AddDish, MealPeriod, Period
from courtside.modules.meals.contracts.menus import LineState, MenuDay, MenuLine
from courtside.modules.meals.contracts.orders import (
    MAX_DISHES,
    MAX_QUANTITY,
    ChangeMealOrder,
    MealOrder,
    OrderFacts,
    OrderKey,
    OrderLine,
    OrderState,
    PlaceMealOrder,
    Wanted,
    subsidy_account,
    wallet_account,
)
from courtside.modules.meals.rules import canteens, kitchen, menus, orders

DAY = date(2026, 3, 2)
SUBSIDY = subsidy_account("DINER", DAY, Period.LUNCH, canteen="C")
KEY = OrderKey(DAY, Period.LUNCH, "DINER")
NOW = local_instant(DAY, time(9, 0))
PLAIN = WorkCalendar(special={}, years=frozenset({2025, 2026}))
DISHES = [f"DISH{n:03}" for n in range(8)]

wants = st.dictionaries(
    st.sampled_from(DISHES), st.integers(1, MAX_QUANTITY), min_size=1, max_size=MAX_DISHES
)
prices = st.fixed_dictionaries({dish: st.integers(0, 3000) for dish in DISHES})
money = st.integers(0, 20_000)


def a_day(subsidy: int = 0) -> MenuDay:
    lunch = canteens.default_period("C", Period.LUNCH)
    settings = MealPeriod(
        canteen="C",
        period=Period.LUNCH,
        serve_from=lunch.serve_from,
        serve_to=lunch.serve_to,
        order=lunch.order,
        change=lunch.order,
        cancel=lunch.order,
        subsidy_fen=subsidy,
        version=1,
    )
    window = menus.resolve_window(settings, DAY, PLAIN)
    return MenuDay(canteen="C", date=DAY, version=1, published=1, batch=1, windows=(window,))


def a_line(dish: str, *, price: int = 500, available: int = 100, **more) -> MenuLine:
    window = a_day().windows[0]
    given = {
        "canteen": "C",
        "date": DAY,
        "period": Period.LUNCH,
        "dish": dish,
        "name": dish,
        "price_fen": price,
        "allergens": (),
        "tags": (),
        "planned": 100,
        "available": available,
        "held": 0,
        "state": LineState.OPEN,
        "order_by": window.order_by,
        "change_by": window.change_by,
        "cancel_by": window.cancel_by,
        "closed_at": None,
        "batch": 1,
    }
    return MenuLine(**{**given, **more})


def facts(prices, *, subsidy: int, wallet: int, order: MealOrder | None = None) -> OrderFacts:
    return OrderFacts(
        day=a_day(subsidy=0),
        lines={dish: a_line(dish, price=price) for dish, price in prices.items()},
        order=order,
        subsidy=Account(id=SUBSIDY, unit=Unit.FEN, available=subsidy),
        wallet=Account(id=wallet_account("DINER"), unit=Unit.FEN, available=wallet),
    )


def lines_of(wanted) -> tuple[Wanted, ...]:
    return tuple(Wanted(dish, quantity) for dish, quantity in wanted.items())


def place(wanted, known: OrderFacts):
    request = PlaceMealOrder(canteen="C", date=DAY, period=Period.LUNCH, lines=lines_of(wanted))
    return orders.place_order(request, known, key=KEY, placed_by="DINER", new_code="K7M2", now=NOW)


def moved(decided, account) -> int:
    return sum(m.available for m in decided.movements if m.account == account)


class TestMoney:
    @given(wants, prices, money, money)
    def test_is_paid_to_the_fen_and_subsidy_first(self, wanted, prices, subsidy, wallet):
        total = sum(prices[dish] * quantity for dish, quantity in wanted.items())

        known = facts(prices, subsidy=subsidy, wallet=wallet)

        if total > subsidy + wallet:
            with pytest.raises(errors.InsufficientFunds) as refusal:
                place(wanted, known)
            assert refusal.value.missing == total - subsidy - wallet
            assert refusal.value.available == subsidy + wallet
            return
        decided = place(wanted, known)

        order = decided.order
        assert order.subsidy_fen == min(total, subsidy)
        assert order.subsidy_fen + order.wallet_fen == total
        assert moved(decided, SUBSIDY) == -order.subsidy_fen
        assert moved(decided, wallet_account("DINER")) == -order.wallet_fen

    @given(wants, wants, prices, money)
    def test_of_a_change_is_as_if_cancelled_and_ordered_anew(self, first, then, prices, subsidy):
        rich = 1_000_000
        placed = place(first, facts(prices, subsidy=subsidy, wallet=rich)).order
        now_held = facts(
            prices,
            subsidy=subsidy - placed.subsidy_fen,
            wallet=rich - placed.wallet_fen,
            order=placed,
        )
        request = ChangeMealOrder(order=KEY, canteen="C", lines=lines_of(then))

        changed = orders.change_order(request, now_held, now=NOW)

        anew = place(then, facts(prices, subsidy=subsidy, wallet=rich)).order
        paid = (changed.order.subsidy_fen, changed.order.wallet_fen)
        assert paid == (anew.subsidy_fen, anew.wallet_fen)
        for dish in DISHES:
            account = a_line(dish).account.id
            assert moved(changed, account) == first.get(dish, 0) - then.get(dish, 0)

    @given(wants, prices, money)
    def test_of_a_cancellation_undoes_the_order(self, wanted, prices, subsidy):
        placed = place(wanted, facts(prices, subsidy=subsidy, wallet=1_000_000))

        cancelled = orders.cancel_order(placed.order)

        accounts = {m.account for m in placed.movements}
        for account in accounts | {m.account for m in cancelled.movements}:
            assert moved(placed, account) + moved(cancelled, account) == 0


class TestCutOffs:
    @given(st.integers(-10_000, 10_000))
    def test_are_exclusive_to_the_millisecond(self, offset):
        """D-08 at rule level: 09:29:59.999 is in time, 09:30:00.000 is late."""
        line = a_line("DISH000")
        now = line.order_by + timedelta(milliseconds=offset)
        known = facts({"DISH000": 0}, subsidy=0, wallet=0)
        request = PlaceMealOrder(
            canteen="C", date=DAY, period=Period.LUNCH, lines=(Wanted("DISH000", 1),)
        )

        def placing():
            return orders.place_order(
                request, known, key=KEY, placed_by="DINER", new_code="K7M2", now=now
            )

        if offset < 0:
            assert placing().order.version == 1
        else:
            with pytest.raises(errors.OrderWindowClosed):
                placing()

    def test_of_a_breakfast_fall_on_the_work_day_before(self):
        """2026-02-24 is the first work day after Spring Festival; a make-up Saturday counts."""
        festival = {date(2026, 2, d): DayKind.HOLIDAY for d in range(15, 24)}
        makeup = {date(2026, 2, 14): DayKind.MAKEUP_WORKDAY}
        calendar = WorkCalendar(special={**festival, **makeup}, years=frozenset({2026}))
        settings = canteens.default_period("C", Period.BREAKFAST)

        window = menus.resolve_window(settings, date(2026, 2, 24), calendar)

        assert window.order_by == local_instant(date(2026, 2, 14), time(17, 0))

    def test_of_a_day_off_move_earlier_and_bring_no_subsidy(self):
        sunday = date(2026, 3, 8)
        settings = canteens.default_period("C", Period.LUNCH)

        window = menus.resolve_window(settings, sunday, PLAIN)

        assert window.order_by == local_instant(date(2026, 3, 6), time(9, 30))
        assert window.subsidy_fen == 0

    def test_leave_the_night_meal_on_its_own_day(self):
        settings = canteens.default_period("C", Period.NIGHT)

        window = menus.resolve_window(settings, DAY, PLAIN)

        assert window.serves_from == local_instant(DAY, time(22, 30))
        assert window.serves_to == local_instant(DAY + timedelta(days=1), time(0, 30))
        assert settings.order == CutOff(days_before=0, at=time(19, 0), count=Count.WORKDAYS)

    def test_explain_what_the_account_refused(self):
        decided = place({"DISH000": 1}, facts({"DISH000": 0}, subsidy=0, wallet=0))
        sold_out, closed = a_line("DISH000", available=0), a_line("DISH000", state=LineState.CLOSED)
        late = sold_out.order_by

        told = [
            orders.explain(sold_out, -1, decided, now=NOW),
            orders.explain(sold_out, -1, decided, now=late),
            orders.explain(closed, -1, decided, now=NOW),
            orders.explain(None, -1, decided, now=NOW),
        ]

        kinds = [errors.SoldOut, errors.OrderWindowClosed, errors.OrderWindowClosed, Stale]
        assert [type(one) for one in told] == kinds


class TestCounts:
    @given(
        st.lists(
            st.tuples(wants, st.sampled_from(list(OrderState)), st.sampled_from(["C", "OTHER"])),
            max_size=30,
        )
    )
    def test_hold_every_live_order_of_the_canteen(self, ordered):
        """Nobody is dropped: what stands on the menu no longer has a section of its own."""
        made = [
            MealOrder(
                key=OrderKey(DAY, Period.LUNCH, f"DINER{n}"),
                version=1,
                state=state,
                canteen=canteen,
                lines=tuple(
                    OrderLine(dish=d, name=d, quantity=q, price_fen=1) for d, q in wanted.items()
                ),
                subsidy_fen=0,
                wallet_fen=0,
                code=f"{n:08}",
                placed_at=NOW,
                placed_by="DINER",
            )
            for n, (wanted, state, canteen) in enumerate(ordered)
        ]
        shown = [a_line(dish) for dish in DISHES[:4]]

        count = kitchen.counted(a_day(), Period.LUNCH, shown, made, now=NOW)

        live = [o for o in made if o.is_live and o.canteen == "C"]
        assert count.counted == count.ordered == sum(x.quantity for o in live for x in o.lines)
        assert [d.code for d in count.diners] == [o.code for o in live]
        assert {line.dish for line in count.lines if line.offered} == set(DISHES[:4])
        assert {line.dish for line in count.lines if not line.offered} == {
            x.dish for o in live for x in o.lines if x.dish not in DISHES[:4]
        }


class TestCodes:
    @pytest.mark.parametrize("typed", ["o1il-0000", " OIL1 0000 ", "01110000"])
    def test_forgive_look_alikes(self, typed):
        code = kitchen.normalise_code(typed)

        assert code == "01110000"

    @given(st.text(max_size=20))
    def test_are_clean_or_refused(self, typed):
        try:
            code = kitchen.normalise_code(typed)
        except NotFound:
            return

        assert kitchen.normalise_code(code) == code
        assert len(code) == 8


class TestDishIds:
    @given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
    def test_are_one_for_a_name_and_another_for_another(self, one, other):
        same = canteens.dish_id("C", one) == canteens.dish_id("C", other)

        assert same == (one.strip() == other.strip())


def test_a_price_below_nothing_is_refused():
    with pytest.raises(InvalidInput):
        canteens.add_dish(
            AddDish(canteen="C", name="白粥", category="", price_fen=-1, allergens=())
        )


def test_instants_are_kept_in_utc():
    assert a_day().windows[0].order_by == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
