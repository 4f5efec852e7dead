"""What follows from a journal entry, and what does not."""

import random
from typing import Any

import pytest

from courtside.entrypoints.journal_relay import JournalRelay
from courtside.kernel.journal import MAX_DEPTH
from courtside.kernel.workdays import business_day
from courtside.platform.causes import caused_at
from courtside.platform.dynamo.database import engine_of
from courtside.platform.dynamo.engine import Throttled
from courtside.platform.messages import to_fact, to_job
from courtside.platform.queues import Undelivered
from courtside.platform.relay import Relay
from courtside.platform.signals import Signal
from courtside.platform.sweeper import Sweeper
from testkit.house import COURT, House, account_of
from testkit.mapping import StreamMapping


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def history(house: House) -> dict[tuple[str, str], Any]:
    return {
        (item["pk"]["S"].removeprefix(f"{COURT}#HISTORY#"), item["sk"]["S"]): item
        for item in house.engine.items("records")
        if item["pk"]["S"].startswith(f"{COURT}#HISTORY#")
    }


async def relay(house: House, records: list[Any] | None = None) -> list[str]:
    found = house.engine.stream("journal") if records is None else records
    answer = await JournalRelay(house.base, house.signals).take({"Records": found})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


class TestRelay:
    async def test_sends_facts_and_jobs_and_unfolds_the_entry(self, house):
        await house.tills.pay("A", 500, key="k-1", job="tills.close#J1")

        failed = await relay(house)

        (event,) = house.queues.receive("events")
        (job,) = house.queues.receive("jobs")
        delivered = to_fact(event.body)
        entry_id = delivered.id.partition("#")[0]
        assert failed == []
        assert (delivered.court, delivered.depth) == (COURT, 0)
        assert delivered.fact.state == {"till": "A", "amount": 500}
        assert to_job(job.body) == (COURT, "tills.close", "J1", 1)
        lines = history(house)
        assert set(lines) == {
            ("Till:A", "000000000001"),
            (str(account_of("A")), entry_id),
            (entry_id, "DELIVERED"),
            ("BY:CLERK#2026-03-02", f"2026-03-02T01:00:00.000000Z#{entry_id}"),
        }
        assert lines["Till:A", "000000000001"]["state"]["S"] == '{"amount":500,"till":"A"}'
        assert lines[str(account_of("A")), entry_id]["moved"]["S"] == '[["PAID",500,0,0]]'

    async def test_leaves_the_same_history_however_often_it_runs(self, house):
        for n in range(30):
            await house.tills.pay("A", n, key=f"k-{n}")
        await relay(house)
        once = house.engine.dump()

        records = house.engine.stream("journal")
        failed = await relay(house, [*reversed(records), *records])

        assert failed == []
        assert house.engine.dump() == once

    async def test_writes_no_mark_while_a_fact_is_not_sent(self, house, monkeypatch):
        await house.tills.pay("A", 1, key="k-1")
        await relay(house)
        await house.tills.pay("A", 2, key="k-2")
        _first, second = house.engine.stream("journal")
        before = house.engine.dump()

        async def refuse(*_: object) -> None:
            raise Undelivered("1 of 1 messages were not taken")

        monkeypatch.setattr(house.base.event_queue.__class__, "send", refuse)
        failed = await relay(house, [second])

        assert failed == [second["dynamodb"]["SequenceNumber"]]
        assert house.engine.dump() == before
        assert house.signals.counts[Signal.ENTRY_UNDELIVERED] == 1

    async def test_writes_no_mark_while_a_line_is_not_written(self, house, monkeypatch):
        await house.tills.pay("A", 1, key="k-1")

        async def refuse(*_: object) -> None:
            raise Throttled("throttled")

        monkeypatch.setattr(engine_of(house.database), "put_many", refuse)
        failed = await relay(house)

        assert len(failed) == 1
        assert history(house) == {}

    async def test_an_entry_that_cannot_be_read_fails_alone(self, house):
        """D-15: the poison record is named, all others are delivered in the same call."""
        for n in range(3):
            await house.tills.pay(f"T{n}", n, key=f"k-{n}")
        records = house.engine.stream("journal")
        records[1]["dynamodb"]["NewImage"]["e"] = {"S": "{"}

        failed = await relay(house, records)

        marks = [key for key in history(house) if key[1] == "DELIVERED"]
        assert failed == [records[1]["dynamodb"]["SequenceNumber"]]
        assert len(marks) == 2
        assert house.signals.counts[Signal.ENTRY_UNREADABLE] == 1

    async def test_poison_in_a_shard_is_set_aside_and_finished_once_it_is_mended(self, house):
        """D-15: one record in 500 through the event source mapping; all others are delivered, and
        the sweeper is the redrive."""
        for n in range(1_000):
            await house.tills.pay(f"T{n % 9}", 1, key=f"k-{n}")
        records = house.engine.stream("journal")
        whole = [records[n]["dynamodb"]["NewImage"] for n in (250, 750)]
        for n in (250, 750):
            records[n]["dynamodb"]["NewImage"] = records[n]["dynamodb"]["NewImage"] | {
                "e": {"S": "{"}
            }
        delivered: list[int] = []
        relay = JournalRelay(house.base, house.signals)

        async def take(event: Any) -> Any:
            delivered.append(len(event["Records"]))
            return await relay.take(event)

        mapping = StreamMapping(take, chance=random.Random(15), attempts=8)
        await mapping.run(records)

        poison = {item["id"]["S"] for item in whole}
        assert {key for key, _ in history(house)} & poison == set()
        assert sum(key[1] == "DELIVERED" for key in history(house)) == 998
        assert poison <= {r["dynamodb"]["NewImage"]["id"]["S"] for r in mapping.on_failure}
        assert sum(delivered) < 1_000 + 2 * 8 * 100  # its attempts cost its own batch alone

        house.clock.advance(minutes=10)
        now, signals = house.clock.now(), house.signals
        again = Relay(
            engine_of(house.database),
            events=house.base.event_queue,
            jobs=house.base.job_queue,
            signals=signals,
        )
        resent = await Sweeper(house.database, again, signals).sweep(
            COURT, since=business_day(now), now=now
        )

        assert resent == 2
        assert sum(key[1] == "DELIVERED" for key in history(house)) == 1_000

    async def test_stops_what_facts_caused_too_deeply_but_marks_it(self, house):
        """D-16: beyond the last depth nothing is sent, with an alarm, and the books are whole."""
        with caused_at(MAX_DEPTH):
            await house.tills.pay("A", 1, key="deepest", job="tills.close#J1")
        with caused_at(MAX_DEPTH + 1):
            await house.tills.pay("A", 1, key="too-deep", job="tills.close#J2")

        failed = await relay(house)

        (event,) = house.queues.receive("events")
        (job,) = house.queues.receive("jobs")
        assert failed == []
        assert to_fact(event.body).depth == MAX_DEPTH
        assert to_job(job.body).id == "J1"
        assert house.signals.counts[Signal.CHAIN_STOPPED] == 1
        assert sum(key[1] == "DELIVERED" for key in history(house)) == 2

    async def test_tells_whatever_else_happens_to_the_journal(self, house):
        await house.tills.pay("A", 1, key="k-1")
        (record,) = house.engine.stream("journal")

        failed = await relay(
            house, [record | {"eventName": "MODIFY"}, record | {"eventName": "REMOVE"}]
        )

        assert failed == []
        assert house.signals.counts[Signal.JOURNAL_TAMPERED] == 2
        assert history(house) == {}

    async def test_lets_entries_go_at_the_end_of_their_time(self, house):
        await house.tills.pay("A", 1, key="k-1")
        house.engine.expire(house.clock.advance(days=3661))
        removal = house.engine.stream("journal")[-1]

        failed = await relay(house, [removal])

        assert removal["eventName"] == "REMOVE"
        assert failed == []
        assert house.signals.counts[Signal.JOURNAL_TAMPERED] == 0
