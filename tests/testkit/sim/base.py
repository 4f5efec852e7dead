"""The court in which every seed begins: made once a process, by the modules' own use cases."""

import asyncio
import atexit
import random
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from courtside.kernel.actor import EVERYBODY
from courtside.platform.crypto import KEY_BYTES
from courtside.platform.dynamo.values import Item
from courtside.platform.settings import Settings
from testkit.app import build_app, local_settings
from testkit.factories.people import COURT, a_court
from testkit.sim.registry import simulated
from testkit.sim.seams import seeded
from testkit.sim.world import Cast
from testkit.tokens import issuers

BEGINS = datetime(2026, 3, 2, 0, 50, tzinfo=UTC)  # Monday 08:50 in Shanghai


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    settings: Settings
    cast: Cast
    items: Mapping[str, Sequence[Item]]


@cache
def base() -> Base:
    """The same court in every process: its key is fixed, its ids are drawn from one seed."""
    folder = Path(tempfile.mkdtemp(prefix="courtside-sim-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "keys").mkdir()
    for court in (COURT, EVERYBODY):
        (folder / "keys" / f"{court}.key").write_bytes(court.encode().ljust(KEY_BYTES, b"."))
    with seeded(random.Random(0)):
        return asyncio.run(_made(folder))


async def _made(folder: Path) -> Base:
    with build_app(folder, now=BEGINS, issuers=issuers(COURT)) as app:
        cast = Cast(court=await a_court(app))
        for prepare in simulated().prepares:
            await prepare(cast)
        await app.settle()
        cast.things["settled"] = {item["id"]["S"] for item in app.engine.items("journal")}
        return Base(
            settings=local_settings(folder, issuers=issuers(COURT)),
            cast=cast,
            items=app.engine.dump(),
        )
