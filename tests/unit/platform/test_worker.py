"""Facts at their consumers: every one of them, at least once, and no poison for the others."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from infra.local.pumps import QueuePump

from courtside.entrypoints.event_worker import Events
from courtside.kernel.actor import system
from courtside.kernel.errors import Busy, Refusal, Text
from courtside.kernel.journal import MAX_DEPTH, Delivered
from courtside.platform.dynamo import journal
from courtside.platform.messages import of_fact
from courtside.platform.queues import ATTEMPTS
from courtside.platform.signals import Signal
from courtside.platform.worker import module_of, retry_after, take_batch
from testkit.facts import schema_errors
from testkit.house import COURT, House, paid


class TillIsShut(Refusal):
    code = "TILL_IS_SHUT"
    text = Text(zh="钱箱已锁。", en="The till is shut.")


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def entries_of(house: House, operation: str) -> list[journal.StoredEntry]:
    found = [journal.from_item(item) for item in house.engine.items("journal")]
    return [entry for entry in found if entry.operation == operation]


class TestEventWorker:
    async def test_hands_a_fact_to_every_consumer_of_its_name(self, house):
        got: list[tuple[str, Delivered]] = []

        def consumer(name: str) -> Callable[[Delivered, datetime], Awaitable[None]]:
            async def take(delivered: Delivered, now: datetime) -> None:
                assert now == house.clock.now()
                got.append((name, delivered))

            return take

        app = house.app(
            {"tills.paid.v1": [consumer("one"), consumer("two")], "other.v1": [consumer("three")]}
        )
        await house.tills.pay("A", 500, key="k-1")

        await house.pump(app).settle()

        assert {name for name, _ in got} == {"one", "two"}
        assert all(delivered.fact == paid("A", 500, 1) for _, delivered in got)
        assert house.queues.waiting("events") == 0

    async def test_a_fault_in_one_consumer_keeps_no_other_from_the_fact(self, house):
        got = []

        async def fails(_: Delivered, __: datetime) -> None:
            raise Busy

        async def works(delivered: Delivered, _: datetime) -> None:
            got.append(delivered.id)

        app = house.app({"tills.paid.v1": [fails, works]})
        await house.tills.pay("A", 500, key="k-1")

        await house.pump(app).settle()

        assert len(got) == 2 * 2 * ATTEMPTS  # relayed twice, delivered twice, as often as allowed
        assert len(house.queues.dead_letters("events")) == 2
        assert house.signals.counts[Signal.CONSUMER_FAILED] == len(got)

    async def test_a_refusal_becomes_a_fact_for_the_officer_and_no_dead_letter(self, house):
        async def shut(_: Delivered, __: datetime) -> None:
            raise TillIsShut

        shut.__module__ = "courtside.modules.meals.consumers"
        app = house.app({"tills.paid.v1": [shut]})
        await house.tills.pay("A", 500, key="k-1")

        await house.pump(app).settle()

        (told,) = entries_of(house, "meals.consumer_refused")
        (fact,) = told.facts
        assert told.principal == system(COURT, "meals")
        assert told.depth == 1
        assert fact.name == "meals.consumer_refused.v1"
        assert fact.state["code"] == "TILL_IS_SHUT"
        assert fact.state["aggregate"] == "Till:A"
        assert [note.audience for note in fact.notify] == ["role:LOGISTICS_OFFICER"]
        assert schema_errors(fact) == []
        assert house.queues.dead_letters("events") == []

    async def test_poison_becomes_a_dead_letter_and_delays_nobody(self, house):
        """D-15: one message in 500 is poison; its attempts cost the others one batch at most."""
        got: Counter[str] = Counter()

        async def count(delivered: Delivered, _: datetime) -> None:
            got[delivered.id] += 1

        app = house.app({"tills.paid.v1": [count]})
        pump = house.pump(app)
        healthy = [
            of_fact(
                Delivered(
                    court=COURT,
                    id=f"E{n}#0",
                    at=house.clock.now(),
                    depth=0,
                    fact=paid("A", n, n + 1),
                )
            )
            for n in range(998)
        ]
        poison = [{"court": COURT, "fact": None}, {"depth": "deep"}]
        for n in range(2):
            house.queues.put("events", [*healthy[n * 499 : (n + 1) * 499], poison[n]])

        take = pump.workers["events"]
        for _ in range(1000 // 10 + 1):
            await pump.queue("events", take)
        late = [message["id"] for message in healthy if message["id"] not in got]
        await pump.settle()

        assert late == []
        assert set(got.values()) == {2}
        dead = [json.loads(letter.body) for letter in house.queues.dead_letters("events")]
        assert sorted(map(str, dead)) == sorted(map(str, poison))
        assert house.signals.counts[Signal.MESSAGE_UNREADABLE] == 2 * 2 * ATTEMPTS

    async def test_a_dead_letter_that_is_sent_again_takes_effect_once(self, house):
        """D-15: after the consumer is mended its dead letters are redriven, twice by mistake."""
        mended = False

        async def pay_on(delivered: Delivered, _: datetime) -> None:
            if not mended:
                raise Busy
            await house.tills.pay("B", 1, key=delivered.id, principal=system(COURT, "tills"))

        app = house.app({"tills.paid.v1": [pay_on]})
        pump = house.pump(app)
        await house.tills.pay("A", 500, key="k-1")
        await pump.settle()
        before = entries_of(house, "tills.pay")
        mended = True

        letters = [json.loads(letter.body) for letter in house.queues.dead_letters("events")]
        house.queues.put("events", letters)
        await pump.queue("events", pump.workers["events"])

        assert len(letters) == 2
        assert len(before) == 1
        assert len(entries_of(house, "tills.pay")) == 2

    async def test_a_consumer_that_causes_its_own_fact_is_stopped(self, house):
        """D-16: a loop of facts ends after the last depth, with an alarm and whole books."""
        hops = []

        async def again(delivered: Delivered, _: datetime) -> None:
            hops.append(delivered.depth)
            await house.tills.pay(
                "A", 1, key=delivered.id, principal=system(delivered.court, "tills")
            )

        app = house.app({"tills.paid.v1": [again]})
        await house.tills.pay("A", 1, key="k-1")

        await house.pump(app).settle()

        entries = entries_of(house, "tills.pay")
        assert sorted(entry.depth for entry in entries) == list(range(MAX_DEPTH + 2))
        assert set(hops) == set(range(MAX_DEPTH + 1))
        assert house.signals.counts[Signal.CHAIN_STOPPED] >= 1
        marks = [i for i in house.engine.items("records") if i["sk"]["S"] == "DELIVERED"]
        assert len(marks) == len(entries)

    async def test_what_is_derived_never_returns_to_the_journal(self, house):
        """D-16: history is written into a table without a stream."""
        await house.tills.pay("A", 1, key="k-1")
        before = len(house.engine.stream("journal"))

        await house.pump(house.app()).settle()

        assert len(house.engine.stream("journal")) == before == 1
        assert house.engine.stream("records") == []


class TestRetries:
    """When a failed message comes again: by what its worker says, over a pump as on Lambda."""

    @pytest.fixture
    def failing(self, house):
        """A consumer that fails until it is mended, and the pump of its queue."""

        async def take(_: Delivered, __: datetime) -> None:
            self.calls += 1
            if not self.mended:
                raise Busy

        self.calls, self.mended = 0, False
        worker = Events(house.app({"tills.paid.v1": [take]}), house.signals)
        house.queues.put("events", [of_fact(a_fact(house))])
        return QueuePump(house.queues, "events", worker.take)

    async def test_a_hiccup_costs_seconds(self, house, failing):
        await failing.step()
        self.mended = True

        house.clock.advance(seconds=retry_after(1) - 0.1)
        early = await failing.step()
        house.clock.advance(seconds=0.1)
        late = await failing.step()

        assert (early, late) == (False, True)
        assert self.calls == 2
        assert house.queues.waiting("events") == 0

    async def test_wait_longer_each_time_and_outlive_an_outage(self, house, failing):
        began = house.clock.now()
        while house.queues.waiting("events"):
            await failing.step()
            house.clock.advance(seconds=1)

        lasted = (house.clock.now() - began).total_seconds()
        waits = [retry_after(n) for n in range(1, ATTEMPTS + 1)]
        assert self.calls == ATTEMPTS
        assert len(house.queues.dead_letters("events")) == 1
        assert waits == sorted(waits)
        assert 20 * 60 < sum(waits[:-1]) < lasted

    async def test_keep_the_queue_s_time_where_they_cannot_be_postponed(self, house):
        class Unreachable:
            async def send(self, messages): ...

            async def postpone(self, waits):
                raise OSError

        async def fails(_: str) -> None:
            raise Busy

        record = {
            "messageId": "m",
            "receiptHandle": "r",
            "body": "",
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        answer = await take_batch(
            {"Records": [record]}, fails, queue=Unreachable(), signals=house.signals
        )

        assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
        assert house.signals.counts[Signal.RETRY_DELAYED] == 1

    async def test_are_not_asked_for_what_was_done(self, house):
        """That nothing is postponed that the queue then forgets."""
        house.queues.put("events", [of_fact(a_fact(house))])
        (message,) = house.queues.receive("events")
        postponed = []

        class Recording:
            async def send(self, messages): ...

            async def postpone(self, waits):
                postponed.append(waits)

        async def done(_: str) -> None: ...

        await take_batch(
            {"Records": [message.record()]}, done, queue=Recording(), signals=house.signals
        )

        assert postponed == []


def a_fact(house: House) -> Delivered:
    return Delivered(court=COURT, id="E1#0", at=house.clock.now(), depth=0, fact=paid("A", 500, 1))


class TestModuleOf:
    def test_is_told_by_where_the_consumer_is_written(self):
        async def take(_: Delivered, __: datetime) -> None: ...

        take.__module__ = "courtside.modules.people.consumers.leaving"

        assert module_of(take) == "people"
