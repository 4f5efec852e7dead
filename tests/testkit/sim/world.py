"""The world of one seed: true time, the engine, containers that come and go, and clients."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from infra.memory.engine import MemoryEngine

from courtside.kernel.actor import Principal
from courtside.platform.dynamo.meter import Meter
from courtside.platform.dynamo.values import Item, Key, Write
from courtside.platform.settings import Settings
from testkit.app import EVENTS, JOBS
from testkit.factories.people import ACourt
from testkit.signals import RecordedSignals
from testkit.sim.container import Container
from testkit.sim.files import SimFiles
from testkit.sim.loop import LoopClock
from testkit.sim.queues import SimQueue
from testkit.sim.registry import Commit, Simulated
from testkit.sim.trace import Trace
from testkit.sim.weather import CALM, SKEW, Weather

T = TypeVar("T")
MOST_PROBLEMS = 20
SLOTS = {"api": 3, "relay": 2, "events": 2, "jobs": 2, "scheduled": 1}


@dataclass(slots=True, kw_only=True)
class Cast:
    """Who lives in the world: people by their part, and whatever else modules need to remember."""

    court: ACourt
    parts: dict[str, tuple[Principal, ...]] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)


class WatchedEngine(MemoryEngine):
    """Tells of each transaction as it takes effect."""

    on_commit: Callable[[Commit], None] | None = None

    def stored(self, table: str, key: Key) -> Item | None:
        """One item as it is now."""
        return self._table(table).get(key)

    def _apply(self, writes: Sequence[Write], meter: Meter) -> None:
        before = {(w.table, *w.key): self._table(w.table).get(w.key) for w in writes}
        super()._apply(writes, meter)
        if self.on_commit is not None:
            self.on_commit(Commit(at=self.clock.now(), writes=writes, before=before))


@dataclass(slots=True, kw_only=True)
class World:
    """Everything of one seed. `problems` are what was found wrong so far."""

    seed: int
    settings: Settings
    clock: LoopClock
    engine: WatchedEngine
    cast: Cast
    parts: Simulated
    chance: random.Random
    weather: Weather = CALM
    trace: Trace = field(default_factory=Trace)
    signals: RecordedSignals = field(default_factory=RecordedSignals)
    problems: list[str] = field(default_factory=list)
    handled: set[str] = field(default_factory=set)
    is_over: bool = False
    ask: Callable[..., Awaitable[Any]] = field(init=False)
    written: asyncio.Event = field(default_factory=asyncio.Event)
    queues: dict[str, SimQueue] = field(init=False)
    files: SimFiles = field(init=False)
    _tasks: dict[asyncio.Task[Any], None] = field(default_factory=dict)
    _slots: dict[tuple[str, int], Container] = field(default_factory=dict)
    _born: int = 0

    def __post_init__(self) -> None:
        self.queues = {name: SimQueue(name, self.chance) for name in (EVENTS, JOBS)}
        self.files = SimFiles(self._reached)
        self.engine.on_commit = self._watch

    @property
    def court(self) -> str:
        return self.cast.court.code

    def happens(self, probability: float) -> bool:
        return probability > 0 and self.chance.random() < probability

    async def pause(self) -> None:
        """As long as a call to anything may take."""
        await self.clock.sleep(self.chance.uniform(0, self.weather.engine.latency))

    def problem(self, told: str) -> None:
        """Something is wrong; the seed fails."""
        self.trace.note("!!", told)
        if len(self.problems) < MOST_PROBLEMS and told not in self.problems:
            self.problems.append(told)

    def spawn(self, work: Awaitable[T]) -> asyncio.Task[T]:
        """A task that ends with the world at the latest."""
        assert isinstance(work, Coroutine)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    def container(self, kind: str) -> Container:
        """One of the containers of a function; a dead one is replaced by a new one."""
        slot = (kind, self.chance.randrange(SLOTS[kind]))
        found = self._slots.get(slot)
        if found is None or found.is_dead:
            self._born += 1
            skew = timedelta(
                seconds=self.chance.choice((-SKEW, SKEW, self.chance.uniform(-SKEW, SKEW)))
            )
            found = self._slots[slot] = Container(self, f"{kind}-{self._born}", skew)
        return found

    def items(self, prefix: str, *, table: str = "records") -> Iterator[Item]:
        """Stored items of the court whose partition begins so, seen from outside."""
        start = f"{self.court}#{prefix}"
        return (item for item in self.engine.items(table) if item["pk"]["S"].startswith(start))

    def item(self, partition: str, sort: str) -> Item | None:
        """One stored item of the court."""
        return self.engine.stored("records", Key(f"{self.court}#{partition}", sort))

    def one_of(self, part: str) -> Principal:
        """Somebody of that part."""
        return self.chance.choice(self.cast.parts[part])

    def moments(self) -> list[datetime]:
        """Instants ahead at which something ends, by what the modules say."""
        now = self.clock.now()
        found = {at for each in self.parts.moments for at in each(self) if at > now}
        return sorted(found)

    async def end(self) -> None:
        """Nothing runs any more."""
        self.is_over = True
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _watch(self, commit: Commit) -> None:
        self.written.set()
        own = commit.writes[0]
        if own.table == "journal":
            operation, key = own.key.pk.split("#", 4)[3:]
            self.trace.note(
                "engine", f"commit {operation}", key[-14:], f"{len(commit.writes)} items"
            )
        for told in self._found(commit):
            self.problem(told)

    def _found(self, commit: Commit) -> Iterable[str]:
        for write in commit.writes:
            after = self.engine.stored(write.table, write.key)
            available = (after or {}).get("available", {}).get("N", "0")
            if int(available) < 0:
                yield f"{write.key.pk}/{write.key.sk} fell to {available}"
        for watch in self.parts.watches:
            yield from watch(self, commit)

    async def _reached(self) -> bool:
        await self.pause()
        return self.happens(self.weather.unreadable)


def state_of(item: Item, name: str) -> Any:
    """An attribute of a stored item as plain JSON: text that holds JSON is read."""
    value: Mapping[str, Any] = item[name]
    return json.loads(value["S"]) if "S" in value else int(value["N"])
