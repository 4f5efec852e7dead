"""Use cases of the audit administrator."""

from asyncio import gather
from datetime import datetime

from courtside.kernel.actor import Actors, Principal, permit
from courtside.kernel.journal import Reads
from courtside.kernel.paging import Page, PageRequest
from courtside.modules.audit import rules
from courtside.modules.audit.contracts import AuditEntry, Search
from courtside.modules.audit.ports import Store
from courtside.modules.audit.rules import PERMITS


class Audit:
    """The journal as the audit administrator searches it."""

    def __init__(self, store: Store, *, actors: Actors, reads: Reads) -> None:
        self._store = store
        self._actors = actors
        self._reads = reads

    async def list_trail(
        self, principal: Principal, search: Search, request: PageRequest, *, now: datetime
    ) -> Page[AuditEntry]:
        """What a person did, or what was done with an object and who saw it, on one day.

        The search leaves an entry itself. OneSubject.
        """
        operation, subject = "audit.list_trail", rules.subject(search)
        actor, page = await gather(
            self._actors.get_actor(principal), self._page(principal.court, search, request)
        )
        permit(actor, PERMITS, operation, now=now)
        entries, _ = await gather(
            self._store.load_entries(principal.court, page.items),
            self._reads.note(principal, operation, seen=(subject,), now=now),
        )
        found = [(e, c) for e, c in zip(entries, page.cursors, strict=True) if e is not None]
        return Page(items=[e for e, _ in found], cursors=[c for _, c in found], more=page.more)

    async def _page(self, court: str, search: Search, request: PageRequest) -> Page[str]:
        if search.by is not None:
            return await self._store.page_by(court, search.by, search.day, request)
        return await self._store.page_about(court, search.about or "", search.day, request)
