"""The sweeper: finds entries without their delivered mark and delivers them again.

It is the guarantee behind the stream, which forgets after a day: whatever was missed, for however
long, is found by comparing the journal's days with the marks. Days that are wholly delivered are
passed by a cursor, so that a sweep costs the same however old the court is.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from courtside.kernel.workdays import DAY_BEGINS, business_day, local_instant
from courtside.platform.books import Books, Pointer, days
from courtside.platform.dynamo.database import RECORDS, Database, engine_of
from courtside.platform.dynamo.values import Item
from courtside.platform.relay import Relay, mark_key
from courtside.platform.signals import Signal, Signals

PATIENCE = timedelta(minutes=5)  # the relay's own time to deliver what is new
SETTLED = timedelta(hours=1)  # after its end a day has no late entries and its index no gaps
_BATCH = 100


class Sweeper:
    """Sweeps one court at a time; two sweeps at once do the same work twice and no harm."""

    def __init__(self, database: Database, relay: Relay, signals: Signals) -> None:
        self._database = database
        self._books = Books(engine_of(database))
        self._relay = relay
        self._signals = signals

    async def sweep(self, court: str, *, since: date, now: datetime) -> int:
        """Deliver what is undelivered since the court's first day and return how much that was.

        What could not be delivered is tried again by the next sweep.
        """
        key = self._database.of(court).key("SWEEP", "CURSOR")
        (stored,) = await self._books.get(RECORDS, [key], consistent=True)
        first = since if stored is None else max(since, date.fromisoformat(stored["day"]["S"]))
        resent, settled, clean = 0, first, True
        for day in days(first, business_day(now)):
            missing = await self._undelivered(court, day, before=now - PATIENCE)
            failed = await self._resend(missing)
            resent += len(missing) - failed
            clean = clean and not failed
            if clean and _end_of(day) < now - SETTLED:
                settled = day + timedelta(days=1)
        if settled != first:
            cursor = {"pk": {"S": key.pk}, "sk": {"S": key.sk}, "day": {"S": settled.isoformat()}}
            await engine_of(self._database).put_many(RECORDS, [cursor])
        return resent

    async def _undelivered(self, court: str, day: date, *, before: datetime) -> list[Pointer]:
        due = [p for p in await self._books.pointers(court, day) if p.at <= before]
        keys = [mark_key(court, pointer.id) for pointer in due]
        marks = await self._books.get(RECORDS, keys, consistent=False)
        return [pointer for pointer, mark in zip(due, marks, strict=True) if mark is None]

    async def _resend(self, missing: Sequence[Pointer]) -> int:
        """Deliver entries again; how many of them failed."""
        failed = 0
        for start in range(0, len(missing), _BATCH):
            part = missing[start : start + _BATCH]
            items: dict[str, Item] = {
                pointer.id: item
                for pointer, item in zip(part, await self._books.entries(part), strict=True)
                if item is not None
            }
            failed += len(await self._relay.deliver(items))
        if missing:
            self._signals.emit(Signal.ENTRY_RESENT, count=len(missing))
        return failed


def _end_of(day: date) -> datetime:
    return local_instant(day + timedelta(days=1), DAY_BEGINS)
