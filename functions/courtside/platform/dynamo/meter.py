"""What one request costs: calls, sequential rounds, capacity units and bytes.

Every engine reports to the meter of the running request; budgets are asserted on it in tests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """Counts of one request. A round is a stretch in which at least one call is under way."""

    reads: int = 0
    writes: int = 0
    rounds: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    items_written: int = 0
    attempts: int = 0
    _under_way: int = field(default=0, repr=False)

    @property
    def calls(self) -> int:
        return self.reads + self.writes

    @contextmanager
    def call(self, *, write: bool) -> Iterator[None]:
        """Count one storage call for as long as the block runs."""
        self.rounds += self._under_way == 0
        self._under_way += 1
        self.writes += write
        self.reads += not write
        try:
            yield
        finally:
            self._under_way -= 1


_current: ContextVar[Meter | None] = ContextVar("courtside_meter", default=None)


def current() -> Meter:
    """The running request's meter; outside a request, a new one that nobody reads."""
    return _current.get() or Meter()


@contextmanager
def metered() -> Iterator[Meter]:
    """Count everything inside the block on a new meter."""
    meter = Meter()
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)
