"""Placing, changing, cancelling and collecting on the in-memory engine, through the services."""

import json
from dataclasses import replace
from datetime import time, timedelta

import pytest

from courtside.kernel.actor import Principal, Role
from courtside.kernel.errors import (
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    NotPermitted,
    VersionConflict,
)
from courtside.kernel.workdays import local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.orders import (
    CancelMealOrder,
    ChangeMealOrder,
    CollectMealOrder,
    OrderState,
    Wanted,
)
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.dynamo.meter import metered
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP, ACanteen, order_key
from testkit.factories.people import OTHER_COURT

LUNCH_CLOSES_IN = timedelta(minutes=30)  # ordering ends at 09:30, the virtual clock begins at 09:00


@pytest.fixture
def orders(app) -> MealOrders:
    return app.get(MealOrders)


@pytest.fixture
async def lunch(canteen) -> ACanteen:
    """A canteen that serves lunch today, with 15 yuan of subsidy. Changing ends at 09:30 too."""
    await canteen.grants_subsidy(1500, change_at="09:30")
    await canteen.serves({PORK: 10, RICE: 20, SOUP: 5})
    return canteen


@pytest.fixture
async def diner(lunch) -> Principal:
    somebody = await lunch.court.somebody()
    await lunch.tops_up(somebody, 10_000)
    return somebody


class Refused:
    """A use case that is refused and leaves everything as it was."""

    def __init__(self, canteen, kind):
        self.engine = canteen.court.app.engine
        self.kind = kind

    def __enter__(self):
        self.before = self.engine.dump()
        self.raises = pytest.raises(self.kind)
        self.info = self.raises.__enter__()
        return self.info

    def __exit__(self, *failure):
        caught = self.raises.__exit__(*failure)
        assert self.engine.dump() == self.before
        return caught


