"""What AWS does between functions, in process: everything twice, and in a seeded order."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from infra.memory.engine import MemoryEngine

from courtside.platform.queues import LocalQueues

Event = Mapping[str, Any]
Take = Callable[[Event], Awaitable[Event | None]]

ROUNDS = 10_000  # more than any test needs: beyond it something feeds itself
STREAM_ATTEMPTS = 5


class NeverQuiet(AssertionError):
    """The functions kept giving each other work."""


class Pump:
    """Stream to relay, queues to workers, until nothing is left to do.

    Every batch is delivered twice, each time in another order. `queues` names the workers by
    queue. What a stream record's attempts could not relay is left to the sweeper, in `given_up`.
    """

    def __init__(
        self,
        engine: MemoryEngine,
        queues: LocalQueues,
        *,
        relay: Take,
        workers: Mapping[str, Take],
        seed: int = 0,
        batch: int = 100,
    ) -> None:
        self._engine = engine
        self._queues = queues
        self._relay = relay
        self.workers = workers
        self._chance = random.Random(seed)
        self._batch = batch
        self._seen = 0
        self._attempts = 0
        self.given_up: list[Event] = []
        self.deliveries = 0

    async def settle(self) -> None:
        """Deliver until stream and queues are quiet; what failed too often is a dead letter."""
        for _ in range(ROUNDS):
            moved = await self.stream()
            for name, worker in self.workers.items():
                moved = await self.queue(name, worker) or moved
            if not moved:
                return
        raise NeverQuiet

    def rewind(self) -> None:
        """Let the stream begin again: everything is delivered once more."""
        self._seen = 0

    async def stream(self) -> bool:
        """One batch of the journal's stream; whether there was one."""
        records = self._engine.stream("journal", after=self._seen)[: self._batch]
        if not records:
            return False
        failed = await self._deliver(self._relay, records)
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        first = next((n for n, number in enumerate(numbers) if number in failed), len(numbers))
        self._attempts += 1
        if first == 0 and self._attempts >= STREAM_ATTEMPTS:
            self.given_up.append(records[0])
            first = 1
        if first > 0:
            self._seen, self._attempts = self._seen + first, 0
        return True

    async def queue(self, name: str, worker: Take) -> bool:
        """One batch of a queue; whether there was one."""
        batch = self._queues.receive(name)
        if not batch:
            return False
        failed = await self._deliver(worker, [message.record() for message in batch])
        for message in batch:
            if message.id in failed:
                self._queues.again(message.id, after=0.0)  # whatever the worker asked for
            else:
                self._queues.done(message)
        return True

    async def _deliver(self, take: Take, records: list[dict[str, Any]]) -> set[str]:
        """Deliver twice; failed is what failed the second time, as after a lost answer."""
        failed: set[str] = set()
        for _ in range(2):
            self._chance.shuffle(order := list(records))
            self.deliveries += len(order)
            answer = await take({"Records": order})
            failures = (answer or {}).get("batchItemFailures", ())
            failed = {str(failure["itemIdentifier"]) for failure in failures}
        return failed
