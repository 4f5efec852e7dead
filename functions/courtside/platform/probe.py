"""Whether a release would work: asked of each function's new version before it gets any request.

A function that is called with `{"probe": true}` tries what it needs, with its own role and its own
settings, and answers `{"failed": {check: exception}}`. No caller of the API can send that event.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from courtside.kernel.actor import EVERYBODY
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Key, Read

PROBE = "probe"
SECONDS = 8.0  # for all checks, which run together
_NOBODY = Key(f"{EVERYBODY}#PROBE", "PROBE")

Check = Callable[[], Awaitable[object]]


class NotAsExpected(Exception):
    """A check was made, and what it found is wrong."""


async def probed(make: Callable[[], Mapping[str, Check]]) -> dict[str, dict[str, str]]:
    """The names of checks that failed with their exceptions'; `settings` when not even the checks
    could be made. Never raises, and takes at most SECONDS."""
    try:
        checks = make()
    except Exception as fault:  # noqa: BLE001 - whatever it is, it stops the release
        return {"failed": {"settings": type(fault).__name__}}
    told = await asyncio.gather(*(_tried(check) for check in checks.values()))
    return {"failed": {name: fault for name, fault in zip(checks, told, strict=True) if fault}}


def table_checks(engine: Engine, tables: Iterable[str]) -> dict[str, Check]:
    """One read of each table, of an item that is not there."""
    return {f"table {name}": _reading(engine, name) for name in tables}


def is_probe(event: Any) -> bool:
    """Whether an event asks for the checks; a gateway's, a queue's or a stream's never does."""
    return isinstance(event, dict) and event.keys() == {PROBE}


def _reading(engine: Engine, table: str) -> Check:
    async def check() -> None:
        await engine.get([Read(table, _NOBODY, consistent=False)])

    return check


async def _tried(check: Check) -> str:
    try:
        async with asyncio.timeout(SECONDS):
            await check()
    except Exception as fault:  # noqa: BLE001 - told by its name
        return type(fault).__name__
    return ""
