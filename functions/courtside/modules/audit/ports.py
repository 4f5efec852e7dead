"""What the audit service needs of storage, one access pattern a method."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from courtside.kernel.paging import Page, PageRequest
from courtside.modules.audit.contracts import AuditEntry


class Store(Protocol):
    """Lines and entries of one court. A place is where an entry stands in the journal."""

    async def page_by(self, court: str, person: str, day: date, request: PageRequest) -> Page[str]:
        """One page of a partition: places of what a person did on a day, oldest first."""
        ...

    async def page_about(
        self, court: str, about: str, day: date, request: PageRequest
    ) -> Page[str]:
        """Two queries at once: places of what changed an object on a day and who saw it, oldest
        first, a page of both together."""
        ...

    async def load_entries(self, court: str, places: Sequence[str]) -> list[AuditEntry | None]:
        """One consistent get an entry, in the order asked; None for one that has left by its
        time."""
        ...
