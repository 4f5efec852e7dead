"""Reads on their way to the engine: gathered, paged under cursors, kept to one court."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infra.local.tables import read_tables
from infra.memory.clock import VirtualClock
from infra.memory.engine import Faults, MemoryEngine
from pynamodb.attributes import UnicodeAttribute

from courtside.kernel.errors import Busy, InvalidInput
from courtside.kernel.paging import PageRequest
from courtside.platform.clock import deadline
from courtside.platform.dynamo import cursors, expressions
from courtside.platform.dynamo.batching import BatchingEngine
from courtside.platform.dynamo.database import Database, Record, Tenant, create
from courtside.platform.dynamo.engine import Throttled
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.patience import PatientEngine
from courtside.platform.dynamo.values import Item, Key, Query, Read
from testkit.factories.portions import FixedDigests, a_database


class Note(Record):
    text = UnicodeAttribute()


class Watched(MemoryEngine):
    """Remembers which reads came together."""

    def __init__(self, *, faults: Faults | None = None) -> None:
        super().__init__(faults=faults or Faults())
        self.batches: list[Sequence[Read]] = []

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        self.batches.append(list(reads))
        return await super().get(reads)


async def notes(engine: MemoryEngine, count: int, *, court: str = "C310") -> Tenant:
    for n in range(count):
        note = Note(pk=f"{court}#NOTES", sk=f"{n:03}", text=f"第{n}条")
        await engine.transact([create(note, by="test")])
    return Database(engine, clock=engine.clock, digests=FixedDigests()).of(court)


class TestBatching:
    async def test_gets_of_one_moment_leave_together(self) -> None:
        engine = Watched()
        tenant = await notes(engine, 3)
        batching = BatchingEngine(engine)
        together = Tenant("C310", batching, FixedDigests())

        async def later() -> Note | None:
            await asyncio.sleep(0)
            return await together.get(Note, "NOTES", "001")

        with metered() as meter:
            found = await asyncio.gather(
                together.get_many(Note, [("NOTES", "000"), ("NOTES", "none")]),
                later(),
                together.get(Note, "NOTES", "001"),
            )

        assert len(engine.batches) == meter.calls == meter.rounds == 1
        assert len(engine.batches[0]) == 3
        first, nothing = found[0]
        assert (first.text, nothing, found[1].text, found[2].text) == (
            "第0条",
            None,
            "第1条",
            "第1条",
        )
        assert await tenant.get(Note, "NOTES", "002")

    async def test_two_requests_are_never_mixed(self) -> None:
        engine = Watched()
        batching = BatchingEngine(engine)

        async def request(sort: str) -> int:
            with metered() as meter:
                await batching.get([Read("records", Key("C#A", sort))])
                return meter.reads

        assert await asyncio.gather(request("1"), request("2")) == [1, 1]
        assert [len(batch) for batch in engine.batches] == [1, 1]

    async def test_more_than_a_hundred_leave_in_parts(self) -> None:
        engine = Watched()
        reads = [Read("records", Key("C#A", f"{n}")) for n in range(230)]

        with metered() as meter:
            found = await BatchingEngine(engine).get(reads)

        assert found == [None] * 230
        assert sorted(len(batch) for batch in engine.batches) == [30, 100, 100]
        assert meter.rounds == 1

    async def test_a_failure_reaches_everybody_who_waits(self) -> None:
        batching = BatchingEngine(Watched(faults=Faults(throttled=1.0)))

        with metered():
            answers = await asyncio.gather(
                *(batching.get([Read("records", Key("C#A", f"{n}"))]) for n in range(3)),
                return_exceptions=True,
            )

        assert [type(answer) for answer in answers] == [Throttled] * 3


class TestPatience:
    async def test_reads_and_derived_puts_are_tried_again(self) -> None:
        engine = Watched(faults=Faults(lost_before=0.3, lost_after=0.2, throttled=0.2))
        patient = PatientEngine(engine, engine.clock)
        item = {"pk": {"S": "C#A"}, "sk": {"S": "1"}}

        await patient.put_many("records", [item])

        assert await patient.get([Read("records", Key("C#A", "1"))]) == [item]
        assert (await patient.query(Query(table="records", pk="C#A"))).items == [item]

    async def test_until_the_deadline(self) -> None:
        engine = Watched(faults=Faults(throttled=1.0))

        with deadline(engine.clock, 5.0), pytest.raises(Busy):
            await PatientEngine(engine, engine.clock).get([Read("records", Key("C#A", "1"))])

        assert engine.clock.monotonic() < 5.0
        assert len(engine.batches) > 5


class TestPages:
    @pytest.mark.parametrize("forward", [True, False])
    @pytest.mark.parametrize("first", [1, 3, 7, 10])
    async def test_lose_and_repeat_nothing(self, first: int, *, forward: bool) -> None:
        tenant = await notes(MemoryEngine(), 7)
        seen: list[str] = []
        request = PageRequest(first=first)

        while True:
            page = await tenant.page(Note, "NOTES", request, forward=forward)
            seen += [note.sk for note in page.items]
            if not page.more:
                break
            assert len(page.items) == first
            request = PageRequest(first=first, after=page.cursors[-1])

        assert seen == sorted(seen, reverse=not forward)
        assert len(set(seen)) == len(seen) == 7

    async def test_a_full_last_page_says_that_it_is_the_last(self) -> None:
        tenant = await notes(MemoryEngine(), 4)

        assert not (await tenant.page(Note, "NOTES", PageRequest(first=4))).more
        assert (await tenant.page(Note, "NOTES", PageRequest(first=3))).more

    @pytest.mark.parametrize("first", [0, -1, 101])
    async def test_refuse_other_sizes(self, first: int) -> None:
        tenant = await notes(MemoryEngine(), 1)

        with pytest.raises(InvalidInput):
            await tenant.page(Note, "NOTES", PageRequest(first=first))

    async def test_a_cursor_of_another_court_or_list_is_refused(self) -> None:
        engine = MemoryEngine()
        mine, others = await notes(engine, 2), await notes(engine, 2, court="C320")
        cursor = (await others.page(Note, "NOTES", PageRequest(first=1))).cursors[0]

        with pytest.raises(InvalidInput):
            await mine.page(Note, "NOTES", PageRequest(after=cursor))
        with pytest.raises(InvalidInput):
            await others.page(Note, "NOTES", PageRequest(after=cursor), begins="0")


class TestCursors:
    @given(st.text(max_size=30), st.text(max_size=30))
    def test_lead_back_to_their_sort_key(self, scope: str, sort: str) -> None:
        cursor = cursors.encode(scope, sort, secret=b"s")

        assert cursors.decode(scope, cursor, secret=b"s") == sort

    @given(st.text(max_size=40))
    def test_nothing_else_is_one(self, cursor: str) -> None:
        with pytest.raises(InvalidInput):
            cursors.decode("scope", cursor, secret=b"s")

    def test_nor_one_that_was_changed(self) -> None:
        cursor = cursors.encode("scope", "001", secret=b"s")

        for other in (cursor[:-1] + "B", "A" + cursor[1:], cursor + "AAAA"):
            with pytest.raises(InvalidInput):
                cursors.decode("scope", other, secret=b"s")
        with pytest.raises(InvalidInput):
            cursors.decode("scope", cursor, secret=b"t")


class TestTenant:
    @pytest.mark.parametrize("court", ["", "C1#J"])
    def test_is_one_court(self, court: str) -> None:
        with pytest.raises(ValueError, match="court's code"):
            a_database(MemoryEngine(), VirtualClock()).of(court)

    async def test_sees_nothing_of_another_court(self) -> None:
        engine = MemoryEngine()
        await notes(engine, 3)
        other = a_database(engine, engine.clock).of("C320")

        assert await other.query(Note, "NOTES") == []
        assert await other.get(Note, "NOTES", "001") is None
        assert await other.get_many(Note, []) == []


def test_the_index_keys_are_those_of_the_template() -> None:
    defined = {
        index.name: (index.pk, index.sk) for t in read_tables().values() for index in t.indexes
    }

    assert defined == expressions.INDEX_KEYS
