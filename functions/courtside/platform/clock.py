"""Time as the platform sees it: the wall clock, waiting, chance, and the caller's deadline."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol

DEFAULT_DEADLINE = 8.0  # seconds that a request may take where its entrypoint sets nothing


class Clock(Protocol):
    """Wall clock, elapsed time, waiting and jitter; virtual in the simulation."""

    def now(self) -> datetime:
        """The instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def jitter(self, most: float) -> float:
        """A random part of `most` seconds (full jitter)."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jitter(self, most: float) -> float:
        return random.uniform(0, most)  # noqa: S311 - spreads retries, guards nothing


_ends: ContextVar[float | None] = ContextVar("courtside_deadline", default=None)


@contextmanager
def deadline(clock: Clock, seconds: float) -> Iterator[None]:
    """Everything inside the block should be settled within `seconds`, or by the end of an earlier
    deadline around it."""
    ends, outer = clock.monotonic() + seconds, _ends.get()
    token = _ends.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends.reset(token)


def ends_at(clock: Clock) -> float:
    """The monotonic second at which the running request must have answered."""
    ends = _ends.get()
    return clock.monotonic() + DEFAULT_DEADLINE if ends is None else ends
