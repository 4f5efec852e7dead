"""How deeply what is done now was caused by facts: 0 for a caller, one more for each hop.

The depth travels beside the work, not in it: a consumer cannot forget to hand it on, and the
transaction stamps it on the journal entry as it stamps the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_depth: ContextVar[int] = ContextVar("courtside_depth", default=0)


def depth() -> int:
    """The depth of whatever is written now."""
    return _depth.get()


@contextmanager
def caused_at(depth: int) -> Iterator[None]:
    """Everything written inside the block stands at `depth`."""
    token = _depth.set(depth)
    try:
        yield
    finally:
        _depth.reset(token)
