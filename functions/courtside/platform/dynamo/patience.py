"""Retries: what passes by itself is tried again, with full jitter, inside the caller's deadline."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from courtside.kernel.errors import Busy
from courtside.platform.clock import Clock, ends_at
from courtside.platform.dynamo.engine import Engine, Throttled, Unanswered
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write

FIRST_WAIT = 0.05  # seconds; doubles with each attempt, always with full jitter
LONGEST_WAIT = 0.6  # right while hundreds want the same item, as in the first second of a rush
LAST_WAIT = 0.1  # right when a few of them are left
DRAINED = 3.0  # seconds in which a rush of 300 is through, at 8 ms for each on one item

T = TypeVar("T")


class Contended(Exception):
    """Somebody else's transaction overlapped on an item, or the table was throttled meanwhile."""


async def patiently(clock: Clock, attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` answers in the end, or Busy when waiting on would pass the deadline.

    Only for what may be done twice: reads, identical puts, and transactions under a guard.
    """
    ends, begun = ends_at(clock), clock.monotonic()
    wait = FIRST_WAIT
    while True:
        try:
            return await attempt()
        except (Throttled, Unanswered):
            longest = LONGEST_WAIT
        except Contended:
            longest = _longest(clock.monotonic() - begun)
        pause = clock.jitter(min(wait, longest))
        if clock.monotonic() + pause >= ends:
            raise Busy
        await clock.sleep(pause)
        wait = min(wait * 2, LONGEST_WAIT)


def _longest(waited: float) -> float:
    """The longest wait of somebody who has waited so long for others: it falls as those who came
    together are served, so that the last of them is not asleep while the item is free."""
    return max(LAST_WAIT, LONGEST_WAIT * (1 - waited / DRAINED))


class PatientEngine:
    """Any engine, with its reads and its puts of derived items retried.

    A transaction is handed on as it is: it explains its own failures and retries them itself.
    """

    def __init__(self, inner: Engine, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        return await patiently(self._clock, lambda: self._inner.get(reads))

    async def query(self, query: Query) -> Slice:
        return await patiently(self._clock, lambda: self._inner.query(query))

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._inner.transact(writes)

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await patiently(self._clock, lambda: self._inner.put_many(table, items))

    async def close(self) -> None:
        await self._inner.close()
