"""What AWS does between functions: a stream in shards, queues, and whatever goes wrong there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.job_worker import Jobs
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.platform import messages
from testkit.app import EVENTS, JOBS
from testkit.sim.container import Container, Died
from testkit.sim.world import World

SHARDS = 2
STREAM_BATCH, QUEUE_BATCH = 25, 5
STREAM_ATTEMPTS = 5
Answer = Mapping[str, Any] | None
Take = Callable[[Mapping[str, Any]], Awaitable[Answer]]
Taking = Callable[[Container], Take]


class Delivery:
    """Stream and queues of one world, from its beginning to its end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = 0
        self._waiting: list[list[Mapping[str, Any]]] = [[] for _ in range(SHARDS)]
        self._busy = 0
        self.given_up = 0

    def start(self) -> None:
        """Begin to poll."""
        world = self._world
        for shard in range(SHARDS):
            world.spawn(self._stream(shard))
        for name, taking in ((EVENTS, _events), (JOBS, _jobs)):
            for _ in range(2):
                world.spawn(self._queue(name, taking(world)))

    @property
    def is_quiet(self) -> bool:
        """Nothing is on its way; what was given up waits for the sweeper."""
        records = len(self._world.engine.stream("journal", after=self._read))
        queues = self._world.queues.values()
        return not (records or any(self._waiting) or self._busy) and all(
            queue.is_empty for queue in queues
        )

    async def _stream(self, shard: int) -> None:
        world = self._world
        while True:
            self._take_in()
            if not self._waiting[shard]:
                world.written.clear()
                await world.written.wait()
                continue
            self._busy += 1
            await world.pause()
            batch = self._batch(shard)
            await self._relay(batch)
            if world.happens(world.weather.duplicated):
                self._waiting[shard].extend(batch)
            self._busy -= 1

    def _take_in(self) -> None:
        """New records by shard: of one key in their order, of different keys in any."""
        for record in self._world.engine.stream("journal", after=self._read):
            key = record["dynamodb"]["Keys"]["pk"]["S"]
            self._waiting[crc32(key.encode()) % SHARDS].append(record)
            self._read += 1

    def _batch(self, shard: int) -> list[Mapping[str, Any]]:
        """Some of what waits, in any order: each key has one record only."""
        waiting = self._waiting[shard]
        self._world.chance.shuffle(waiting)
        size = self._world.chance.randint(1, STREAM_BATCH)
        self._waiting[shard] = waiting[size:]
        return waiting[:size]

    async def _relay(self, batch: Sequence[Mapping[str, Any]]) -> None:
        """Again from the lowest failure on, in halves where the function itself failed."""
        world = self._world
        for attempt in range(STREAM_ATTEMPTS):
            if world.happens(world.weather.forgotten):
                break
            failed = await self._once("relay", _relay, batch)
            batch = batch[_lowest(batch, failed) :]
            if not batch:
                return
            if len(batch) > 1 and attempt == STREAM_ATTEMPTS - 1:
                half = len(batch) // 2
                await self._relay(batch[:half])
                await self._relay(batch[half:])
                return
            await world.clock.sleep(world.chance.uniform(0.05, 1.0))
        self.given_up += len(batch)
        world.trace.note("stream", "gave up", "", f"{len(batch)} records")

    async def _queue(self, name: str, taking: Taking) -> None:
        world = self._world
        queue = world.queues[name]
        while True:
            batch = await queue.receive(world.chance.randint(1, QUEUE_BATCH))
            await world.pause()
            again = [m for m in batch if world.happens(world.weather.duplicated)]
            failed = await self._once(name, taking, [message.record() for message in batch])
            for message in batch:
                if failed is None or message.id in failed:
                    continue  # it shows itself again
                if message in again:
                    queue.again(message.id, after=world.chance.choice((0.1, 5.0)))
                else:
                    queue.done(message)

    async def _once(
        self, kind: str, taking: Taking, batch: Sequence[Mapping[str, Any]]
    ) -> set[str] | None:
        """The identifiers that failed; None where the function itself did."""
        world = self._world
        container = world.container(kind)
        event = {"Records": list(batch)}
        try:
            answer = await container.invoke(lambda: taking(container)(event))
        except Died:
            return None
        failed = {str(f["itemIdentifier"]) for f in (answer or {})["batchItemFailures"]}
        if failed:
            world.trace.note(container.name, "failed", "", f"{len(failed)} of {len(batch)}")
        return None if world.happens(world.weather.unsure) else failed


def _lowest(batch: Sequence[Mapping[str, Any]], failed: set[str] | None) -> int:
    if failed is None:
        return 0
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    return next((n for n, number in enumerate(numbers) if number in failed), len(numbers))


def _relay(container: Container) -> Take:
    return JournalRelay(container.app.foundation, container.world.signals).take


def _events(world: World) -> Taking:
    def taking(container: Container) -> Take:
        worker = Events(container.app, world.signals)

        async def take(event: Mapping[str, Any]) -> Answer:
            answer = await worker.take(event)
            failed = {f["itemIdentifier"] for f in answer["batchItemFailures"]}
            for record in event["Records"]:
                if record["messageId"] not in failed:
                    world.handled.add(messages.to_fact(record["body"]).id)
            return answer

        return take

    return taking


def _jobs(world: World) -> Taking:
    return lambda container: Jobs(container.app, world.signals).take
