"""What every engine must do alike when it writes: in memory and embedded."""

import asyncio
from collections.abc import Sequence

import pytest

from courtside.platform.dynamo.engine import Cancelled, Engine, EngineFault
from courtside.platform.dynamo.values import Check, Key, Op, Query, Read, Write
from testkit.factories.items import a_change, a_put, an_item, every_page, read


async def refused(engine: Engine, writes: Sequence[Write]) -> Cancelled:
    with pytest.raises(Cancelled) as caught:
        await engine.transact(writes)
    return caught.value


class TestTransactions:
    async def test_writes_all_or_nothing(self, engine: Engine, place: str) -> None:
        first, second = Key(place, "1"), Key(place, "2")

        cancelled = await refused(
            engine, [a_put(first, n=1), a_change(second, Check("pk", Op.EXISTS), add={"n": 1})]
        )

        assert [r.code for r in cancelled.reasons] == ["None", "ConditionalCheckFailed"]
        assert await read(engine, first, second) == [None, None]

    async def test_answers_the_old_items_of_all_that_failed(
        self, engine: Engine, place: str
    ) -> None:
        keys = [Key(place, str(n)) for n in range(4)]
        await engine.transact([a_put(key, n=n) for n, key in enumerate(keys[:3])])

        cancelled = await refused(
            engine, [a_change(key, Check("n", Op.LT, 1), add={"n": 5}) for key in keys]
        )

        assert [r.is_condition for r in cancelled.reasons] == [False, True, True, True]
        found = [r.item for r in cancelled.reasons]
        assert found == [None, an_item(keys[1], n=1), an_item(keys[2], n=2), None]

    async def test_adds_begin_at_zero_and_sets_and_removes_apply(
        self, engine: Engine, place: str
    ) -> None:
        key = Key(place, "1")
        await engine.transact([a_change(key, add={"n": -3}, set={"s": {"S": "一"}})])
        await engine.transact([a_change(key, add={"n": 5}, remove=("s", "never"))])

        assert await read(engine, key) == [an_item(key, n=2)]

    async def test_deletes(self, engine: Engine, place: str) -> None:
        key = Key(place, "1")
        await engine.transact([a_put(key, n=1)])

        await refused(engine, [a_change(key, Check("n", Op.EQ, 2), delete=True)])
        await engine.transact([a_change(key, Check("n", Op.EQ, 1), delete=True)])

        assert await read(engine, key) == [None]

    async def test_only_checks(self, engine: Engine, place: str) -> None:
        checked, written = Key(place, "1"), Key(place, "2")
        await engine.transact([a_put(checked, n=1)])

        await engine.transact([a_change(checked, Check("n", Op.GE, 1)), a_put(written, n=9)])
        await refused(engine, [a_change(checked, Check("n", Op.GE, 2)), a_put(written, n=8)])

        assert await read(engine, checked, written) == [
            an_item(checked, n=1),
            an_item(written, n=9),
        ]

    async def test_an_addition_to_text_is_no_condition(self, engine: Engine, place: str) -> None:
        key = Key(place, "1")
        await engine.transact([a_put(key, s="text")])

        with pytest.raises((Cancelled, EngineFault)) as caught:
            await engine.transact([a_change(key, add={"s": 1})])

        codes = [r.code for r in getattr(caught.value, "reasons", ())]
        assert codes in ([], ["ValidationError"])
        assert await read(engine, key) == [an_item(key, s="text")]


class TestChecks:
    @pytest.mark.parametrize(
        ("check", "met"),
        [
            (Check("n", Op.EQ, 5), True),
            (Check("n", Op.EQ, "5"), False),
            (Check("n", Op.NE, "5"), True),
            (Check("n", Op.NE, 5), False),
            (Check("n", Op.LT, 10), True),
            (Check("n", Op.GT, 10), False),
            (Check("n", Op.LE, 5), True),
            (Check("n", Op.GE, 6), False),
            (Check("s", Op.LT, "b"), True),
            (Check("s", Op.GT, "B"), True),
            (Check("s", Op.LT, 1), False),
            (Check("b", Op.EQ, True), True),
            (Check("b", Op.NE, True), False),
            (Check("b", Op.EQ, False), False),
            (Check("missing", Op.EQ, 1), False),
            (Check("missing", Op.NE, 1), True),
            (Check("missing", Op.LT, 1), False),
            (Check("missing", Op.GE, 0), False),
            (Check("missing", Op.ABSENT), True),
            (Check("missing", Op.EXISTS), False),
            (Check("n", Op.EXISTS), True),
            (Check("pk", Op.ABSENT), False),
        ],
    )
    async def test_of_one_attribute(
        self, engine: Engine, place: str, check: Check, *, met: bool
    ) -> None:
        key = Key(place, "1")
        await engine.transact([a_put(key, n=5, s="a", b=True)])

        try:
            await engine.transact([a_change(key, check, set={"done": {"S": "yes"}})])
        except Cancelled:
            happened = False
        else:
            happened = True

        (item,) = await read(engine, key)
        assert happened is met
        assert ("done" in (item or {})) is met

    async def test_all_must_hold(self, engine: Engine, place: str) -> None:
        key = Key(place, "1")
        await engine.transact([a_put(key, n=5, s="a")])
        both = (Check("n", Op.GE, 5), Check("s", Op.EQ, "b"))

        await refused(engine, [a_change(key, *both, add={"n": 1})])

        assert await read(engine, key) == [an_item(key, n=5, s="a")]


