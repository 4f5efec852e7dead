"""The court whose request or message is being worked on: while it is, no other's tables open.

Where keys are made they begin with a court (`database.Tenant`); this holds that the court is the
one that the token, or the message, named. Commands and schedules, which walk through all courts,
are bound to none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NOBODY = ""  # of a request without a token: it may open no court's tables

_bound: ContextVar[str | None] = ContextVar("courtside_tenant", default=None)


class ForeignTenant(Exception):
    """Work for one court reached for another's tables: a fault of ours, nothing was read."""


@contextmanager
def within(court: str) -> Iterator[None]:
    """Only this court's tables, and what belongs to all, inside the block."""
    token = _bound.set(court)
    try:
        yield
    finally:
        _bound.reset(token)


def check(court: str) -> None:
    """ForeignTenant unless the running work is this court's, or bound to none."""
    bound = _bound.get()
    if bound is not None and court != bound:
        raise ForeignTenant(f"work for {bound or 'nobody'} reached for {court}")
