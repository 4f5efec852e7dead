"""Pure decisions about courts, units, persons and their roles."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from courtside.kernel.actor import Actor, Grant, Permits, PersonStatus, Role
from courtside.kernel.errors import InvalidInput, NotFound, Text, VersionConflict
from courtside.kernel.journal import Event
from courtside.kernel.workdays import business_day
from courtside.modules.people import errors, events
from courtside.modules.people.contracts import (
    AddPerson,
    AddUnit,
    Court,
    CourtLevel,
    CreateCourt,
    GrantRole,
    MovePerson,
    Person,
    RevokeRole,
    Unit,
)

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
READERS = ADMINISTRATORS | {Role.LOGISTICS_MANAGER, Role.FINANCE, Role.AUDITOR}
PERMITS: Permits = {
    "people.create_court": frozenset({Role.SYSTEM}),
    "people.add_unit": ADMINISTRATORS,
    "people.add_person": ADMINISTRATORS,
    "people.move_person": ADMINISTRATORS,
    "people.grant_role": ADMINISTRATORS,
    "people.revoke_role": ADMINISTRATORS,
    "people.record_leaving": ADMINISTRATORS,
    "people.get_me": frozenset({Role.MEMBER}),
    "people.get_court": frozenset({Role.MEMBER, Role.SYSTEM}),
    "people.list_units": frozenset({Role.MEMBER}),
    "people.list_persons": READERS,
}

UNGRANTABLE = frozenset({Role.MEMBER, Role.SYSTEM})
MAX_GRANTS = 20  # keeps an actor item, which every request reads, far below 4 KB
MAX_POSTS = 5
LONGEST_NAME = 60
_COURT_CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}")
_STAFF_NO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when a person is to be changed; `unit` is the one that the request names."""

    actor: Actor
    court: Court
    person: Person | None
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChanged:
    """A person as decided, the court if its administrators changed, and what to tell."""

    person: Person
    court: Court | None = None
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtFounded:
    court: Court
    administrator: Person
    events: tuple[Event, ...]


def create_court(
    request: CreateCourt, *, code: str, parent: Court | None, administrator: str, now: datetime
) -> CourtFounded:
    """A court below `parent` and its first administrator, whose grant has no end."""
    if _COURT_CODE.fullmatch(code) is None:
        raise InvalidInput(
            field="code", reason=Text("应为 2 至 12 位大写字母和数字", "2-12 A-Z, 0-9")
        )
    _require_lower(request, parent)
    first = AddPerson(staff_no=request.administrator_staff_no, name=request.administrator_name)
    added = _newcomer(first, court=code, new_id=administrator, now=now)
    grant = Grant(role=Role.ADMINISTRATOR, starts_at=now)
    granted = _with_grants(added, [grant])
    court = Court(
        code=code,
        name=_name(request.name),
        level=request.level,
        parent=request.parent,
        created_on=business_day(now),
        administrators=frozenset({administrator}),
        version=1,
    )
    told = (
        _court_created(court),
        _told(events.PersonAdded, added),
        _role_granted(granted, grant),
    )
    return CourtFounded(court=court, administrator=granted, events=told)


def add_unit(request: AddUnit, *, parent: Unit | None, new_id: str) -> tuple[Unit, Event]:
    """A unit below `parent`, or directly below the court."""
    _require_named(request.parent, parent, field="parentId")
    unit = Unit(id=new_id, name=_name(request.name), parent=request.parent, version=1)
    told = events.UnitAdded(aggregate=unit.aggregate, version=1, unit=unit.id, parent=unit.parent)
    return unit, told


def add_person(facts: Facts, request: AddPerson, *, new_id: str, now: datetime) -> PersonChanged:
    """Somebody new, who is a member and holds no role."""
    if facts.person is not None:
        raise errors.PersonExists
    _require_named(request.unit, facts.unit, field="unitId")
    added = _newcomer(request, court=facts.court.code, new_id=new_id, now=now)
    return PersonChanged(person=added, event=_told(events.PersonAdded, added))


def move_person(facts: Facts, request: MovePerson) -> PersonChanged:
    """Another unit and other posts; roles stay, since each names the unit that it reaches."""
    person = _present(facts.person)
    if person.version != request.expected_version:
        raise VersionConflict(current=person.version)
    _require_named(request.unit, facts.unit, field="unitId")
    moved = _next(person, unit=request.unit, posts=_posts(request.posts))
    return PersonChanged(person=moved, event=_told(events.PersonMoved, moved))


def grant_role(facts: Facts, request: GrantRole, *, now: datetime) -> PersonChanged:
    """The role in the person's grants, in place of an earlier one of the same role and unit."""
    person = _present(facts.person)
    if person.id == facts.actor.person:
        raise errors.OwnRoles
    _require_named(request.unit, facts.unit, field="unitId")
    grant = _grant(request, now=now)
    others = [g for g in _running(person, now) if (g.role, g.unit) != (grant.role, grant.unit)]
    if len(others) >= MAX_GRANTS:
        raise InvalidInput(field="role", reason=Text("该人员角色过多", "too many roles"))
    changed = _with_grants(person, [*others, grant])
    return PersonChanged(
        person=changed,
        court=_administration(facts.court, changed),
        event=_role_granted(changed, grant),
    )


def revoke_role(facts: Facts, request: RevokeRole, *, now: datetime) -> PersonChanged:
    """The person's grants without that role in that unit; the last administrator's stays."""
    person = _present(facts.person)
    running = _running(person, now)
    rest = [g for g in running if (g.role, g.unit) != (request.role, request.unit)]
    if len(rest) == len(running):
        raise errors.RoleNotHeld(role=request.role)
    changed = _with_grants(person, rest)
    told = _told(events.RoleRevoked, changed, role=request.role.value, role_unit=request.unit)
    return PersonChanged(person=changed, court=_administration(facts.court, changed), event=told)


