"""Who may search, and for what."""

from courtside.kernel.actor import Permits, Role
from courtside.kernel.journal import aggregate
from courtside.modules.audit.contracts import Search
from courtside.modules.audit.errors import OneSubject

PERMITS: Permits = {"audit.list_trail": frozenset({Role.AUDITOR})}


def subject(search: Search) -> str:
    """Whose trail is looked at, as the search's own entry names it, or OneSubject."""
    match search:
        case Search(by=str(person), about=None):
            return aggregate("Person", person)
        case Search(by=None, about=str(named)):
            return named
    raise OneSubject