class TestPlaceOrder:
    async def test_takes_portions_and_pays_from_subsidy_first(self, lunch, diner):
        order = await lunch.has_order(diner, {PORK: 1, RICE: 5})

        assert (order.subsidy_fen, order.wallet_fen) == (1500, 200)
        assert (await lunch.left(PORK), await lunch.left(RICE)) == (9, 15)
        assert (await lunch.subsidy(diner), await lunch.wallet(diner)) == (0, 9800)

    async def test_leaves_the_wallet_alone_while_the_subsidy_pays(self, lunch):
        diner = await lunch.court.somebody()

        order = await lunch.has_order(diner, {PORK: 1})

        assert (order.subsidy_fen, order.wallet_fen) == (1200, 0)
        assert (await lunch.subsidy(diner), await lunch.wallet(diner)) == (300, None)

    async def test_grants_no_subsidy_on_a_day_off(self, lunch):
        sunday = MONDAY + timedelta(days=6)
        await lunch.serves({PORK: 10}, on=sunday)
        diner = await lunch.court.somebody()

        with Refused(lunch, errors.InsufficientFunds) as refusal:
            await lunch.has_order(diner, {PORK: 1}, on=sunday)

        assert (refusal.value.missing, refusal.value.available) == (1200, 0)

    async def test_reads_once_and_writes_nine_items_of_a_kilobyte(self, lunch, diner, orders):
        names = ["".join(chr(0x4E00 + 20 * n + i) for i in range(20)) for n in range(5)]
        friday = MONDAY + timedelta(days=4)
        await lunch.serves(dict.fromkeys(names, 9999), on=friday)
        await lunch.tops_up(diner, 10_000)
        request = lunch.wants(dict.fromkeys(names, 5), on=friday)

        with metered() as meter:
            await orders.place_order(diner, request, key="k" * 64, now=lunch.now)

        assert (meter.reads, meter.writes, meter.rounds) == (1, 1, 2)
        assert (meter.items_written, meter.write_units) == (9, 20)

    async def test_refuses_a_second_live_order(self, lunch, diner):
        first = await lunch.has_order(diner, {PORK: 1})

        with Refused(lunch, errors.AlreadyOrdered) as refusal:
            await lunch.has_order(diner, {RICE: 2})

        assert (refusal.value.pickup_code, refusal.value.version) == (first.code, 1)

    async def test_refuses_what_is_sold_out_and_says_what_is_left(self, lunch, diner):
        for _ in range(2):
            rich = await lunch.court.somebody()
            await lunch.tops_up(rich, 10_000)
            await lunch.has_order(rich, {SOUP: 2})

        with Refused(lunch, errors.SoldOut) as refusal:
            await lunch.has_order(diner, {RICE: 1, SOUP: 2})

        assert (refusal.value.dish, refusal.value.left) == (lunch.dish(SOUP), 1)
        others = [(other.name, other.left) for other in refusal.value.alternatives]
        assert others == [(RICE, 20), (PORK, 10)]
        assert refusal.value.message("zh") == f"“{SOUP}”只剩 1 份。"
        assert refusal.value.message("en") == f"Only 1 of “{SOUP}” left."

    async def test_offers_the_nearest_in_price_instead_of_a_main_dish(self, lunch, diner):
        for _ in range(2):
            rich = await lunch.court.somebody()
            await lunch.tops_up(rich, 10_000)
            await lunch.has_order(rich, {PORK: 5})

        with Refused(lunch, errors.SoldOut) as refusal:
            await lunch.has_order(diner, {PORK: 1})

        assert [other.name for other in refusal.value.alternatives] == [SOUP, RICE]
        assert refusal.value.message("en") == f"“{PORK}” is sold out."

    async def test_refuses_what_neither_subsidy_nor_wallet_pays(self, lunch):
        diner = await lunch.court.somebody()
        await lunch.tops_up(diner, 100)

        with Refused(lunch, errors.InsufficientFunds) as refusal:
            await lunch.has_order(diner, {PORK: 2})

        assert (refusal.value.missing, refusal.value.available) == (800, 1600)

    @pytest.mark.parametrize(
        ("lines", "path"),
        [
            ((), ("input", "lines")),
            ((Wanted("A", 1),) * 2, ("input", "lines")),
            (tuple(Wanted(f"D{n}", 1) for n in range(6)), ("input", "lines")),
            ((Wanted("A", 0),), ("input", "lines", 0, "quantity")),
            ((Wanted("A", 6),), ("input", "lines", 0, "quantity")),
        ],
    )
    async def test_refuses_impossible_lines(self, lunch, diner, orders, lines, path):
        request = replace(lunch.wants({}), lines=lines)

        with Refused(lunch, InvalidInput) as refusal:
            await orders.place_order(diner, request, key=lunch.key(), now=lunch.now)

        assert refusal.value.path == path

    async def test_refuses_a_day_without_a_menu(self, lunch, diner):
        with Refused(lunch, errors.MenuNotPublished):
            await lunch.has_order(diner, {PORK: 1}, on=MONDAY + timedelta(days=1))

    async def test_refuses_a_dish_of_another_meal(self, lunch, diner):
        with Refused(lunch, NotFound) as refusal:
            await lunch.has_order(diner, {"清蒸鱼": 1})

        assert refusal.value.path == ("input", "lines", 0, "dishId")

    async def test_refuses_a_stranger(self, lunch):
        stranger = lunch.court.principal("NOBODY")

        with Refused(lunch, NotPermitted):
            await lunch.has_order(stranger, {PORK: 1})

    @pytest.mark.parametrize(
        ("early", "accepted"),
        [
            (timedelta(milliseconds=1), True),
            (timedelta(0), False),
            (-timedelta(milliseconds=1), False),
        ],
    )
    async def test_decides_the_cut_off_at_the_writes_own_instant(
        self, lunch, diner, orders, app, early, accepted
    ):
        """D-08: the request arrived in time; what counts is the clock of the transaction."""
        arrived = lunch.now
        app.clock.set(lunch.now + LUNCH_CLOSES_IN - early)

        placing = orders.place_order(diner, lunch.wants({PORK: 1}), key=lunch.key(), now=arrived)

        if accepted:
            assert (await placing).value.version == 1
        else:
            with Refused(lunch, errors.OrderWindowClosed) as refusal:
                await placing
            assert refusal.value.closed_at == arrived + LUNCH_CLOSES_IN

    @pytest.mark.parametrize("counted", [timedelta(minutes=-7), timedelta(minutes=7)])
    async def test_says_when_it_was_too_late_not_when_the_kitchen_counted(
        self, lunch, diner, app, counted
    ):
        cut_off = lunch.now + LUNCH_CLOSES_IN
        app.clock.set(cut_off + counted)
        await lunch.counts()
        app.clock.set(cut_off + timedelta(minutes=10))

        with Refused(lunch, errors.OrderWindowClosed) as refusal:
            await lunch.has_order(diner, {PORK: 1})

        assert refusal.value.closed_at == cut_off + min(counted, timedelta(0))

    async def test_orders_again_after_cancelling_as_the_next_version(self, lunch, diner, orders):
        first = await lunch.has_order(diner, {PORK: 1})
        request = CancelMealOrder(order=first.key)
        await orders.cancel_order(diner, request, key=lunch.key(), now=lunch.now)

        with metered() as meter:
            second = await lunch.has_order(diner, {SOUP: 1})

        assert (second.version, second.code, second.state) == (3, first.code, OrderState.PLACED)
        assert (await lunch.left(PORK), await lunch.left(SOUP)) == (10, 4)
        assert meter.write_units <= 20


