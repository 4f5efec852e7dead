"""A person's id, derived from who the identity provider says it is (docs/adr/0007).

The token wrapper and the people module use the same function, so that the key of somebody's item is
known from the token alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from courtside.kernel.ids import from_digest
from courtside.platform.dynamo.journal import Digests

LENGTH = 20


def person_id(digests: Digests, court: str, *, issuer: str, subject: str) -> str:
    """The random-looking id that only the court's key could derive from issuer and subject."""
    return from_digest(digests.digest(court, "person", f"{issuer}\0{subject}".encode()), LENGTH)


class PersonIds:
    """Ids of the persons whom a court registers, under the issuer that signs its tokens."""

    def __init__(self, digests: Digests, issuers: Sequence[Mapping[str, Any]]) -> None:
        self._digests = digests
        self._issuers = issuers

    def default_issuer(self, court: str) -> str:
        """The first trusted issuer of that court alone, else the first that names it among others.

        ValueError when nobody signs tokens for that court.
        """
        own = [i["issuer"] for i in self._issuers if i.get("court") == court]
        shared = [i["issuer"] for i in self._issuers if court in i.get("courts", ())]
        for issuer in (*own, *shared):
            return str(issuer)
        raise ValueError(f"no trusted issuer signs tokens of the court {court}")

    def person_id(self, court: str, issuer: str, subject: str) -> str:
        return person_id(self._digests, court, issuer=issuer, subject=subject)
