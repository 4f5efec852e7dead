"""What the people service needs of storage, one access pattern a method, and of identity."""

from collections.abc import Sequence
from typing import Protocol

from courtside.kernel.actor import Actor
from courtside.kernel.journal import Entry, Recorded
from courtside.kernel.paging import Page, PageRequest
from courtside.modules.people.contracts import Court, Person, Unit


class Store(Protocol):
    """Items of one court; every method takes the tenant first."""

    async def find_court(self, court: str) -> Court | None:
        """One consistent get."""
        ...

    async def find_listed_court(self, court: str) -> Court | None:
        """One consistent get under the reserved tenant; its administrators stay unknown (empty)."""
        ...

    async def list_courts(self) -> list[Court]:
        """One query under the reserved tenant, by code; administrators stay unknown (empty)."""
        ...

    async def find_unit(self, court: str, unit: str) -> Unit | None:
        """One consistent get."""
        ...

    async def list_units(self, court: str) -> list[Unit]:
        """One query of the partition of units."""
        ...

    async def find_persons(self, court: str, persons: Sequence[str]) -> list[Person | None]:
        """One consistent get a person, in the order asked."""
        ...

    async def find_registered(self, court: str, staff_nos: Sequence[str]) -> list[str | None]:
        """One consistent get a staff number: the ids of their persons, in the order asked."""
        ...

    async def page_registered(self, court: str, request: PageRequest) -> Page[str]:
        """One page of the partition of staff numbers: the ids of their persons."""
        ...

    async def save_court(
        self, court: Court, administrator: Person, entry: Entry
    ) -> Recorded | None:
        """Put a new court, its line under the reserved tenant, and its first administrator.

        CourtExists when the code is taken.
        """
        ...

    async def save_unit(self, actor: Actor, unit: Unit, entry: Entry) -> Recorded | None:
        """Put a new unit, if the actor's grants are still those that were read."""
        ...

    async def save_person(
        self, actor: Actor, person: Person, court: Court | None, entry: Entry
    ) -> Recorded | None:
        """Put the next version of a person, and of the court if its administrators changed.

        A new person takes a staff number with it (StaffNumberTaken, PersonExists). Stale when
        the person, the court or the actor's grants changed meanwhile.
        """
        ...


class PersonIds(Protocol):
    """How identities at a court's provider become persons; the same as tokens are read by."""

    def default_issuer(self, court: str) -> str:
        """The issuer that signs the tokens of that court's people."""
        ...

    def person_id(self, court: str, issuer: str, subject: str) -> str:
        """The id under which that subject acts."""
        ...
