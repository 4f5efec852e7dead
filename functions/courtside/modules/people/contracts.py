"""What the module speaks of: courts, units, persons, and the requests that change them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from courtside.kernel.actor import Actor, Grant, PersonStatus, Principal, Role
from courtside.kernel.journal import aggregate


class CourtLevel(StrEnum):
    """The four levels of the people's courts, highest first."""

    SUPREME = "SUPREME"
    HIGH = "HIGH"
    INTERMEDIATE = "INTERMEDIATE"
    BASIC = "BASIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """A court of the tree. `administrators` are those whose grant has no end: never none."""

    code: str
    name: str
    level: CourtLevel
    parent: str | None
    created_on: date
    administrators: frozenset[str]
    version: int

    @property
    def aggregate(self) -> str:
        return aggregate("Court", self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A department, chamber or tribunal; `parent` is None for those directly below the court."""

    id: str
    name: str
    parent: str | None
    version: int

    @property
    def aggregate(self) -> str:
        return aggregate("Unit", self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of a court. `id` is derived from the identity provider's issuer and subject.

    `name` and `staff_no` are personal data: never in the journal, in facts, logs or refusals.
    """

    court: str
    id: str
    staff_no: str
    name: str
    unit: str | None
    posts: tuple[str, ...]
    status: PersonStatus
    grants: tuple[Grant, ...]
    grants_version: int
    joined_on: date
    left_on: date | None
    version: int

    @property
    def aggregate(self) -> str:
        return aggregate("Person", self.id)

    def acting_as(self, principal: Principal) -> Actor:
        """The actor behind a principal that is this person."""
        return Actor(
            principal=principal,
            unit=self.unit,
            status=self.status,
            grants=self.grants,
            grants_version=self.grants_version,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The person who asks, the court, and the roles in force at the moment of asking."""

    person: Person
    court: Court
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCourt:
    """A new court with its first administrator, whose subject at the issuer is `subject`."""

    name: str
    level: CourtLevel
    parent: str | None = None
    administrator_name: str
    administrator_staff_no: str
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUnit:
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPerson:
    """`subject` is the person's name at the court's identity provider; None means the staff_no."""

    staff_no: str
    name: str
    unit: str | None = None
    posts: tuple[str, ...] = ()
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePerson:
    """Another unit, other posts; refused if the person has changed since `expected_version`."""

    person: str
    unit: str | None
    posts: tuple[str, ...]
    expected_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole:
    """A role from `starts_at` (None: from now) until before `ends_at`, in a unit or anywhere.

    It takes the place of an earlier grant of the same role in the same unit.
    """

    person: str
    role: Role
    unit: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole:
    """End the grant of that role in that unit (None: the grant that holds anywhere)."""

    person: str
    role: Role
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLeaving:
    person: str
