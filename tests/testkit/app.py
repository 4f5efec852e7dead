"""The whole application on the in-memory engine and virtual time, with the real entrypoints behind
its stream and queues."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from infra.local.pumps import Handle, QueuePump

from courtside import bootstrap
from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.job_worker import Jobs
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.platform.queues import LocalQueues
from courtside.platform.settings import Settings, table_names
from courtside.platform.signals import Signal
from testkit.clock import MORNING, VirtualClock
from testkit.engine import NO_FAULTS, Faults, MemoryEngine

EVENTS, JOBS = "events", "jobs"
_TURNS = 10_000  # of settling; more means that something feeds itself

T = TypeVar("T")


@dataclass(slots=True)
class Signalled:
    """Signals as they were emitted."""

    all: list[tuple[Signal, dict[str, Any]]] = field(default_factory=list)

    def emit(self, signal: Signal, *, count: int = 1, **facts: str | int) -> None:
        self.all.append((signal, {"count": count, **facts}))

    @property
    def names(self) -> list[Signal]:
        return [signal for signal, _ in self.all]


@dataclass(slots=True, kw_only=True)
class TestApp:
    """An application with everything that a test may want to look at."""

    __test__ = False

    app: bootstrap.App
    clock: VirtualClock
    engine: MemoryEngine
    queues: LocalQueues
    signals: Signalled
    _relayed: int = 0

    def get(self, kind: type[T]) -> T:
        """The service of that type."""
        return cast("T", self.app.parts[kind])

    async def settle(self) -> None:
        """Let everything follow that follows from what was written: relay, consumers, jobs.

        Messages that fail are left waiting until their time comes again.
        """
        pumps = [
            QueuePump(self.queues, EVENTS, Events(self.app, self.signals).take),
            QueuePump(self.queues, JOBS, Jobs(self.app, self.signals).take),
        ]
        relay = JournalRelay(self.app.foundation, self.signals).take
        for _ in range(_TURNS):
            moved = [await self._relay(relay), *[await pump.step() for pump in pumps]]
            if not any(moved):
                return
        raise AssertionError("it never becomes quiet")

    async def _relay(self, relay: Handle) -> bool:
        records = self.engine.stream("journal", after=self._relayed)
        if not records:
            return False
        answer: Mapping[str, Any] = await relay({"Records": records}) or {}
        if answer["batchItemFailures"]:
            raise AssertionError(f"not relayed: {answer['batchItemFailures']}")
        self._relayed += len(records)
        return True


@contextmanager
def build_app(
    folder: Path,
    *,
    now: datetime = MORNING,
    issuers: tuple[Mapping[str, Any], ...] = (),
    faults: Faults = NO_FAULTS,
    seed: int = 0,
) -> Iterator[TestApp]:
    """The application with its keys and files in `folder`, until the block ends."""
    clock = VirtualClock(now, seed=seed)
    engine = MemoryEngine(clock, faults=faults, seed=seed)
    queues = LocalQueues(":memory:", clock)
    try:
        app = bootstrap.build(
            local_settings(folder, issuers=issuers), clock=clock, engine=engine, queues=queues
        )
        yield TestApp(app=app, clock=clock, engine=engine, queues=queues, signals=Signalled())
    finally:
        queues.close()


def local_settings(folder: Path, *, issuers: tuple[Mapping[str, Any], ...] = ()) -> Settings:
    """Settings of an embedded installation in `folder`."""
    return Settings(
        stage="test",
        region="local",
        endpoint="http://127.0.0.1:1",
        tables=table_names("test"),
        issuers=issuers,
        event_queue=EVENTS,
        job_queue=JOBS,
        local=str(folder),
        development=True,
    )
