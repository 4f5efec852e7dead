"""The whole application on the in-memory engine and virtual time, with the real entrypoints behind
its stream and queues."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from infra.memory.clock import MORNING, VirtualClock
from infra.memory.engine import NO_FAULTS, Faults, MemoryEngine

from courtside import bootstrap
from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.job_worker import Jobs
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.platform.queues import LocalQueues
from courtside.platform.settings import Settings, table_names
from testkit.pump import Pump
from testkit.signals import RecordedSignals

EVENTS, JOBS = "events", "jobs"

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class TestApp:
    """An application with everything that a test may want to look at."""

    __test__ = False

    app: bootstrap.App
    clock: VirtualClock
    engine: MemoryEngine
    queues: LocalQueues
    signals: RecordedSignals
    pump: Pump

    def get(self, kind: type[T]) -> T:
        """The service of that type."""
        return cast("T", self.app.parts[kind])

    async def settle(self) -> None:
        """Let everything follow that follows from what was written: relay, consumers, jobs; every
        batch twice and in a seeded order."""
        await self.pump.settle()


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
    signals = RecordedSignals()
    settings = local_settings(folder, issuers=issuers)
    try:
        app = bootstrap.build(settings, clock=clock, engine=engine, queues=queues)
        pump = Pump(
            engine,
            queues,
            relay=JournalRelay(app.foundation, signals).take,
            workers={EVENTS: Events(app, signals).take, JOBS: Jobs(app, signals).take},
            seed=seed,
        )
        yield TestApp(
            app=app, clock=clock, engine=engine, queues=queues, signals=signals, pump=pump
        )
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
