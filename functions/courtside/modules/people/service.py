"""Use cases of courts, units, persons and roles."""

from asyncio import gather
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from courtside.kernel.actor import Actor, PersonStatus, Principal, permit, system_actor
from courtside.kernel.errors import NotFound, NotPermitted, Text
from courtside.kernel.ids import short_id
from courtside.kernel.journal import (
    Change,
    Command,
    Done,
    Entry,
    Event,
    Fact,
    Journal,
    Reads,
    Recorded,
    Result,
    aggregate,
    entry,
)
from courtside.kernel.paging import Page, PageRequest
from courtside.kernel.usecase import decides_again, permit_replay
from courtside.modules.people import contracts, errors, rules
from courtside.modules.people.contracts import Court, Me, Person, Unit
from courtside.modules.people.ports import PersonIds, Store
from courtside.modules.people.rules import PERMITS, Facts, PersonChanged

T = TypeVar("T")
Decide = Callable[[Facts], PersonChanged]


class People:
    """Courts, their units and persons, and who may do what; `Actors` for every other module."""

    def __init__(self, store: Store, *, journal: Journal, reads: Reads, ids: PersonIds) -> None:
        self._store = store
        self._journal = journal
        self._reads = reads
        self._ids = ids

    async def get_actor(self, principal: Principal) -> Actor:
        """Who a principal is by the court's books: one consistent get, none for the system.

        A stranger to the court has no grants and the status LEFT.
        """
        if principal.is_system:
            return system_actor(principal)
        person = await self._find_person(principal.court, principal.person)
        if person is not None:
            return person.acting_as(principal)
        return Actor(
            principal=principal, unit=None, status=PersonStatus.LEFT, grants=(), grants_version=0
        )

    async def get_me(self, principal: Principal, *, now: datetime) -> Me:
        """The person who asks, the court, and the roles in force now. Refuses strangers."""
        person, court = await gather(
            self._find_person(principal.court, principal.person),
            self._store.find_court(principal.court),
        )
        if person is None or court is None:
            raise NotPermitted(operation="people.get_me")
        actor = person.acting_as(principal)
        permit(actor, PERMITS, "people.get_me", now=now)
        return Me(person=person, court=court, roles=actor.roles(now))

    async def list_units(self, principal: Principal, *, now: datetime) -> Sequence[Unit]:
        """The tree of units of the caller's court, as a flat list."""
        actor, units = await gather(
            self.get_actor(principal), self._store.list_units(principal.court)
        )
        permit(actor, PERMITS, "people.list_units", now=now)
        return units

    async def find_unit(self, court: str, unit: str) -> Unit | None:
        """A unit by its id: one consistent get. For other modules' use cases, which answer for
        their own permission."""
        return await self._store.find_unit(court, unit)

    async def list_persons(
        self, principal: Principal, request: PageRequest, *, now: datetime
    ) -> Page[Person]:
        """The persons of the caller's court by staff number, those who left included.

        Who is shown is journalled as seen by the caller.
        """
        actor, page = await gather(
            self.get_actor(principal), self._store.page_registered(principal.court, request)
        )
        permit(actor, PERMITS, "people.list_persons", now=now)
        persons, _ = await gather(
            self._store.find_persons(principal.court, page.items),
            self._reads.note(
                principal,
                "people.list_persons",
                seen=[aggregate("Person", person) for person in page.items],
                now=now,
            ),
        )
        present = [person for person in persons if person is not None]
        return Page(items=present, cursors=page.cursors, more=page.more)

    async def find_persons_by_staff_no(
        self, court: str, staff_nos: Sequence[str]
    ) -> dict[str, Person]:
        """The persons of those staff numbers; numbers of nobody are missing in the answer. For
        other modules' use cases, which answer for their own permission."""
        found = await self._store.find_registered(court, staff_nos)
        persons = await self._store.find_persons(court, [p for p in found if p])
        return {person.staff_no: person for person in persons if person is not None}

    async def list_courts(self) -> Sequence[Court]:
        """All courts, without their administrators: what every court may know of the others."""
        return await self._store.list_courts()

    @decides_again
    async def create_court(
        self, principal: Principal, request: contracts.CreateCourt, *, key: str, now: datetime
    ) -> Done[Court]:
        """Set up the court of the system principal's tenant, with its first administrator.

        CourtExists, NotFound (the parent), InvalidInput.
        """
        command = Command(
            principal=principal, operation="people.create_court", key=key, request=request
        )
        recorded, actor, parent = await gather(
            self._journal.recall(command), self.get_actor(principal), self._find_parent(request)
        )
        if recorded is not None:
            return await self._court_replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        subject = request.subject or request.administrator_staff_no
        founded = rules.create_court(
            request,
            code=principal.court,
            parent=parent,
            administrator=self._id_of(principal.court, subject),
            now=now,
        )
        result = Result(kind="Court", id=founded.court.code)
        written = _entry(command, result, *founded.events, now=now)
        raced = await self._store.save_court(founded.court, founded.administrator, written)
        if raced is not None:
            return await self._court_replayed(actor, raced, now=now)
        return Done(value=founded.court)

    @decides_again
    async def add_unit(
        self, principal: Principal, request: contracts.AddUnit, *, key: str, now: datetime
    ) -> Done[Unit]:
        """Add a department, chamber or tribunal. NotFound (the parent), InvalidInput."""
        command = Command(
            principal=principal, operation="people.add_unit", key=key, request=request
        )
        recorded, actor, parent = await gather(
            self._journal.recall(command),
            self.get_actor(principal),
            self._find_unit(principal.court, request.parent),
        )
        if recorded is not None:
            return await self._unit_replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        unit, event = rules.add_unit(request, parent=parent, new_id=short_id())
        written = _entry(command, Result(kind="Unit", id=unit.id), event, now=now)
        raced = await self._store.save_unit(actor, unit, written)
        if raced is not None:
            return await self._unit_replayed(actor, raced, now=now)
        return Done(value=unit)

    @decides_again
    async def add_person(
        self, principal: Principal, request: contracts.AddPerson, *, key: str, now: datetime
    ) -> Done[Person]:
        """Register somebody, who may sign in from then on.

        StaffNumberTaken, PersonExists, NotFound (the unit), InvalidInput.
        """
        command = Command(
            principal=principal, operation="people.add_person", key=key, request=request
        )
        new_id = self._id_of(principal.court, request.subject or request.staff_no.strip())
        decide = partial(rules.add_person, request=request, new_id=new_id, now=now)
        return await self._change(command, decide, person=new_id, unit=request.unit, now=now)

    @decides_again
    async def move_person(
        self, principal: Principal, request: contracts.MovePerson, *, key: str, now: datetime
    ) -> Done[Person]:
        """Put somebody into another unit, with other posts.

        VersionConflict, PersonHasLeft, NotFound (person, unit), InvalidInput.
        """
        command = Command(
            principal=principal, operation="people.move_person", key=key, request=request
        )
        decide = partial(rules.move_person, request=request)
        return await self._change(
            command, decide, person=request.person, unit=request.unit, now=now
        )

    @decides_again
    async def grant_role(
        self, principal: Principal, request: contracts.GrantRole, *, key: str, now: datetime
    ) -> Done[Person]:
        """Give somebody else a role for a time, or until it is revoked.

        OwnRoles, RoleNotGrantable, PersonHasLeft, LastAdministrator (a lasting administrator
        would become a temporary one), NotFound (person, unit), InvalidInput.
        """
        command = Command(
            principal=principal, operation="people.grant_role", key=key, request=request
        )
        decide = partial(rules.grant_role, request=request, now=now)
        return await self._change(
            command, decide, person=request.person, unit=request.unit, now=now
        )

    @decides_again
    async def revoke_role(
        self, principal: Principal, request: contracts.RevokeRole, *, key: str, now: datetime
    ) -> Done[Person]:
        """End somebody's role at once; what the person began under it is not written any more.

        RoleNotHeld, LastAdministrator, PersonHasLeft, NotFound.
        """
        command = Command(
            principal=principal, operation="people.revoke_role", key=key, request=request
        )
        decide = partial(rules.revoke_role, request=request, now=now)
        return await self._change(command, decide, person=request.person, now=now)

    @decides_again
    async def record_leaving(
        self, principal: Principal, request: contracts.RecordLeaving, *, key: str, now: datetime
    ) -> Done[Person]:
        """Somebody leaves the court today: all roles end, other modules clear what is open.

        LastAdministrator, PersonHasLeft, NotFound.
        """
        command = Command(
            principal=principal, operation="people.record_leaving", key=key, request=request
        )
        decide = partial(rules.record_leaving, now=now)
        return await self._change(command, decide, person=request.person, now=now)

    async def _change(
        self,
        command: Command,
        decide: Decide,
        *,
        person: str,
        unit: str | None = None,
        now: datetime,
    ) -> Done[Person]:
        """What every change of a person does around its own rule: load, permit, decide, save."""
        recorded, actor, before, court, named = await gather(
            self._journal.recall(command),
            self.get_actor(command.principal),
            self._find_person(command.court, person),
            self._store.find_court(command.court),
            self._find_unit(command.court, unit),
        )
        if recorded is not None:
            return await self._person_replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        court = _required(court, errors.COURT)
        after = decide(Facts(actor=actor, court=court, person=before, unit=named))
        result = Result(kind="Person", id=person, version=after.person.version)
        written = _entry(command, result, after.event, now=now, court=after.court)
        raced = await self._store.save_person(actor, after.person, after.court, written)
        if raced is not None:
            return await self._person_replayed(actor, raced, now=now)
        return Done(value=after.person)

    async def _court_replayed(
        self, actor: Actor, recorded: Recorded, *, now: datetime
    ) -> Done[Court]:
        permit_replay(actor, PERMITS, "people.get_court", now=now)
        stored = _required(await self._store.find_court(actor.court), errors.COURT)
        return Done(value=stored, replayed=True, outcome=recorded.result.outcome)

    async def _unit_replayed(
        self, actor: Actor, recorded: Recorded, *, now: datetime
    ) -> Done[Unit]:
        permit_replay(actor, PERMITS, "people.list_units", now=now)
        stored = await self._find_unit(actor.court, recorded.result.id)
        return Done(
            value=_required(stored, errors.UNIT), replayed=True, outcome=recorded.result.outcome
        )

    async def _person_replayed(
        self, actor: Actor, recorded: Recorded, *, now: datetime
    ) -> Done[Person]:
        own = recorded.result.id == actor.person
        permit_replay(actor, PERMITS, "people.get_me" if own else "people.list_persons", now=now)
        stored = await self._find_person(actor.court, recorded.result.id)
        return Done(
            value=_required(stored, errors.PERSON), replayed=True, outcome=recorded.result.outcome
        )

    def _id_of(self, court: str, subject: str) -> str:
        return self._ids.person_id(court, self._ids.default_issuer(court), subject)

    async def _find_parent(self, request: contracts.CreateCourt) -> Court | None:
        if request.parent is None:
            return None
        return await self._store.find_listed_court(request.parent)

    async def _find_unit(self, court: str, unit: str | None) -> Unit | None:
        return None if unit is None else await self._store.find_unit(court, unit)

    async def _find_person(self, court: str, person: str) -> Person | None:
        (found,) = await self._store.find_persons(court, [person])
        return found


def _entry(
    command: Command, result: Result, *told: Event, now: datetime, court: Court | None = None
) -> Entry:
    """One entry that names everything that changed and tells of it."""
    changed = {event.aggregate: event.version for event in told}
    if court is not None:
        changed[court.aggregate] = court.version
    return entry(
        command,
        now=now,
        result=result,
        changes=tuple(Change(aggregate=a, version=v) for a, v in changed.items()),
        facts=tuple(Fact.of(event) for event in told),
    )


def _required(found: T | None, kind: Text) -> T:
    if found is None:
        raise NotFound(kind=kind)
    return found