class TestOrderingForAnother:
    async def test_lets_a_clerk_order_for_the_own_unit(self, lunch, orders):
        unit = await lunch.court.a_unit()
        clerk = await lunch.court.somebody(unit=unit.id)
        await lunch.court.grants(clerk, Role.CLERK, unit=unit.id)
        judge = await lunch.court.somebody(unit=unit.id)

        done = await orders.place_order(
            clerk, lunch.wants({PORK: 1}, diner=judge.person), key=lunch.key(), now=lunch.now
        )

        assert (done.value.key, done.value.placed_by) == (order_key(judge), clerk.person)
        assert await lunch.subsidy(judge) == 300
        assert await lunch.subsidy(clerk) is None

    @pytest.mark.parametrize("situation", ["no grant", "another unit", "no unit"])
    async def test_refuses_everybody_else(self, lunch, orders, situation):
        unit, other = await lunch.court.a_unit("立案庭"), await lunch.court.a_unit("执行局")
        caller = await lunch.court.somebody(unit=unit.id)
        if situation != "no grant":
            await lunch.court.grants(caller, Role.CLERK)
        homes = {"no grant": unit.id, "another unit": other.id, "no unit": None}
        judge = await lunch.court.somebody(unit=homes[situation])
        request = lunch.wants({PORK: 1}, diner=judge.person)

        with Refused(lunch, NotPermitted):
            await orders.place_order(caller, request, key=lunch.key(), now=lunch.now)


class TestChangeOrder:
    def change(self, lunch, order, portions, *, version=None):
        return ChangeMealOrder(
            order=order.key,
            canteen=lunch.id,
            lines=lunch.lines(portions),
            expected_version=version,
        )

    async def test_moves_only_the_difference(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {PORK: 1, RICE: 5})

        done = await orders.change_order(
            diner, self.change(lunch, order, {RICE: 2, SOUP: 1}), key=lunch.key(), now=lunch.now
        )

        assert (done.value.version, done.value.subsidy_fen, done.value.wallet_fen) == (2, 500, 0)
        left = [await lunch.left(name) for name in (PORK, RICE, SOUP)]
        assert left == [10, 18, 4]
        assert (await lunch.subsidy(diner), await lunch.wallet(diner)) == (1000, 10_000)

    async def test_counts_the_diners_own_portions_as_left(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {SOUP: 2})
        rival = await lunch.court.somebody()
        await lunch.has_order(rival, {SOUP: 2})

        with Refused(lunch, errors.SoldOut) as refusal:
            await orders.change_order(
                diner, self.change(lunch, order, {SOUP: 4}), key="a-change", now=lunch.now
            )

        assert refusal.value.left == 3

    async def test_refuses_a_stale_version(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {PORK: 1})

        with Refused(lunch, VersionConflict) as refusal:
            await orders.change_order(
                diner,
                self.change(lunch, order, {RICE: 1}, version=7),
                key="a-change",
                now=lunch.now,
            )

        assert refusal.value.current == 1

    async def test_refuses_after_the_cut_off(self, lunch, diner, orders, app):
        order = await lunch.has_order(diner, {PORK: 1})
        app.clock.set(lunch.now + LUNCH_CLOSES_IN)

        with Refused(lunch, errors.ChangeWindowClosed):
            await orders.change_order(
                diner, self.change(lunch, order, {RICE: 1}), key="a-change", now=lunch.now
            )


class TestCancelOrder:
    async def test_gives_everything_back_to_where_it_came_from(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {PORK: 2, RICE: 1})
        assert (order.subsidy_fen, order.wallet_fen) == (1500, 1000)

        done = await orders.cancel_order(
            diner, CancelMealOrder(order=order.key), key=lunch.key(), now=lunch.now
        )

        assert (done.value.state, done.value.version) == (OrderState.CANCELLED, 2)
        assert (await lunch.left(PORK), await lunch.left(RICE)) == (10, 20)
        assert (await lunch.subsidy(diner), await lunch.wallet(diner)) == (1500, 10_000)

    async def test_is_done_once(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {PORK: 1})
        request = CancelMealOrder(order=order.key)
        await orders.cancel_order(diner, request, key="cancel-1", now=lunch.now)

        with Refused(lunch, errors.AlreadyCancelled):
            await orders.cancel_order(diner, request, key="cancel-2", now=lunch.now)

    async def test_refuses_after_the_cut_off(self, lunch, diner, orders, app):
        order = await lunch.has_order(diner, {PORK: 1})
        app.clock.set(lunch.now + LUNCH_CLOSES_IN)

        with Refused(lunch, errors.CancelWindowClosed):
            await orders.cancel_order(
                diner, CancelMealOrder(order=order.key), key="cancel-1", now=lunch.now
            )

    async def test_hides_the_orders_of_others(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {PORK: 1})
        other = await lunch.court.somebody()

        with Refused(lunch, NotPermitted):
            await orders.cancel_order(
                other, CancelMealOrder(order=order.key), key="cancel-1", now=lunch.now
            )


