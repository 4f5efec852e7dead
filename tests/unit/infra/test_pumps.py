from datetime import timedelta

import pytest
from infra.local.pumps import STREAM_ATTEMPTS, QueuePump, Schedule, StreamPump
from infra.memory.clock import VirtualClock

from courtside.platform.queues import LocalQueues


class FakeStream:
    """A stream of one shard."""

    def __init__(self, count):
        self.records = [{"dynamodb": {"SequenceNumber": str(n)}} for n in range(1, count + 1)]

    async def after(self, seen):
        records = self.records[int(seen.get("shard", "0")) :]
        return {"shard": records} if records else {}


class Taker:
    """Takes events and fails what it is told to."""

    def __init__(self, *failing):
        self.failing = set(failing)
        self.taken = []

    async def stream(self, event):
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        self.taken.append(numbers)
        return _failures(n for n in numbers if n in self.failing)

    async def queue(self, event):
        self.taken.append([record["body"] for record in event["Records"]])
        return _failures(r["messageId"] for r in event["Records"] if r["body"] in self.failing)


def _failures(identifiers):
    return {"batchItemFailures": [{"itemIdentifier": one} for one in identifiers]}


class TestStreamPump:
    async def test_goes_on_where_an_earlier_run_stopped(self, tmp_path):
        stream, taker = FakeStream(2), Taker()
        await StreamPump(stream, tmp_path / "seen", taker.stream).step()
        stream.records.append({"dynamodb": {"SequenceNumber": "3"}})

        await StreamPump(stream, tmp_path / "seen", taker.stream).step()

        assert taker.taken == [["1", "2"], ["3"]]

    async def test_repeats_from_the_lowest_failure(self, tmp_path):
        taker = Taker("2")
        pump = StreamPump(FakeStream(3), tmp_path / "seen", taker.stream)

        await pump.step()
        taker.failing.clear()
        await pump.step()

        assert taker.taken == [["1", "2", "3"], ["2", "3"]]

    async def test_leaves_a_poison_record_to_the_sweeper(self, tmp_path):
        taker = Taker("1")
        pump = StreamPump(FakeStream(2), tmp_path / "seen", taker.stream)

        moved = [await pump.step() for _ in range(STREAM_ATTEMPTS + 1)]

        assert moved == [False] * (STREAM_ATTEMPTS - 1) + [True, True]
        assert taker.taken[-1] == ["2"]


class TestQueuePump:
    @pytest.fixture
    def queues(self):
        opened = LocalQueues(":memory:", VirtualClock())
        yield opened
        opened.close()

    async def test_forgets_what_was_done_and_keeps_what_failed(self, queues):
        queues.put("events", [1, 2, 3])
        taker = Taker("2")

        moved = await QueuePump(queues, "events", taker.queue).step()

        assert moved
        assert taker.taken == [["1", "2", "3"]]
        assert queues.waiting("events") == 1

    async def test_keeps_everything_when_its_worker_breaks(self, queues):
        queues.put("events", [1, 2])

        async def broken(_):
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await QueuePump(queues, "events", broken).step()

        assert queues.waiting("events") == 2


class TestSchedule:
    async def test_runs_once_after_a_jump_however_far(self):
        clock, ran = VirtualClock(), []

        async def handle(event):
            ran.append(event["task"])

        schedule = Schedule(clock, {"sweep": timedelta(minutes=5)}, handle)
        await schedule.step()
        clock.advance(hours=9)
        await schedule.step()
        await schedule.step()

        assert ran == ["sweep"]
