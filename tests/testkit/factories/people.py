"""A court and its people, made through the people module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from courtside.kernel.actor import Principal, Role, system
from courtside.kernel.ids import encode
from courtside.modules.people import contracts
from courtside.modules.people.service import People
from courtside.platform.persons import PersonIds
from testkit.app import TestApp

COURT = "C310"
OTHER_COURT = "C320"
ADMINISTRATOR = "A0001"
# One good input of each mutation on people and the calendar; `$` stands for the id of a CLERK.
ASKED: Mapping[str, Mapping[str, Any]] = {
    "AddUnit": {"name": "立案庭"},
    "AddPerson": {"staffNo": "N1", "name": "新人"},
    "MovePerson": {"personId": "$", "unitId": None, "posts": ["书记员"], "expectedVersion": 2},
    "GrantRole": {"personId": "$", "role": "KITCHEN"},
    "RevokeRole": {"personId": "$", "role": "CLERK"},
    "RecordLeaving": {"personId": "$"},
    "SetCourtDay": {"on": "2026-03-06", "kind": "COURT_CLOSED"},
    "ImportCalendarYear": {
        "year": 2027,
        "provisional": True,
        "holidays": [{"startsOn": "2027-01-01", "endsOn": "2027-01-03"}],
        "makeupWorkdays": [],
    },
}


@dataclass(slots=True, kw_only=True)
class ACourt:
    """A court of its administrator; everybody else joins by situation."""

    app: TestApp
    code: str
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def people(self) -> People:
        return self.app.get(People)

    @property
    def now(self) -> datetime:
        return self.app.clock.now()

    @property
    def administrator(self) -> Principal:
        return self.principal(ADMINISTRATOR)

    def principal(self, staff_no: str, *, client: str = "web") -> Principal:
        """Whom a token of the court's issuer with that subject names; registered or not."""
        foundation = self.app.app.foundation
        ids = PersonIds(foundation.keys, foundation.settings.issuers)
        person = ids.person_id(self.code, ids.default_issuer(self.code), staff_no)
        return Principal(court=self.code, person=person, client=client, strong=True)

    async def a_unit(self, name: str = "立案庭", *, parent: str | None = None) -> contracts.Unit:
        request = contracts.AddUnit(name=name, parent=parent)
        done = await self.people.add_unit(self.administrator, request, key=self.key(), now=self.now)
        return done.value

    async def somebody(
        self, *roles: Role, name: str = "李小雨", unit: str | None = None, staff_no: str = ""
    ) -> Principal:
        """Somebody new who holds these roles in the whole court."""
        number = staff_no or f"P{next(self._numbers):04}"
        request = contracts.AddPerson(staff_no=number, name=name, unit=unit, posts=("法官",))
        await self.people.add_person(self.administrator, request, key=self.key(), now=self.now)
        principal = self.principal(number)
        for role in roles:
            await self.grants(principal, role)
        return principal

    async def grants(self, principal: Principal, role: Role, *, unit: str | None = None) -> None:
        request = contracts.GrantRole(person=principal.person, role=role, unit=unit)
        await self.people.grant_role(self.administrator, request, key=self.key(), now=self.now)

    async def stands_in(self, role: Role, *, staff_no: str, hours: int) -> Principal:
        """Somebody new who holds a role for some hours only."""
        principal = await self.somebody(staff_no=staff_no)
        request = contracts.GrantRole(
            person=principal.person, role=role, ends_at=self.now + timedelta(hours=hours)
        )
        await self.people.grant_role(self.administrator, request, key=self.key(), now=self.now)
        return principal

    async def revokes(self, principal: Principal, role: Role) -> None:
        request = contracts.RevokeRole(person=principal.person, role=role)
        await self.people.revoke_role(self.administrator, request, key=self.key(), now=self.now)

    async def leaves(self, principal: Principal) -> None:
        request = contracts.RecordLeaving(person=principal.person)
        await self.people.record_leaving(self.administrator, request, key=self.key(), now=self.now)

    def key(self) -> str:
        """An idempotency key that was not used before."""
        return f"factory-{next(self._numbers):04}"


def asked(operation: str, person: Principal) -> dict[str, Any]:
    """That mutation's good input, about that person."""
    opaque = encode("Person", person.person)
    return {name: opaque if value == "$" else value for name, value in ASKED[operation].items()}


async def a_court(app: TestApp, *, code: str = COURT, parent: str | None = None) -> ACourt:
    """A basic court with its first administrator."""
    request = contracts.CreateCourt(
        name="示范区人民法院",
        level=contracts.CourtLevel.BASIC,
        parent=parent,
        administrator_name="王管理",
        administrator_staff_no=ADMINISTRATOR,
    )
    await app.get(People).create_court(
        system(code, "people"), request, key="factory-court", now=app.clock.now()
    )
    return ACourt(app=app, code=code)