def record_leaving(facts: Facts, *, now: datetime) -> PersonChanged:
    """The person has left today; every grant ends at once."""
    person = _present(facts.person)
    today = business_day(now)
    left = replace(_with_grants(person, ()), status=PersonStatus.LEFT, left_on=today)
    told = _told(events.PersonLeft, left, left_on=today.isoformat())
    return PersonChanged(person=left, court=_administration(facts.court, left), event=told)


def _grant(request: GrantRole, *, now: datetime) -> Grant:
    if request.role in UNGRANTABLE:
        raise errors.RoleNotGrantable(role=request.role)
    starts_at = request.starts_at or now
    if request.ends_at is not None and request.ends_at <= max(starts_at, now):
        raise InvalidInput(field="endsAt", reason=Text("应晚于开始时间和现在", "must lie ahead"))
    if request.role is Role.ADMINISTRATOR:
        _require_whole(request, now=now)
    return Grant(role=request.role, unit=request.unit, starts_at=starts_at, ends_at=request.ends_at)


def _require_whole(request: GrantRole, *, now: datetime) -> None:
    """An administrator acts for the whole court. One without an end begins at once, so that the
    court's list of lasting administrators is true at every moment."""
    if request.unit is not None:
        raise InvalidInput(
            field="unitId", reason=Text("管理员权限及于全院", "reaches the whole court")
        )
    if request.ends_at is None and request.starts_at is not None and request.starts_at > now:
        raise InvalidInput(
            field="startsAt", reason=Text("长期管理员即时生效", "must begin at once")
        )


def _administration(court: Court, person: Person) -> Court | None:
    """The court with its list of lasting administrators brought up to date, None if unchanged."""
    lasting = any(g.role is Role.ADMINISTRATOR and g.ends_at is None for g in person.grants)
    others = court.administrators - {person.id}
    after = others | {person.id} if lasting else others
    if after == court.administrators:
        return None
    if not after:
        raise errors.LastAdministrator
    return replace(court, administrators=after, version=court.version + 1)


def _newcomer(request: AddPerson, *, court: str, new_id: str, now: datetime) -> Person:
    return Person(
        court=court,
        id=new_id,
        staff_no=_staff_no(request.staff_no),
        name=_name(request.name),
        unit=request.unit,
        posts=_posts(request.posts),
        status=PersonStatus.ACTIVE,
        grants=(),
        grants_version=1,
        joined_on=business_day(now),
        left_on=None,
        version=1,
    )


def _present(person: Person | None) -> Person:
    if person is None:
        raise NotFound(kind=errors.PERSON, path=("input", "personId"))
    if person.status is PersonStatus.LEFT:
        raise errors.PersonHasLeft
    return person


def _running(person: Person, now: datetime) -> list[Grant]:
    return [g for g in person.grants if g.ends_at is None or now < g.ends_at]


def _next(person: Person, *, unit: str | None, posts: tuple[str, ...]) -> Person:
    return replace(person, unit=unit, posts=posts, version=person.version + 1)


def _with_grants(person: Person, grants: Iterable[Grant]) -> Person:
    return replace(
        person,
        grants=tuple(grants),
        grants_version=person.grants_version + 1,
        version=person.version + 1,
    )


def _require_lower(request: CreateCourt, parent: Court | None) -> None:
    if request.parent is not None and parent is None:
        raise NotFound(kind=errors.COURT, path=("input", "parentId"))
    levels = list(CourtLevel)
    if parent is not None and levels.index(parent.level) >= levels.index(request.level):
        raise InvalidInput(field="parentId", reason=Text("应为上级法院", "must be a higher court"))


def _require_named(asked: str | None, found: Unit | None, *, field: str) -> None:
    if asked is not None and found is None:
        raise NotFound(kind=errors.UNIT, path=("input", field))


def _name(text: str, *, field: str = "name") -> str:
    name = text.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        reason = Text(f"应为 1 至 {LONGEST_NAME} 个字", f"1 to {LONGEST_NAME} characters")
        raise InvalidInput(field=field, reason=reason)
    return name


def _posts(posts: tuple[str, ...]) -> tuple[str, ...]:
    if len(posts) > MAX_POSTS:
        raise InvalidInput(
            field="posts", reason=Text(f"最多 {MAX_POSTS} 项", f"at most {MAX_POSTS}")
        )
    return tuple(_name(post, field="posts") for post in posts)


def _staff_no(text: str) -> str:
    number = text.strip()
    if _STAFF_NO.fullmatch(number) is None:
        reason = Text("应为 1 至 20 位字母、数字、- 或 _", "1 to 20 letters, digits, - or _")
        raise InvalidInput(field="staffNo", reason=reason)
    return number


def _court_created(court: Court) -> Event:
    return events.CourtCreated(
        aggregate=court.aggregate,
        version=court.version,
        level=court.level.value,
        parent=court.parent,
        created_on=court.created_on.isoformat(),
    )


def _role_granted(person: Person, grant: Grant) -> Event:
    return _told(
        events.RoleGranted,
        person,
        role=grant.role.value,
        role_unit=grant.unit,
        starts_at=grant.starts_at.isoformat(),
        ends_at=None if grant.ends_at is None else grant.ends_at.isoformat(),
    )


def _told(kind: type[events.PersonEvent], person: Person, **more: str | None) -> Event:
    return kind(
        aggregate=person.aggregate,
        version=person.version,
        person=person.id,
        unit=person.unit,
        status=person.status.value,
        **more,
    )
