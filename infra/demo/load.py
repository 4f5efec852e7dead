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

from courtside import bootstrap
from courtside.kernel.workdays import DAY_BEGINS, business_day, local_instant
from courtside.platform.clock import SystemClock
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Item
from courtside.platform.queues import LocalQueues
from courtside.platform.seal import newest
from courtside.platform.settings import Settings
from courtside.platform.vault import Vault
from testkit.app import build_app


async def load(folder: DataFolder, settings: Settings, *, now: datetime) -> int:
    """Make the engine's file with the demo in it; how many orders it holds.

    People's ids come from the court's key in the folder, so that the folder's tokens fit them.
    """
    with build_app(folder.root, now=now, issuers=settings.issuers) as app:
        host = Host(app=app.app, court=scenario.court_code(), set_clock=app.clock.set)
        placed = await scenario.play(host, now=now)
        await app.settle()
        dump = app.engine.dump()
    with tempfile.TemporaryDirectory(dir=folder.root) as exports:
        write_exports(Path(exports), dump, settings.tables)
        import_exports(Path(exports), folder.tables, settings.tables)
    write_json(folder.demo, {"to": now.isoformat()})
    return placed


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
