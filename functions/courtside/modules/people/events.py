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
class PersonAdded(Event):
    name: ClassVar[str] = "people.person_added.v1"
    person: str
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMoved(Event):
    name: ClassVar[str] = "people.person_moved.v1"
    person: str
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(Event):
    """`unit` None reaches everywhere in the court, `ends_at` None has no end."""

    name: ClassVar[str] = "people.role_granted.v1"
    person: str
    role: str
    unit: str | None
    starts_at: str
    ends_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(Event):
    name: ClassVar[str] = "people.role_revoked.v1"
    person: str
    role: str
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeft(Event):
    """Everything that the person still had in other modules ends with it."""

    name: ClassVar[str] = "people.person_left.v1"
    person: str
    unit: str | None
    left_on: str
