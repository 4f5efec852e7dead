"""The journal read day by day, through its index: for the sweeper and for reconciliation."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from courtside.platform.dynamo import journal
from courtside.platform.dynamo.database import all_items
from courtside.platform.dynamo.engine import MAX_BATCH_GET, Engine
from courtside.platform.dynamo.values import Item, Key, Query, Read, from_instant, instant

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Pointer(NamedTuple):
    """What the index says of an entry: its id, its key and when it was written.

    An entry whose time cannot be read was written NEVER: it stops nobody who walks the journal.
    """

    id: str
    key: Key
    at: datetime


class Books:
    """One court's entries. The index follows the journal within seconds, not at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def pointers(
        self, court: str, day: date, *, since: datetime | None = None
    ) -> list[Pointer]:
        """Every entry of a business day (written at `since` or later), oldest first."""
        low = None if since is None else instant(since)
        parts = [self._part(pk, low) for pk in journal.day_partitions(court, day)]
        found = [pointer for part in await asyncio.gather(*parts) for pointer in part]
        return sorted(found, key=lambda pointer: (pointer.at, pointer.id))

    async def get(self, table: str, keys: Sequence[Key], *, consistent: bool) -> list[Item | None]:
        """Items of any number of keys, in their order."""
        found: list[Item | None] = []
        for start in range(0, len(keys), MAX_BATCH_GET):
            part = [Read(table, key, consistent) for key in keys[start : start + MAX_BATCH_GET]]
            found += await self._engine.get(part)
        return found

    async def entries(self, pointers: Sequence[Pointer]) -> list[Item | None]:
        """The stored entries behind pointers, in their order."""
        return await self.entries_by_key([p.key for p in pointers])

    async def entries_by_key(self, keys: Sequence[Key]) -> list[Item | None]:
        """The stored entries under these keys, in their order."""
        return await self.get(journal.JOURNAL, keys, consistent=True)

    async def _part(self, pk: str, low: str | None) -> list[Pointer]:
        query = Query(table=journal.JOURNAL, pk=pk, index=journal.DAY_INDEX, low=low)
        return [_pointer(item) async for item in all_items(self._engine, query)]


def days(first: date, last: date) -> Iterator[date]:
    """All days from `first` to `last`, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _pointer(item: Item) -> Pointer:
    at, _, entry_id = item["ds"]["S"].partition("#")
    return Pointer(entry_id, Key(item["pk"]["S"], item["sk"]["S"]), _readable(at))


def _readable(at: str) -> datetime:
    try:
        read = from_instant(at)
    except ValueError:
        return NEVER
    return read if read.tzinfo is not None else NEVER
