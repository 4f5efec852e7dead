"""A container: one application over the shared engine, with its own clock, that may die anywhere.

Every port call of a container goes through `Container.reach`: there it waits, fails or ends. What
a dead container had begun at a port still takes effect there, but nobody of it runs any more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from courtside import bootstrap
from courtside.kernel.files import MAX_FILE
from courtside.platform.crypto import court_keys
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from courtside.platform.files import LocalFiles
from courtside.platform.queues import Message, Undelivered

if TYPE_CHECKING:
    from testkit.sim.world import World

T = TypeVar("T")


class Died(Exception):
    """The container ended before it answered."""


@dataclass(slots=True, eq=False)
class Container:
    """A running process of the system, until it dies."""

    world: "World"
    name: str
    skew: timedelta
    is_dead: bool = False
    _answers: list[asyncio.Future[None]] = field(default_factory=list)
    _app: bootstrap.App | None = None

    @property
    def app(self) -> bootstrap.App:
        """The application, built at its first use as on Lambda."""
        if self._app is None:
            ports = PortQueues(self)
            self._app = bootstrap.build(
                self.world.settings,
                clock=PortClock(self),
                engine=PortEngine(self),
                queues=ports,
                kept=PortFiles(self),
            )
        return self._app

    async def invoke(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run something in this container. Died if it ends first."""
        running = self.world.spawn(work())
        death: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers.append(death)
        try:
            await asyncio.wait((running, death), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._answers.remove(death)
        if self.is_dead:
            raise Died(self.name)
        return running.result()

    def die(self) -> None:
        """End at once: nothing that runs here takes another step."""
        if self.is_dead:
            return
        self.is_dead = True
        self.world.trace.note(self.name, "CRASH")
        for death in self._answers:
            death.set_result(None)

    async def reach(self, call: Callable[[], Awaitable[T]]) -> T:
        """One call of a port."""
        await self._live()
        try:
            return await call()
        finally:
            await self._live()

    async def _live(self) -> None:
        chance, weather = self.world.chance, self.world.weather
        if weather.crash and not self.is_dead and chance.random() < weather.crash:
            self.die()
        if self.is_dead and not self.world.is_over:
            await asyncio.get_running_loop().create_future()  # for ever; the world ends it


@dataclass(frozen=True, slots=True)
class PortClock:
    """The container's clock, wrong by its skew."""

    of: Container

    def now(self) -> datetime:
        return self.of.world.clock.now() + self.of.skew

    def monotonic(self) -> float:
        return self.of.world.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.of.reach(lambda: self.of.world.clock.sleep(seconds))

    def jitter(self, most: float) -> float:
        return self.of.world.chance.uniform(0, most)


@dataclass(frozen=True, slots=True)
class PortEngine:
    """The shared tables."""

    of: Container

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        return await self.of.reach(lambda: self.of.world.engine.get(reads))

    async def query(self, query: Query) -> Slice:
        return await self.of.reach(lambda: self.of.world.engine.query(query))

    async def transact(self, writes: Sequence[Write]) -> None:
        await self.of.reach(lambda: self.of.world.engine.transact(writes))

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await self.of.reach(lambda: self.of.world.engine.put_many(table, items))

    async def close(self) -> None:
        """The engine outlives its containers."""


@dataclass(frozen=True, slots=True)
class PortQueues:
    """The shared queues, as their senders see them."""

    of: Container

    def queue(self, name: str) -> "PortQueue":
        return PortQueue(self.of, name)


@dataclass(frozen=True, slots=True)
class PortQueue:
    """A queue: it may take nothing, a part, or all and not say so."""

    of: Container
    name: str

    async def send(self, messages: Sequence[Message]) -> None:
        if messages:
            await self.of.reach(lambda: self._send(messages))

    async def postpone(self, waits: Mapping[str, float]) -> None:
        await self.of.reach(lambda: self._postpone(waits))

    async def _postpone(self, waits: Mapping[str, float]) -> None:
        world = self.of.world
        await world.pause()
        if world.happens(world.weather.undelivered):
            raise Undelivered(self.name)
        for receipt, seconds in waits.items():
            world.queues[self.name].again(receipt, after=seconds)

    async def _send(self, messages: Sequence[Message]) -> None:
        world = self.of.world
        await world.pause()
        fails = world.happens(world.weather.undelivered)
        taken = world.chance.randint(0, len(messages)) if fails else len(messages)
        world.queues[self.name].put(messages[:taken])
        if fails:
            world.trace.note(self.of.name, f"{self.name} undelivered")
            raise Undelivered(self.name)


class PortFiles(LocalFiles):
    """The shared bucket; addresses are granted as `make run` grants them."""

    def __init__(self, of: Container) -> None:
        super().__init__(Path(), court_keys(of.world.settings))
        self._of = of

    async def read(self, court: str, file_id: str, *, limit: int = MAX_FILE) -> bytes:
        return await self._of.reach(lambda: self._of.world.files.read(court, file_id, limit))

    async def put(self, court: str, data: bytes) -> str:
        return await self._of.reach(lambda: self._of.world.files.put(court, data))