class TestCollectOrder:
    @pytest.fixture
    async def server(self, lunch) -> Principal:
        return await lunch.court.somebody(Role.SERVING)

    def collect(self, lunch, code, *, canteen=None, window="1号窗口"):
        return CollectMealOrder(canteen=canteen or lunch.id, code=code, window=window)

    async def test_hands_out_once_and_tells_the_second_scan(self, lunch, diner, orders, server):
        order = await lunch.has_order(diner, {PORK: 1})
        done = await orders.collect_order(
            server, self.collect(lunch, order.code), key="scan-one", now=lunch.now
        )

        with Refused(lunch, errors.AlreadyCollected) as refusal:
            await orders.collect_order(
                server,
                self.collect(lunch, order.code, window="2号窗口"),
                key="scan-two",
                now=lunch.now + timedelta(minutes=3),
            )

        assert done.value.state is OrderState.COLLECTED
        assert (refusal.value.collected_at, refusal.value.window) == (lunch.now, "1号窗口")

    async def test_forgives_look_alikes_and_spaces(self, lunch, diner, orders, server):
        order = await lunch.has_order(diner, {PORK: 1})
        code = order.code.replace("0", "o").replace("1", "l").lower()
        typed = f" {code[:4]} {code[4:]} "

        done = await orders.collect_order(
            server, self.collect(lunch, typed), key="scan-one", now=lunch.now
        )

        assert done.value.key == order.key

    async def test_refuses_another_day(self, lunch, diner, orders, server):
        tomorrow = MONDAY + timedelta(days=1)
        await lunch.serves({PORK: 10}, on=tomorrow)
        order = await lunch.has_order(diner, {PORK: 1}, on=tomorrow)

        with Refused(lunch, errors.CodeOfAnotherDay) as refusal:
            await orders.collect_order(
                server, self.collect(lunch, order.code), key="scan-one", now=lunch.now
            )

        assert refusal.value.date == tomorrow

    async def test_refuses_a_cancelled_order(self, lunch, diner, orders, server):
        order = await lunch.has_order(diner, {PORK: 1})
        await orders.cancel_order(
            diner, CancelMealOrder(order=order.key), key="cancel-1", now=lunch.now
        )

        with Refused(lunch, errors.AlreadyCancelled):
            await orders.collect_order(
                server, self.collect(lunch, order.code), key="scan-one", now=lunch.now
            )

    async def test_refuses_unknown_codes_and_windows(self, lunch, diner, orders, server):
        order = await lunch.has_order(diner, {PORK: 1})

        for code in ("ABCDEFGH", "short", ""):
            with Refused(lunch, NotFound):
                await orders.collect_order(
                    server, self.collect(lunch, code), key="scan-one", now=lunch.now
                )
        with Refused(lunch, InvalidInput):
            await orders.collect_order(
                server,
                self.collect(lunch, order.code, window="9号窗口"),
                key="scan-one",
                now=lunch.now,
            )

    async def test_is_not_for_diners(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {PORK: 1})

        with Refused(lunch, NotPermitted):
            await orders.collect_order(
                diner, self.collect(lunch, order.code), key="scan-one", now=lunch.now
            )


