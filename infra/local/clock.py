"""The clock of an embedded Courtside: the machine's, plus an offset that `make clock` moves."""

import asyncio
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.data import read_json, write_json

from courtside.kernel.workdays import ZONE
from courtside.platform.clock import SystemClock

_SYSTEM = SystemClock()


class Backwards(Exception):
    """The clock may only be moved forward: what is stored already happened."""


class RunningClock:
    """The platform's Clock over `clock.json`. A change of the file takes effect at the next look,
    in every process that reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = -1
        self._offset = timedelta()

    def now(self) -> datetime:
        self._refresh()
        return _SYSTEM.now() + self._offset

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jitter(self, most: float) -> float:
        return random.uniform(0, most)  # noqa: S311 - spreads retries, guards nothing

    def move(self, to: datetime) -> datetime:
        """Set the clock forward to `to`; it goes on running. Backwards if it is later already."""
        if to < self.now():
            raise Backwards
        seconds = (to - _SYSTEM.now()).total_seconds()
        write_json(self._path, {"offset_seconds": seconds})
        return to

    def start(self, at: datetime) -> bool:
        """Set a clock that was never set; False if this folder's clock has begun already."""
        if self._path.exists():
            return False
        write_json(self._path, {"offset_seconds": (at - _SYSTEM.now()).total_seconds()})
        return True

    def _refresh(self) -> None:
        try:
            changed = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - half the cost, at each look
        except FileNotFoundError:
            changed = 0
        if changed != self._seen:
            told = read_json(self._path) or {}
            self._offset = timedelta(seconds=float(told.get("offset_seconds", 0)))
            self._seen = changed


def parse(text: str) -> datetime:
    """An instant with offset; without one it is meant in Asia/Shanghai. ValueError otherwise."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(UTC)


def shown(at: datetime) -> str:
    """An instant for people, in local time."""
    return at.astimezone(ZONE).isoformat(sep=" ", timespec="seconds")
