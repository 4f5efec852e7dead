"""What the module speaks of: entries of the journal as an auditor reads them, and a search."""

from dataclasses import dataclass
from datetime import date, datetime

from courtside.kernel.journal import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry: a change, a refusal (`refused` is its code) or a sensitive read (`seen`).

    `person` is a random id, or `system:<module>`.
    """

    id: str
    at: datetime
    person: str
    client: str
    on_behalf_of: str | None
    operation: str
    changes: tuple[Change, ...]
    seen: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One business day of what a person did (`by`), or of what was done with an object and who saw
    it (`about`, as the journal names objects). Exactly one of the two."""

    day: date
    by: str | None = None
    about: str | None = None
