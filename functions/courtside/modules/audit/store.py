"""The audit module's reading of history lines and journal entries; it writes nothing."""

from asyncio import gather
from collections.abc import Sequence
from datetime import date, timedelta
from operator import attrgetter

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from courtside.kernel.journal import READ, REFUSAL
from courtside.kernel.paging import Page, PageRequest
from courtside.kernel.workdays import DAY_BEGINS, local_instant
from courtside.modules.audit.contracts import AuditEntry
from courtside.platform.dynamo import cursors, journal
from courtside.platform.dynamo.database import Database, Record
from courtside.platform.dynamo.journal import StoredEntry
from courtside.platform.dynamo.values import instant


class LineItem(Record):
    """A history line that says where its entry stands; `at` and `entry` place it in its day."""

    journal = UnicodeAttribute()
    entry = UnicodeAttribute()
    at = UnicodeAttribute()


class EntryItem(Record):
    """A journal entry as far as `journal.from_item` reads it."""

    table = journal.JOURNAL

    id = UnicodeAttribute()
    ds = UnicodeAttribute()
    e = UnicodeAttribute()
    b = UnicodeAttribute(null=True)
    d = NumberAttribute(null=True)
    j = UnicodeAttribute(null=True)


class AuditStore:
    """The audit module's `Store` on the tables of records and of the journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page_by(self, court: str, person: str, day: date, request: PageRequest) -> Page[str]:
        partition = f"HISTORY#BY:{person}#{day.isoformat()}"
        page = await self._database.of(court).page(LineItem, partition, request)
        places = [line.journal for line in page.items]
        return Page(items=places, cursors=page.cursors, more=page.more)

    async def page_about(
        self, court: str, about: str, day: date, request: PageRequest
    ) -> Page[str]:
        tenant = self._database.of(court)
        low = instant(local_instant(day, DAY_BEGINS))
        high = instant(local_instant(day + timedelta(days=1), DAY_BEGINS))
        seen, changed = await gather(
            tenant.query(LineItem, f"HISTORY#SEEN:{about}", low=low, high=high),
            tenant.query(LineItem, f"HISTORY#{about}"),
        )
        lines = [*seen, *(line for line in changed if low <= line.at < high)]
        scope, secret = f"{about}\n{day}", self._database.digests.digest(court, "cursors", b"")
        after = "" if request.after is None else cursors.decode(scope, request.after, secret=secret)
        rest = [line for line in sorted(lines, key=_place) if _sort(line) > after]
        shown = rest[: request.first]
        return Page(
            items=[line.journal for line in shown],
            cursors=[cursors.encode(scope, _sort(line), secret=secret) for line in shown],
            more=len(rest) > len(shown),
        )

    async def load_entries(self, court: str, places: Sequence[str]) -> list[AuditEntry | None]:
        keys = [(place, journal.SORT) for place in places]
        items = await self._database.of(court).get_many(EntryItem, keys)
        return [None if i is None else _entry(journal.from_item(i.serialize())) for i in items]


_place = attrgetter("at", "entry")


def _sort(line: LineItem) -> str:
    return f"{line.at}#{line.entry}"


def _entry(stored: StoredEntry) -> AuditEntry:
    is_refusal, outcome = stored.result.kind == REFUSAL, stored.result.outcome
    return AuditEntry(
        id=stored.id,
        at=stored.at,
        person=stored.principal.person,
        client=stored.principal.client,
        on_behalf_of=stored.on_behalf_of,
        operation=stored.result.id if is_refusal else stored.operation,
        changes=stored.changes,
        seen=tuple(outcome["seen"]) if stored.result.kind == READ else (),
        refused=outcome["code"] if is_refusal else None,
    )
