"""Virtual time: it stands still until somebody moves it or everybody waits."""

import asyncio
import heapq
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai


class VirtualClock:
    """The platform's Clock on virtual time, with jitter from a seed.

    Whoever sleeps wakes as soon as nothing else is ready to run, at exactly the instant asked for:
    hours pass in no time, in the same order on each run of one seed.
    """

    def __init__(self, now: datetime = MORNING, *, seed: int = 0) -> None:
        self._base = now
        self._elapsed = 0.0
        self._chance = random.Random(seed)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._driver: asyncio.Task[None] | None = None

    def now(self) -> datetime:
        return self._base + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def jitter(self, most: float) -> float:
        return self._chance.uniform(0, most)

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed + max(seconds, 0.0), self._count, woken))
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive())
        await woken

    def advance(self, **by: float) -> datetime:
        """Let time pass (`hours=1, minutes=2`, as timedelta takes them); sleepers wake in it."""
        self._elapsed += timedelta(**by).total_seconds()
        self._wake()
        return self.now()

    def set(self, now: datetime) -> datetime:
        """Set the wall clock, as an operator would: no time passes for those who wait."""
        self._base = now - timedelta(seconds=self._elapsed)
        return self.now()

    def skewed(self, **by: float) -> "SkewedClock":
        """The clock of another server, ahead by that much (negative: behind)."""
        return SkewedClock(self, timedelta(**by))

    async def _drive(self) -> None:
        with _driving() as others_are_idle:
            while self._sleepers:
                await asyncio.sleep(0)
                if others_are_idle():
                    self._elapsed = max(self._elapsed, self._sleepers[0][0])
                    self._wake()

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)


class SkewedClock:
    """A server whose wall clock is wrong by a fixed amount; elapsed time is everybody's."""

    def __init__(self, true: VirtualClock, by: timedelta) -> None:
        self._true = true
        self._by = by

    def now(self) -> datetime:
        return self._true.now() + self._by

    def monotonic(self) -> float:
        return self._true.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._true.sleep(seconds)

    def jitter(self, most: float) -> float:
        return self._true.jitter(most)


_drivers: WeakKeyDictionary[asyncio.AbstractEventLoop, int] = WeakKeyDictionary()


@contextmanager
def _driving() -> Iterator[Callable[[], bool]]:
    """Count this driver among its loop's, so that two clocks do not wait for each other."""
    loop = asyncio.get_running_loop()
    _drivers[loop] = _drivers.get(loop, 0) + 1

    def others_are_idle() -> bool:
        # the loop offers no other way
        ready: int = len(loop._ready)  # type: ignore[attr-defined]  # noqa: SLF001
        return ready < _drivers[loop]

    try:
        yield others_are_idle
    finally:
        _drivers[loop] -= 1
