import os
import sqlite3
import subprocess
import sys

import pytest
from infra.memory.clock import VirtualClock

from courtside.platform.queues import (
    ATTEMPTS,
    VISIBILITY,
    LocalQueues,
    SqsQueue,
    Undelivered,
)
from courtside.platform.settings import Settings, table_names

SETTINGS = Settings(stage="t", region="cn-north-1", endpoint="http://-", tables=table_names("t"))


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def queues(tmp_path, clock):
    opened = LocalQueues(tmp_path / "queues.sqlite", clock)
    yield opened
    opened.close()


class TestLocalQueues:
    async def test_delivers_what_was_sent_to_its_own_queue(self, queues):
        await queues.queue("events").send([{"n": 1}, {"n": "二"}])

        received = queues.receive("events")

        assert [m.body for m in received] == ['{"n": 1}', '{"n": "二"}']
        assert queues.receive("jobs") == []

    async def test_hides_what_is_worked_on(self, queues, clock):
        await queues.queue("events").send([{"n": 1}])
        queues.receive("events")

        hidden = queues.receive("events")
        clock.advance(seconds=VISIBILITY)
        (shown,) = queues.receive("events")

        assert hidden == []
        assert shown.receives == 2

    async def test_forgets_what_is_done(self, queues, clock):
        await queues.queue("events").send([{"n": 1}])
        (message,) = queues.receive("events")

        queues.done(message)
        clock.advance(seconds=VISIBILITY)

        assert queues.receive("events") == []
        assert queues.waiting("events") == 0

    async def test_shows_again_what_was_postponed_before_its_usual_time(self, queues, clock):
        await queues.queue("events").send([{"n": 1}, {"n": 2}])
        first, second = queues.receive("events")

        await queues.queue("events").postpone({first.record()["receiptHandle"]: 5.0})
        clock.advance(seconds=5)

        assert [m.id for m in queues.receive("events")] == [first.id]
        assert second.id not in {m.id for m in queues.receive("events")}

    async def test_sets_a_poison_message_aside_and_goes_on(self, queues):
        await queues.queue("events").send([{"poison": True}])
        for _ in range(ATTEMPTS):
            (message,) = queues.receive("events")
            queues.again(message.id, after=0)
        await queues.queue("events").send([{"n": 1}])

        (next_one,) = queues.receive("events")

        assert next_one.body == '{"n": 1}'
        assert [m.body for m in queues.dead_letters("events")] == ['{"poison": true}']

    async def test_tries_dead_letters_again_as_new(self, queues, clock, tmp_path):
        """D-15: also when another process asks for it, while this one goes on working."""
        await queues.queue("events").send([{"poison": True}])
        for _ in range(ATTEMPTS):
            (message,) = queues.receive("events")
            queues.again(message.id, after=0)
        assert queues.receive("events") == []
        other = LocalQueues(tmp_path / "queues.sqlite", clock)

        redriven = (other.redrive(), other.redrive())
        other.close()

        (again,) = queues.receive("events")
        assert (again.id, again.body, again.receives) == (message.id, message.body, 1)
        assert (redriven, queues.dead_letters("events")) == ((1, 0), [])

    async def test_waits_until_something_arrives(self, queues):
        await queues.queue("events").send([{"n": 1}])

        await queues.arrival("events", at_most=60)

        assert len(queues.receive("events")) == 1

    def test_tells_lambda_s_own_record(self, queues):
        queues.put("events", [{"n": 1}])
        (message,) = queues.receive("events")

        record = message.record()

        assert record["body"] == '{"n": 1}'
        assert record["attributes"]["ApproximateReceiveCount"] == "1"

    def test_loses_nothing_when_its_process_is_killed(self, tmp_path, clock):
        path = tmp_path / "killed.sqlite"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", KILLED, str(path)]
        killed = subprocess.run(command, env=environment, check=False)
        again = LocalQueues(path, clock)

        again.show_all()
        received = again.receive("events", most=100)
        again.close()

        assert killed.returncode == -9
        assert {m.body for m in received} == {f'{{"n": {n}}}' for n in range(20)}
        assert sorted(m.receives for m in received) == [1] * 15 + [2] * 5

    def test_writes_durably_before_it_answers(self, queues, tmp_path):
        queues.put("events", [{"n": 1}])

        with sqlite3.connect(tmp_path / "queues.sqlite") as other:
            (count,) = other.execute("SELECT COUNT(*) FROM message").fetchone()
        other.close()

        assert count == 1


KILLED = """
import os, signal, sys
from courtside.platform.clock import SystemClock
from courtside.platform.queues import LocalQueues
queues = LocalQueues(sys.argv[1], SystemClock())
queues.put("events", [{"n": n} for n in range(20)])
queues.receive("events", most=5)
os.kill(os.getpid(), signal.SIGKILL)
"""


class FakeSqs:
    """Takes batches; the first `fails` entries of the first call come back as failed."""

    def __init__(self, *, fails, for_ever=False):
        self.fails = fails
        self.for_ever = for_ever
        self.taken = []
        self.calls = 0

    def send_message_batch(self, *, QueueUrl, Entries):  # noqa: N803
        assert QueueUrl == "url"
        assert len(Entries) <= 10
        self.calls += 1
        failing = self.fails if self.calls == 1 or self.for_ever else 0
        self.taken += [entry["MessageBody"] for entry in Entries[failing:]]
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries[:failing]]}

    def change_message_visibility_batch(self, *, QueueUrl, Entries):  # noqa: N803
        assert len(Entries) <= 10
        self.calls += 1
        self.taken += [(e["ReceiptHandle"], e["VisibilityTimeout"]) for e in Entries]
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries[: self.fails]]}


class TestSqsQueue:
    async def test_sends_ten_a_call(self):
        sqs = FakeSqs(fails=0)

        await SqsQueue("url", SETTINGS, sqs).send([{"n": n} for n in range(23)])

        assert sqs.calls == 3
        assert len(sqs.taken) == 23

    async def test_sends_again_only_what_was_not_taken(self):
        sqs = FakeSqs(fails=2)

        await SqsQueue("url", SETTINGS, sqs).send([{"n": n} for n in range(5)])

        assert sorted(sqs.taken) == [f'{{"n": {n}}}' for n in range(5)]

    async def test_says_so_when_something_stays_behind(self):
        sqs = FakeSqs(fails=1, for_ever=True)

        with pytest.raises(Undelivered, match="1 of 5"):
            await SqsQueue("url", SETTINGS, sqs).send([{"n": n} for n in range(5)])

    async def test_postpones_ten_a_call_in_whole_seconds(self):
        sqs = FakeSqs(fails=0)

        await SqsQueue("url", SETTINGS, sqs).postpone({f"r{n}": 5.0 + n for n in range(12)})

        assert sqs.calls == 2
        assert sqs.taken == [(f"r{n}", 5 + n) for n in range(12)]

    async def test_says_so_when_something_keeps_its_usual_time(self):
        sqs = FakeSqs(fails=1)

        with pytest.raises(Undelivered, match="1 of 2"):
            await SqsQueue("url", SETTINGS, sqs).postpone({"a": 5.0, "b": 30.0})
