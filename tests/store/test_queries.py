"""What every engine must do alike when it reads, and what both say that it costs."""

from dataclasses import replace
from typing import Any

import pytest

from courtside.platform.dynamo.engine import Engine, EngineFault
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.values import Check, Key, Op, Query, Write
from testkit.factories.items import a_change, a_put, an_item, every_page, read


class TestQueries:
    @pytest.fixture
    async def sorts(self, engine: Engine, place: str) -> list[str]:
        sorts = ["A#1", "A#2", "A#3", "B", "C#1", "中"]
        await engine.put_many("records", [an_item(Key(place, sort)) for sort in sorts])
        return sorts

    @pytest.mark.parametrize(
        ("limits", "expected"),
        [
            ({}, [0, 1, 2, 3, 4, 5]),
            ({"begins": "A#"}, [0, 1, 2]),
            ({"begins": "D"}, []),
            ({"low": "A#2"}, [1, 2, 3, 4, 5]),
            ({"high": "B"}, [0, 1, 2, 3]),
            ({"low": "A#2", "high": "C"}, [1, 2, 3]),
            ({"begins": "中"}, [5]),
        ],
    )
    async def test_ranges(
        self, engine: Engine, place: str, sorts: list[str], limits: Any, expected: list[int]
    ) -> None:
        query = Query(table="records", pk=place, consistent=True, **limits)

        forward = await engine.query(query)
        backward = await engine.query(replace(query, forward=False))

        assert [i["sk"]["S"] for i in forward.items] == [sorts[n] for n in expected]
        assert backward.items == forward.items[::-1]

    @pytest.mark.parametrize("forward", [True, False])
    @pytest.mark.parametrize("limit", [1, 2, 6, 7])
    async def test_pages_lose_and_repeat_nothing(
        self, engine: Engine, place: str, sorts: list[str], limit: int, *, forward: bool
    ) -> None:
        query = Query(table="records", pk=place, limit=limit, forward=forward)

        pages = await every_page(engine, query)

        found = [i["sk"]["S"] for page in pages for i in page]
        assert found == (sorts if forward else sorts[::-1])
        assert all(len(page) <= limit for page in pages)

    async def test_an_index_holds_only_items_with_both_keys(
        self, engine: Engine, place: str
    ) -> None:
        shown, half, bare = (Key(place, sort) for sort in ("1", "2", "3"))
        index = f"{place}#INDEX"
        await engine.transact(
            [a_put(shown, gsi1pk=index, gsi1sk="b"), a_put(half, gsi1pk=index), a_put(bare)]
        )
        query = Query(table="records", pk=index, index="gsi1")

        assert (await engine.query(query)).items == [an_item(shown, gsi1pk=index, gsi1sk="b")]

        await engine.transact(
            [
                a_change(shown, set={"gsi1sk": {"S": "z"}}),
                a_change(half, set={"gsi1sk": {"S": "a"}}),
            ]
        )
        assert [i["sk"]["S"] for i in (await engine.query(query)).items] == ["2", "1"]

        await engine.transact([a_change(shown, remove=("gsi1pk",)), a_change(half, delete=True)])
        assert (await engine.query(query)).items == []

    async def test_items_that_share_an_index_key_page_without_loss(
        self, engine: Engine, place: str
    ) -> None:
        index = f"{place}#INDEX"
        keys = [Key(place, str(n)) for n in range(5)]
        await engine.put_many("records", [an_item(k, gsi2pk=index, gsi2sk="same") for k in keys])

        query = Query(table="records", pk=index, index="gsi2", limit=2)
        pages = await every_page(engine, query)

        assert sorted(i["sk"]["S"] for page in pages for i in page) == list("01234")

    async def test_the_day_index_holds_the_entry_id_alone(self, engine: Engine, place: str) -> None:
        key = Key(place, "E")
        day = f"{place}#2026-03-02#0"
        await engine.transact([a_put(key, table="journal", dp=day, ds="t#1", id="1", e="long")])

        found = await engine.query(Query(table="journal", pk=day, index="day"))

        assert found.items == [an_item(key, dp=day, ds="t#1", id="1")]

    @pytest.mark.parametrize(
        "mistake",
        [{"index": "gsi1", "consistent": True}, {"begins": "A", "low": "B"}, {"limit": 0}],
    )
    async def test_refuses_what_no_query_can_ask(
        self, engine: Engine, place: str, mistake: Any
    ) -> None:
        with pytest.raises(EngineFault):
            await engine.query(Query(table="records", pk=place, **mistake))


class TestCost:
    """Both engines report the same units, so that a budget asserted on one holds on the other."""

    async def test_of_an_order_like_transaction(
        self, memory: Engine, embedded: Engine, place: str
    ) -> None:
        writes = [
            a_put(Key(place, "small"), Check("pk", Op.ABSENT)),
            a_put(Key(place, "indexed"), gsi1pk=f"{place}#X", gsi1sk="1", text="x" * 1500),
            a_change(Key(place, "account"), add={"available": 5}),
            a_put(Key(f"{place}#J", "E"), table="journal", dp=place, ds="1", id="1", e="x" * 900),
        ]
        again = [
            a_change(Key(place, "account"), Check("available", Op.GE, 1), add={"available": -1}),
            a_change(Key(place, "indexed"), set={"gsi1sk": {"S": "2"}}),
            a_change(Key(place, "small"), Check("pk", Op.EXISTS)),
        ]

        assert await cost(memory, writes, again) == await cost(embedded, writes, again)

    async def test_of_reads(self, memory: Engine, embedded: Engine, place: str) -> None:
        items = [an_item(Key(place, str(n)), text="x" * 3000) for n in range(5)]
        for engine in (memory, embedded):
            await engine.put_many("records", items)

        costs = []
        for engine in (memory, embedded):
            with metered() as meter:
                await read(engine, Key(place, "1"), Key(place, "none"))
                await engine.query(Query(table="records", pk=place))
                await engine.query(Query(table="records", pk=place, consistent=True))
                await engine.query(Query(table="records", pk=f"{place}#NONE"))
            costs.append((meter.reads, meter.read_units))

        assert costs[0] == costs[1]


async def cost(engine: Engine, *transactions: list[Write]) -> list[tuple[int, float]]:
    costs = []
    for writes in transactions:
        with metered() as meter:
            await engine.transact(writes)
        costs.append((meter.writes, meter.write_units))
    return costs
