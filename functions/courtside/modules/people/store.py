"""Items of the people module.

`PEOPLE#COURT` / `COURT` the court; `_#PEOPLE#COURTS` / `<court>` its line in the list of all;
`PEOPLE#UNITS` / `<unit>`; `PEOPLE#ACTOR#<person>` / `ACTOR` one item a person;
`PEOPLE#STAFF` / `<staff_no>` whose number it is: its lock, its look-up, and the list of persons.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from courtside.kernel.actor import EVERYBODY, Actor, Grant, PersonStatus, Role
from courtside.kernel.journal import Entry, Recorded
from courtside.kernel.paging import Page, PageRequest
from courtside.modules.people.contracts import Court, CourtLevel, Person, Unit
from courtside.modules.people.errors import CourtExists, PersonExists, StaffNumberTaken
from courtside.platform.dynamo.database import Database, Record, Versioned, create, replace
from courtside.platform.dynamo.grants import SORT as ACTOR
from courtside.platform.dynamo.grants import actor_partition, still_granted
from courtside.platform.dynamo.transaction import refusal, stale
from courtside.platform.dynamo.values import from_instant, instant

COURT = "PEOPLE#COURT"
COURTS = "PEOPLE#COURTS"
UNITS = "PEOPLE#UNITS"
STAFF = "PEOPLE#STAFF"


class CourtItem(Versioned):
    name = UnicodeAttribute()
    level = UnicodeAttribute()
    parent = UnicodeAttribute(null=True)
    created_on = UnicodeAttribute()
    administrators = JSONAttribute()


class UnitItem(Versioned):
    name = UnicodeAttribute()
    parent = UnicodeAttribute(null=True)


class PersonItem(Versioned):
    """Grants are `[role, unit, starts_at, ends_at]`, so that reading an actor stays cheap."""

    name = UnicodeAttribute()
    staff_no = UnicodeAttribute()
    unit = UnicodeAttribute(null=True)
    posts = JSONAttribute()
    status = UnicodeAttribute()
    grants = JSONAttribute()
    grants_version = NumberAttribute()
    joined_on = UnicodeAttribute()
    left_on = UnicodeAttribute(null=True)


class StaffItem(Record):
    person = UnicodeAttribute()


class PeopleStore:
    """The people module's `Store` on the records table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_court(self, court: str) -> Court | None:
        item = await self._database.of(court).get(CourtItem, COURT, "COURT")
        return None if item is None else _court(court, item)

    async def find_listed_court(self, court: str) -> Court | None:
        item = await self._database.everybody().get(CourtItem, COURTS, court)
        return None if item is None else _court(court, item)

    async def list_courts(self) -> list[Court]:
        items = await self._database.everybody().query(CourtItem, COURTS, consistent=True)
        return [_court(item.sk, item) for item in items]

    async def find_unit(self, court: str, unit: str) -> Unit | None:
        item = await self._database.of(court).get(UnitItem, UNITS, unit)
        return None if item is None else _unit(item)

    async def list_units(self, court: str) -> list[Unit]:
        return [_unit(item) for item in await self._database.of(court).query(UnitItem, UNITS)]

    async def find_persons(self, court: str, persons: Sequence[str]) -> list[Person | None]:
        keys = [(actor_partition(person), ACTOR) for person in persons]
        items = await self._database.of(court).get_many(PersonItem, keys)
        return [None if item is None else _person(court, item) for item in items]

    async def find_registered(self, court: str, staff_nos: Sequence[str]) -> list[str | None]:
        keys = [(STAFF, number) for number in staff_nos]
        items = await self._database.of(court).get_many(StaffItem, keys)
        return [None if item is None else item.person for item in items]

    async def page_registered(self, court: str, request: PageRequest) -> Page[str]:
        page = await self._database.of(court).page(StaffItem, STAFF, request)
        ids = [item.person for item in page.items]
        return Page(items=ids, cursors=page.cursors, more=page.more)

    async def save_court(
        self, court: Court, administrator: Person, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        taken = refusal(CourtExists())
        transaction.add(create(_court_item(court), by="court"), explain=taken)
        transaction.publish(create(_listed_item(court), by="list of courts"), explain=taken)
        transaction.add(create(_staff_item(administrator), by="staff number"), explain=taken)
        transaction.add(create(_person_item(administrator), by="person"), explain=taken)
        return await transaction.commit()

    async def save_unit(self, actor: Actor, unit: Unit, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        item = UnitItem(
            pk=f"{actor.court}#{UNITS}",
            sk=unit.id,
            name=unit.name,
            parent=unit.parent,
            version=unit.version,
        )
        transaction.add(replace(item, by="unit"))
        for check in still_granted(actor):
            transaction.add(check)
        return await transaction.commit()

    async def save_person(
        self, actor: Actor, person: Person, court: Court | None, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        is_new = person.version == 1
        if is_new:
            number = create(_staff_item(person), by="staff number")
            transaction.add(number, explain=refusal(StaffNumberTaken()))
        written = replace(_person_item(person), by="person")
        transaction.add(written, explain=refusal(PersonExists()) if is_new else stale)
        if court is not None:
            transaction.add(replace(_court_item(court), by="court"))
        if actor.person != person.id:
            for check in still_granted(actor):
                transaction.add(check)
        return await transaction.commit()


def _court_item(court: Court) -> CourtItem:
    return CourtItem(
        pk=f"{court.code}#{COURT}",
        sk="COURT",
        name=court.name,
        level=court.level.value,
        parent=court.parent,
        created_on=court.created_on.isoformat(),
        administrators=sorted(court.administrators),
        version=court.version,
    )


def _listed_item(court: Court) -> CourtItem:
    item = _court_item(court)
    item.pk, item.sk, item.administrators = f"{EVERYBODY}#{COURTS}", court.code, []
    return item


def _court(code: str, item: CourtItem) -> Court:
    return Court(
        code=code,
        name=item.name,
        level=CourtLevel(item.level),
        parent=item.parent,
        created_on=date.fromisoformat(item.created_on),
        administrators=frozenset(item.administrators),
        version=int(item.version),
    )


def _unit(item: UnitItem) -> Unit:
    return Unit(id=item.sk, name=item.name, parent=item.parent, version=int(item.version))


def _staff_item(person: Person) -> StaffItem:
    return StaffItem(pk=f"{person.court}#{STAFF}", sk=person.staff_no, person=person.id)


def _person_item(person: Person) -> PersonItem:
    return PersonItem(
        pk=f"{person.court}#{actor_partition(person.id)}",
        sk=ACTOR,
        name=person.name,
        staff_no=person.staff_no,
        unit=person.unit,
        posts=list(person.posts),
        status=person.status.value,
        grants=[_stored(grant) for grant in person.grants],
        grants_version=person.grants_version,
        joined_on=person.joined_on.isoformat(),
        left_on=None if person.left_on is None else person.left_on.isoformat(),
        version=person.version,
    )


def _person(court: str, item: PersonItem) -> Person:
    return Person(
        court=court,
        id=item.pk.rpartition("#")[2],
        staff_no=item.staff_no,
        name=item.name,
        unit=item.unit,
        posts=tuple(item.posts),
        status=PersonStatus(item.status),
        grants=tuple(_grant(*stored) for stored in item.grants),
        grants_version=int(item.grants_version),
        joined_on=date.fromisoformat(item.joined_on),
        left_on=None if item.left_on is None else date.fromisoformat(item.left_on),
        version=int(item.version),
    )


def _stored(grant: Grant) -> list[Any]:
    ends_at = None if grant.ends_at is None else instant(grant.ends_at)
    return [grant.role.value, grant.unit, instant(grant.starts_at), ends_at]


def _grant(role: str, unit: str | None, starts_at: str, ends_at: str | None) -> Grant:
    return Grant(
        role=Role(role),
        unit=unit,
        starts_at=from_instant(starts_at),
        ends_at=None if ends_at is None else from_instant(ends_at),
    )
