"""An event loop on virtual time: when nothing is ready, the next timer is due at once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from infra.memory.clock import VirtualClock


class Stalled(AssertionError):
    """Everybody waits for somebody else, and no timer is set."""


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's own loop, without sockets: what runs when depends on the program alone."""

    def __init__(self) -> None:
        super().__init__()
        self._elapsed = 0.0
        self._selector = self  # asked for events before each turn; there are none but timers

    def time(self) -> float:
        return self._elapsed

    def select(self, timeout: float | None) -> Sequence[Any]:
        """Let time pass until the next timer, as a selector would by waiting."""
        if timeout is None:
            raise Stalled
        if timeout > 0:
            timers = self._scheduled  # type: ignore[attr-defined]  # no other way to the next one
            self._elapsed = max(self._elapsed, timers[0].when())
        return ()

    def _process_events(self, event_list: Sequence[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nothing to wake: no other thread takes part."""


class LoopClock(VirtualClock):
    """The true time of a simulation: that of its loop."""

    def now(self) -> datetime:
        return self._base + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))