class TestReplay:
    async def test_answers_after_the_cut_off_and_after_sold_out(self, lunch, orders, app):
        """The answer was lost; the same key is told of success whatever has happened since."""
        diner = await lunch.court.somebody()
        request = lunch.wants({PORK: 1})
        first = await orders.place_order(diner, request, key="the-key-1", now=lunch.now)
        for _ in range(3):
            rich = await lunch.court.somebody()
            await lunch.tops_up(rich, 10_000)
            await lunch.has_order(rich, {PORK: 3})
        app.clock.set(lunch.now + timedelta(days=2))
        before = app.engine.dump()

        again = await orders.place_order(diner, request, key="the-key-1", now=lunch.now)

        assert (again.replayed, again.value) == (True, first.value)
        assert app.engine.dump() == before

    async def test_tells_another_request_under_the_same_key(self, lunch, diner, orders):
        """D-04: the same key with other input is refused."""
        await orders.place_order(diner, lunch.wants({PORK: 1}), key="the-key-1", now=lunch.now)

        with Refused(lunch, IdempotencyMismatch):
            await orders.place_order(diner, lunch.wants({PORK: 2}), key="the-key-1", now=lunch.now)

    async def test_keeps_keys_of_different_people_apart(self, lunch, diner, orders):
        """D-06: a key is its principal's own."""
        other = await lunch.court.somebody()
        request = lunch.wants({PORK: 1})
        await orders.place_order(diner, request, key="the-key-1", now=lunch.now)

        done = await orders.place_order(other, request, key="the-key-1", now=lunch.now)

        assert (done.replayed, done.value.key) == (False, order_key(other))

    async def test_answers_a_client_whose_scope_names_the_mutation_alone(
        self, lunch, diner, orders
    ):
        """The answer to the first attempt may have been lost; asking again is no reading."""
        scoped = replace(diner, scopes=frozenset({"meals.place_order"}))
        request = lunch.wants({PORK: 1})
        first = await orders.place_order(scoped, request, key="the-key-1", now=lunch.now)

        again = await orders.place_order(scoped, request, key="the-key-1", now=lunch.now)

        assert (again.replayed, again.value) == (True, first.value)

    async def test_shows_after_a_revocation_what_a_reader_may_still_see(self, lunch, orders):
        server = await lunch.court.somebody(Role.SERVING)
        order = await lunch.has_order(await lunch.court.somebody(), {PORK: 1})
        scan = CollectMealOrder(canteen=lunch.id, code=order.code, window="1号窗口")
        await orders.collect_order(server, scan, key="scan-one", now=lunch.now)
        await lunch.court.revokes(server, Role.SERVING)

        before = lunch.court.app.engine.dump()

        with Refused(lunch, NotPermitted):
            await orders.collect_order(server, scan, key="scan-one", now=lunch.now)

        assert lunch.court.app.engine.dump() == before
        await lunch.court.grants(server, Role.KITCHEN)
        again = await orders.collect_order(server, scan, key="scan-one", now=lunch.now)
        assert (again.replayed, again.value.state) == (True, OrderState.COLLECTED)


class TestTenants:
    async def test_sees_nothing_of_another_court(self, lunch, diner, orders):
        order = await lunch.has_order(diner, {PORK: 1})
        abroad = replace(diner, court=OTHER_COURT)

        with Refused(lunch, NotPermitted):
            await orders.cancel_order(
                abroad, CancelMealOrder(order=order.key), key="cancel-1", now=lunch.now
            )


class TestLeaving:
    async def test_cancels_and_refunds_what_is_ahead(self, lunch, diner, app):
        tomorrow = MONDAY + timedelta(days=1)
        await lunch.serves({PORK: 10}, on=tomorrow)
        await lunch.has_order(diner, {PORK: 2})
        await lunch.has_order(diner, {PORK: 2}, on=tomorrow)

        await lunch.court.leaves(diner)
        await app.settle()

        assert (await lunch.left(PORK), await lunch.left(PORK, tomorrow)) == (10, 10)
        assert await lunch.wallet(diner) == 10_000

    async def test_cancels_after_the_cut_off_until_the_meal_is_closed(self, lunch, diner, app):
        await lunch.has_order(diner, {PORK: 2})
        app.clock.set(lunch.now + LUNCH_CLOSES_IN + timedelta(minutes=5))

        await lunch.court.leaves(diner)
        await app.settle()

        assert await lunch.left(PORK) == 10

    @pytest.mark.parametrize(("leaves_at", "left"), [("12:59", 10), ("13:00", 8)])
    async def test_leaves_a_meal_alone_whose_serving_has_ended(
        self, lunch, diner, app, leaves_at, left
    ):
        """Nobody counted and nobody scanned: whoever ate it gets no money back."""
        await lunch.has_order(diner, {PORK: 2})
        app.clock.set(local_instant(MONDAY, time.fromisoformat(leaves_at)))

        await lunch.court.leaves(diner)
        await app.settle()

        assert await lunch.left(PORK) == left

    async def test_keeps_what_is_cooked_already_and_says_so(self, lunch, diner, app, orders):
        await lunch.has_order(diner, {PORK: 2})
        await lunch.counts()

        await lunch.court.leaves(diner)
        await app.settle()

        assert await lunch.left(PORK) == 8
        entries = [json.loads(e["e"]["S"]) for e in app.engine.items("journal")]
        told = [fact["n"] for entry in entries for fact in entry.get("x", ())]
        assert told.count("meals.order_kept.v1") == 1
        assert "meals.order_cancelled.v1" not in told
