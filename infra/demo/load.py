"""Loads the demo into an empty data folder by the engine's import, and extends it later."""

import gzip
import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from infra.demo import scenario
from infra.demo.host import Host
from infra.local.data import DataFolder, read_json, write_json
from infra.local.engine import import_exports
from infra.local.pumps import QueuePump
from infra.local.settings import EVENTS, JOBS, STAGE
from infra.memory.clock import VirtualClock
from infra.memory.engine import MemoryEngine

from courtside import bootstrap
from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.job_worker import Jobs
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.kernel.workdays import DAY_BEGINS, business_day, local_instant
from courtside.platform.clock import SystemClock
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Item
from courtside.platform.observability import Observer
from courtside.platform.queues import LocalQueues
from courtside.platform.seal import newest
from courtside.platform.settings import Settings
from courtside.platform.vault import Vault

_BATCH = 100  # records of the stream in one event


class DemoFailed(Exception):
    """The demo's own data made a function fail: a fault of the demo or of the code."""


async def load(folder: DataFolder, settings: Settings, *, now: datetime) -> int:
    """Make the engine's file with the demo in it; how many orders it holds.

    People's ids come from the court's key in the folder, so that the folder's tokens fit them.
    """
    placed, dump = await _played(settings, now=now)
    with tempfile.TemporaryDirectory(dir=folder.root) as exports:
        write_exports(Path(exports), dump, settings.tables)
        import_exports(Path(exports), folder.tables, settings.tables)
    write_json(folder.demo, {"to": now.isoformat()})
    return placed


async def _played(settings: Settings, *, now: datetime) -> tuple[int, Mapping[str, Sequence[Item]]]:
    """The demo on tables in memory, with everything that follows from it; how many orders, and
    what the tables hold."""
    clock = VirtualClock(now)
    engine, queues = MemoryEngine(clock), LocalQueues(":memory:", clock)
    try:
        app = bootstrap.build(settings, clock=clock, engine=engine, queues=queues)
        host = Host(app=app, court=scenario.court_code(), set_clock=clock.set)
        placed = await scenario.play(host, now=now)
        await _settle(app, engine, queues)
        return placed, engine.dump()
    finally:
        queues.close()


async def _settle(app: bootstrap.App, engine: MemoryEngine, queues: LocalQueues) -> None:
    """Relay every entry and let the workers do what follows, until nothing is left."""
    signals = Observer(stage=STAGE, level="WARNING")
    relay = JournalRelay(app.foundation, signals)
    pumps = [
        QueuePump(queues, EVENTS, Events(app, signals).take),
        QueuePump(queues, JOBS, Jobs(app, signals).take),
    ]
    read, moved = 0, True
    while moved:
        records = engine.stream("journal", after=read)[:_BATCH]
        answer = await relay.take({"Records": records})
        read += len(records)
        moved = any([bool(records), *[await pump.step() for pump in pumps]])
        if answer["batchItemFailures"]:
            raise DemoFailed("an entry of the demo could not be relayed")
    if queues.waiting(EVENTS) or queues.waiting(JOBS):
        raise DemoFailed("something that follows from the demo failed")


def write_exports(
    folder: Path, dump: Mapping[str, Sequence[Item]], names: Mapping[str, str]
) -> None:
    """Tables as DynamoDB exports them: `<table>/data/*.json.gz`, an item a line."""
    for logical, items in dump.items():
        data = folder / names[logical] / "data"
        data.mkdir(parents=True)
        with gzip.open(data / "0.json.gz", "wt", encoding="utf-8", compresslevel=1) as lines:
            for item in items:
                lines.write(json.dumps({"Item": item}, ensure_ascii=False) + "\n")


async def catch_up(
    folder: DataFolder, settings: Settings, engine: Engine, queues: LocalQueues, *, now: datetime
) -> int:
    """Add what the demo court lived through since the last start, on the tables in use; how many
    orders. Nothing for a folder without the demo, or on the same day."""
    played = read_json(folder.demo)
    if played is None:
        return 0
    since = datetime.fromisoformat(played["to"])
    if business_day(since) >= business_day(now):
        return 0
    clock = PastClock(since)
    app = bootstrap.build(settings, clock=clock, engine=engine, queues=queues)
    since = await _unsealed(app.foundation.vault, since)
    host = Host(app=app, court=scenario.court_code(), set_clock=clock.set)
    placed = await scenario.extend(host, since=since, now=now)
    write_json(folder.demo, {"to": now.isoformat()})
    return placed


async def _unsealed(vault: Vault, since: datetime) -> datetime:
    """From `since`, or from the first day without a seal: nothing can be added to the others."""
    head = await newest(vault, scenario.court_code())
    if head is None:
        return since
    return max(since, local_instant(business_day(head.until) + timedelta(days=1), DAY_BEGINS))


class PastClock(SystemClock):
    """The wall clock at the moment of the demo that is being played; waiting takes real time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> datetime:
        self._now = now
        return now
