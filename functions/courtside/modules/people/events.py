"""Facts that the people module publishes: random ids only, never a name or a staff number."""

from dataclasses import dataclass
from typing import ClassVar

from courtside.kernel.journal import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtCreated(Event):
    name: ClassVar[str] = "people.court_created.v1"
    level: str
    parent: str | None
    created_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAdded(Event):
    name: ClassVar[str] = "people.unit_added.v1"
    unit: str
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEvent(Event):
    """Base of what happens to a person: unit and status as they are afterwards."""

    person: str
    unit: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAdded(PersonEvent):
    name: ClassVar[str] = "people.person_added.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMoved(PersonEvent):
    name: ClassVar[str] = "people.person_moved.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(PersonEvent):
    """`role_unit` None reaches everywhere in the court, `ends_at` None has no end."""

    name: ClassVar[str] = "people.role_granted.v1"
    role: str
    role_unit: str | None
    starts_at: str
    ends_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(PersonEvent):
    name: ClassVar[str] = "people.role_revoked.v1"
    role: str
    role_unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeft(PersonEvent):
    """Everything that the person still had in other modules ends with it."""

    name: ClassVar[str] = "people.person_left.v1"
    left_on: str
