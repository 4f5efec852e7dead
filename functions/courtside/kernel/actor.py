"""Who acts, for which court, and what that person may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from courtside.kernel.errors import NotPermitted, StepUpRequired

EVERYBODY = "_"  # the reserved tenant of what belongs to no court


class Role(StrEnum):
    """Roles of a court; every person who is active has MEMBER without a grant."""

    MEMBER = "MEMBER"
    CLERK = "CLERK"
    DEPARTMENT_HEAD = "DEPARTMENT_HEAD"
    LOGISTICS_OFFICER = "LOGISTICS_OFFICER"
    LOGISTICS_MANAGER = "LOGISTICS_MANAGER"
    WAREHOUSE = "WAREHOUSE"
    KITCHEN = "KITCHEN"
    SERVING = "SERVING"
    FINANCE = "FINANCE"
    AUDITOR = "AUDITOR"
    ADMINISTRATOR = "ADMINISTRATOR"
    SYSTEM = "SYSTEM"


# Roles that are in force only after a sign-in with two factors (GB/T 22239-2019, 8.1.4.1 d).
STEP_UP = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})


class PersonStatus(StrEnum):
    ACTIVE = "ACTIVE"
    LEAVE = "LEAVE"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """What a verified token says: nothing here was read from storage.

    `person` is the random-looking id that the court's key derives from issuer and subject, so that
    the keys of a person's items are known before anything is read (docs/adr/0007). `strong` says
    that the issuer vouches for two factors, one of them cryptographic.
    """

    court: str
    person: str
    client: str
    scopes: frozenset[str] = frozenset()
    strong: bool = False

    @property
    def name(self) -> str:
        """Client and person, as the journal keys them."""
        return f"{self.client}~{self.person}"

    @property
    def is_system(self) -> bool:
        return self.client == "system"


def system(court: str, module: str) -> Principal:
    """The principal `system:<module>` under which a module's consumers and jobs act."""
    return Principal(court=court, person=f"system:{module}", client="system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role from `starts_at` until before `ends_at`, in one unit or (None) anywhere."""

    role: Role
    unit: str | None = None
    starts_at: datetime
    ends_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A principal with what the court's books say of the person: unit, status, grants, version."""

    principal: Principal
    unit: str | None
    status: PersonStatus
    grants: tuple[Grant, ...]
    grants_version: int

    @property
    def court(self) -> str:
        return self.principal.court

    @property
    def person(self) -> str:
        return self.principal.person

    def roles(self, now: datetime, *, unit: str | None = None) -> frozenset[Role]:
        """Roles in force at `now`; with `unit`, those that reach it. Nobody who left has any, and
        those of STEP_UP need a sign-in that was strong."""
        held = self.held(now, unit=unit)
        return held if self.principal.strong else held - STEP_UP

    def held(self, now: datetime, *, unit: str | None = None) -> frozenset[Role]:
        """The same, however the person signed in."""
        if self.principal.is_system:
            return frozenset({Role.SYSTEM})
        if self.status is PersonStatus.LEFT:
            return frozenset()
        held = {g.role for g in self.grants if g.is_valid(now) and g.unit in (None, unit)}
        return frozenset(held | {Role.MEMBER})


def system_actor(principal: Principal) -> Actor:
    """The actor of a `system:<module>` principal: it has no item of its own to read."""
    return Actor(
        principal=principal, unit=None, status=PersonStatus.ACTIVE, grants=(), grants_version=0
    )


class Actors(Protocol):
    """Who a principal is by the court's books; the people module's service implements it."""

    async def get_actor(self, principal: Principal) -> Actor:
        """The actor of a principal: one consistent get by court and person. A stranger to the court
        has no grants and the status LEFT."""
        ...


Permits = Mapping[str, frozenset[Role]]


def permit(
    actor: Actor, permits: Permits, operation: str, *, now: datetime, unit: str | None = None
) -> None:
    """Default-deny: NotPermitted unless a role of the actor stands in the operation's row, and
    StepUpRequired if one does that is not in force after this sign-in.

    A client that is limited to scopes needs the operation among them as well.
    """
    scopes = actor.principal.scopes
    allowed = permits.get(operation, frozenset())
    if not (allowed & actor.held(now, unit=unit)) or (scopes and operation not in scopes):
        raise NotPermitted(operation=operation)
    if not (allowed & actor.roles(now, unit=unit)):
        raise StepUpRequired(operation=operation)
