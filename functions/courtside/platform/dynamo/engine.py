"""The engine: what a table can do. `aio.py` speaks to DynamoDB; tests have one in memory."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write

MAX_TRANSACTION = 100  # DynamoDB refuses more
MAX_BATCH_GET = 100
MAX_BATCH_PUT = 25


class Reason(NamedTuple):
    """Why one write of a cancelled transaction failed; `code` is "None" for those that did not.

    `item` is the stored item whose condition failed, or None if there is none.
    """

    code: str
    item: Item | None = None

    @property
    def is_condition(self) -> bool:
        return self.code == "ConditionalCheckFailed"


class Cancelled(Exception):
    """The transaction did not happen; one reason for each write, in their order."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(", ".join(r.code for r in reasons))
        self.reasons = tuple(reasons)


class Throttled(Exception):
    """The engine asked to come back later; nothing happened."""


class Unanswered(Exception):
    """No answer came: a write may or may not have happened."""


class EngineFault(Exception):
    """The engine refused the request itself: our mistake or an outage."""


class Engine(Protocol):
    """Reads and writes of items. One attempt each: retries are the caller's."""

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        """The items in the order asked (BatchGetItem), None where there is none. At most 100.

        A table of which any item is read consistently is read consistently.
        """
        ...

    async def query(self, query: Query) -> Slice:
        """One page of a query, at most 1 MB of it."""
        ...

    async def transact(self, writes: Sequence[Write]) -> None:
        """All writes or none. Cancelled, Throttled, Unanswered or EngineFault."""
        ...

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        """Unconditional puts of derived items, which are identical when repeated. At most 25."""
        ...

    async def close(self) -> None:
        """End the connections of this event loop."""
        ...
