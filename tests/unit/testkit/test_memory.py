"""The engine in memory where it goes beyond what both engines do: time, lag, loss, the stream."""

import asyncio
from datetime import timedelta

import pytest
from infra.memory.clock import MORNING, VirtualClock
from infra.memory.engine import Faults, MemoryEngine

from courtside.platform.dynamo.engine import Cancelled, Unanswered
from courtside.platform.dynamo.values import Check, Key, Op, Query, Write, attribute


def a_put(sort: str, *, table: str = "records", **values: str | int) -> Write:
    item = {"pk": {"S": "C1#A"}, "sk": {"S": sort}}
    more = {name: attribute(value) for name, value in values.items()}
    return Write(table=table, key=Key("C1#A", sort), put={**item, **more})


class TestVirtualClock:
    async def test_sleepers_wake_at_their_instants_in_order(self) -> None:
        clock = VirtualClock()
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            await asyncio.sleep(0)  # others run before time goes on
            woken.append((name, clock.monotonic()))

        await asyncio.gather(sleeper("c", 3600), sleeper("a", 1), sleeper("b", 1))

        assert woken == [("a", 1.0), ("b", 1.0), ("c", 3600.0)]
        assert clock.now() == MORNING + timedelta(hours=1)

    async def test_two_clocks_do_not_wait_for_each_other(self) -> None:
        one, other = VirtualClock(), VirtualClock()

        await asyncio.wait_for(asyncio.gather(one.sleep(5), other.sleep(7)), 10)

        assert (one.monotonic(), other.monotonic()) == (5.0, 7.0)

    async def test_setting_the_wall_clock_lets_no_time_pass(self) -> None:
        clock = VirtualClock()

        clock.set(MORNING - timedelta(days=3))

        assert clock.now() == MORNING - timedelta(days=3)
        assert clock.monotonic() == 0
        assert clock.skewed(seconds=-5).now() == clock.now() - timedelta(seconds=5)
        assert clock.advance(minutes=2) == MORNING - timedelta(days=3) + timedelta(minutes=2)
        assert clock.monotonic() == 120


class TestFaults:
    async def test_a_lost_answer_comes_after_the_commit_a_lost_request_before(self) -> None:
        for faults, written in ((Faults(lost_after=1), 1), (Faults(lost_before=1), 0)):
            engine = MemoryEngine(faults=faults)
            with pytest.raises(Unanswered):
                await engine.transact([a_put("1")])
            assert len(engine.items("records")) == written

    async def test_overlapping_transactions_conflict_on_the_item_they_share(self) -> None:
        engine = MemoryEngine(faults=Faults(overlap=0.008))

        answers = await asyncio.gather(
            engine.transact([a_put("1"), a_put("2")]),
            engine.transact([a_put("3"), a_put("2")]),
            engine.transact([a_put("4")]),
            return_exceptions=True,
        )

        assert answers[0] is None
        assert answers[2] is None
        assert isinstance(answers[1], Cancelled)
        assert [r.code for r in answers[1].reasons] == ["None", "TransactionConflict"]
        await engine.transact([a_put("2")])

    async def test_an_index_shows_a_change_late_and_in_order(self) -> None:
        engine = MemoryEngine(faults=Faults(stale=1.0, lag=5.0), seed=1)
        query = Query(table="records", pk="C1#X", index="gsi1")
        for n in range(3):
            await engine.transact([a_put("1", gsi1pk="C1#X", gsi1sk="s", n=n)])

        assert (await engine.query(query)).items == []
        seen = []
        for _ in range(50):
            engine.clock.advance(seconds=0.1)
            seen += [item["n"]["N"] for item in (await engine.query(query)).items]

        assert seen == sorted(seen)
        assert seen[-1] == "2"
        assert engine.items("records")[0]["n"] == {"N": "2"}

    async def test_one_seed_is_one_history(self) -> None:
        async def history(seed: int) -> list[str]:
            faults = Faults(lost_before=0.2, throttled=0.2, overlap=0.01, latency=0.05)
            engine = MemoryEngine(VirtualClock(seed=seed), faults=faults, seed=seed)
            calls = (engine.transact([a_put(str(n % 7))]) for n in range(40))
            answers = await asyncio.gather(*calls, return_exceptions=True)
            return [type(answer).__name__ for answer in answers]

        assert await history(1) == await history(1) != await history(2)


class TestStream:
    async def test_has_the_shape_of_a_lambda_event(self) -> None:
        engine = MemoryEngine()
        await engine.transact([a_put("1", table="journal", ttl=1), a_put("1")])

        (record,) = engine.stream("journal")

        assert record["eventName"] == "INSERT"
        assert record["eventSource"] == "aws:dynamodb"
        assert record["dynamodb"]["Keys"] == {"pk": {"S": "C1#A"}, "sk": {"S": "1"}}
        assert record["dynamodb"]["NewImage"]["ttl"] == {"N": "1"}
        assert record["dynamodb"]["ApproximateCreationDateTime"] == int(MORNING.timestamp())
        assert engine.stream("records") == []

    async def test_tells_changes_and_removals_but_nothing_of_what_stayed(self) -> None:
        engine = MemoryEngine()
        item = a_put("1", table="journal", n=1)
        for write in (item, item, a_put("1", table="journal", n=2)):
            await engine.transact([write])
        await engine.transact(
            [Write(table="journal", key=item.key, checks=(Check("n", Op.EQ, 2),), delete=True)]
        )

        records = engine.stream("journal")

        assert [r["eventName"] for r in records] == ["INSERT", "MODIFY", "REMOVE"]
        assert "NewImage" not in records[2]["dynamodb"]
        numbers = [r["dynamodb"]["SequenceNumber"] for r in records]
        assert numbers == sorted(set(numbers))
        assert engine.stream("journal", after=2) == records[2:]

    async def test_what_has_lived_out_its_time_bears_the_service_s_mark(self) -> None:
        engine = MemoryEngine()
        ends = int(MORNING.timestamp())
        await engine.transact(
            [a_put("old", table="journal", ttl=ends), a_put("new", table="journal", ttl=ends + 1)]
        )

        assert engine.expire(MORNING) == 1

        record = engine.stream("journal")[-1]
        assert record["eventName"] == "REMOVE"
        assert record["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"
        assert [i["sk"]["S"] for i in engine.items("journal")] == ["new"]