class TestLimits:
    """D-21: what is too large is refused, what is long is paged, nothing is cut off."""

    async def test_a_transaction_has_at_most_100_writes(self, engine: Engine, place: str) -> None:
        keys = [Key(place, f"{n:03}") for n in range(101)]
        await engine.transact([a_put(key, n=1) for key in keys[:100]])

        with pytest.raises(EngineFault):
            await engine.transact([a_put(key, n=2) for key in keys])

        assert await read(engine, keys[0], keys[99]) == [
            an_item(keys[0], n=1),
            an_item(keys[99], n=1),
        ]

    async def test_an_item_is_touched_once(self, engine: Engine, place: str) -> None:
        key = Key(place, "1")

        with pytest.raises(EngineFault):
            await engine.transact([a_put(key, n=1), a_change(key, add={"n": 1})])

        assert await read(engine, key) == [None]

    async def test_an_item_has_at_most_400_kb(self, engine: Engine, place: str) -> None:
        key = Key(place, "1")
        fits = 400 * 1024 - len(place) - len("pksk1text")
        await engine.transact([a_put(key, text="x" * fits)])

        with pytest.raises((EngineFault, Cancelled)):
            await engine.transact([a_put(key, text="x" * (fits + 1))])
        with pytest.raises((EngineFault, Cancelled)):
            await engine.transact([a_change(key, set={"more": {"S": "x"}})])

        assert await read(engine, key) == [an_item(key, text="x" * fits)]

    @pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
    async def test_a_transaction_has_at_most_4_mb(self, engine: Engine, place: str) -> None:
        writes = [a_put(Key(place, str(n)), text="x" * 399_000) for n in range(11)]

        with pytest.raises(EngineFault):
            await engine.transact(writes)

        assert await read(engine, writes[0].key) == [None]

    async def test_a_batch_gets_100_in_the_order_asked(self, engine: Engine, place: str) -> None:
        keys = [Key(place, f"{n:03}") for n in range(100)]
        await engine.transact([a_put(key, n=1) for key in keys[::2]])

        found = await read(engine, *reversed(keys))

        assert found == [None if n % 2 else an_item(keys[n], n=1) for n in range(99, -1, -1)]
        with pytest.raises(EngineFault):
            await read(engine, *keys, Key(place, "100"))

    async def test_the_same_item_may_be_asked_for_twice(self, engine: Engine, place: str) -> None:
        key = Key(place, "1")
        await engine.transact([a_put(key, n=1)])

        found = await engine.get([Read("records", key), Read("records", key, consistent=False)])

        assert found == [an_item(key, n=1)] * 2

    async def test_a_batch_puts_25(self, engine: Engine, place: str) -> None:
        items = [an_item(Key(place, f"{n:02}"), n=n) for n in range(26)]
        await engine.put_many("records", items[:25])
        await engine.put_many("records", items[:25])

        assert len((await engine.query(Query(table="records", pk=place))).items) == 25
        with pytest.raises(EngineFault):
            await engine.put_many("records", items)

    async def test_a_page_ends_at_1_mb(self, engine: Engine, place: str) -> None:
        for n in range(6):
            await engine.put_many("records", [an_item(Key(place, str(n)), text="x" * 300_000)])

        pages = await every_page(engine, Query(table="records", pk=place))

        assert [len(page) for page in pages] == [3, 3]
        assert [i["sk"]["S"] for page in pages for i in page] == list("012345")


class TestContention:
    @pytest.mark.parametrize("round_", range(5))
    async def test_two_claims_of_one_place_let_one_through(
        self, engine: Engine, place: str, round_: int
    ) -> None:
        free = Key(place, str(round_))
        await engine.transact([a_put(free, left=1)])
        claim = a_change(free, Check("left", Op.GE, 1), add={"left": -1})

        answers = await asyncio.gather(
            engine.transact([claim]), engine.transact([claim]), return_exceptions=True
        )

        assert sorted(isinstance(answer, Cancelled) for answer in answers) == [False, True]
        assert await read(engine, free) == [an_item(free, left=0)]
