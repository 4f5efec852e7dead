"""The demo court and its 300 people in 20 units, among them one for each role."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from courtside.kernel.actor import PersonStatus, Principal, Role, system
from courtside.modules.people import contracts
from courtside.modules.people.service import People

PEOPLE = 300
ROLES: Mapping[str, Role | None] = {
    "admin": Role.ADMINISTRATOR,
    "judge": None,
    "clerk": Role.CLERK,
    "head": Role.DEPARTMENT_HEAD,
    "officer": Role.LOGISTICS_OFFICER,
    "manager": Role.LOGISTICS_MANAGER,
    "kitchen": Role.KITCHEN,
    "window": Role.SERVING,
    "finance": Role.FINANCE,
    "auditor": Role.AUDITOR,
}
_JUDGES = "民事审判第一庭"  # the unit of the judge and of the clerk who orders for her


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Everybody who was registered: principals by staff number, in order of registration."""

    principals: Mapping[str, Principal]

    def __getitem__(self, staff_no: str) -> Principal:
        return self.principals[staff_no]

    @property
    def diners(self) -> list[Principal]:
        """All who order by themselves in the demo; the judge of the walk is left to the reader."""
        return [who for number, who in self.principals.items() if number != "judge"]


async def found_court(people: People, told: Mapping[str, Any], *, now: datetime) -> Staff:
    """The court, its units, its people and their roles."""
    code = told["court"]["code"]
    request = contracts.CreateCourt(
        name=told["court"]["name"],
        level=contracts.CourtLevel(told["court"]["level"]),
        administrator_name="管理员",
        administrator_staff_no="admin",
    )
    root = system(code, "people")
    court = await people.create_court(root, request, key="demo-court", now=now)
    (administrator,) = court.value.administrators
    admin = Principal(court=code, person=administrator, client="web", strong=True)
    units = [
        (
            await people.add_unit(
                admin, contracts.AddUnit(name=name), key=f"demo-unit-{n:02d}", now=now
            )
        ).value
        for n, name in enumerate(told["units"])
    ]
    principals = {"admin": admin}
    for request_ in _persons(told, units):
        person = (
            await people.add_person(admin, request_, key=f"demo-{request_.staff_no}", now=now)
        ).value
        principals[request_.staff_no] = Principal(court=code, person=person.id, client="web")
    await _grant_roles(people, admin, principals, units, now=now)
    return Staff(principals=principals)


async def find_staff(people: People, court: str) -> Staff:
    """Everybody of a court that was founded before."""
    found = await people.find_persons_by_staff_no(court, numbers())
    principals = {
        number: Principal(court=court, person=person.id, client="web")
        for number, person in found.items()
        if person.status is not PersonStatus.LEFT
    }
    return Staff(principals=principals)


async def _grant_roles(
    people: People,
    admin: Principal,
    principals: Mapping[str, Principal],
    units: Sequence[contracts.Unit],
    *,
    now: datetime,
) -> None:
    judges = next(unit.id for unit in units if unit.name == _JUDGES)
    for staff_no, role in ROLES.items():
        if role is None or staff_no == "admin":
            continue
        unit = judges if role in (Role.CLERK, Role.DEPARTMENT_HEAD) else None
        request = contracts.GrantRole(person=principals[staff_no].person, role=role, unit=unit)
        await people.grant_role(admin, request, key=f"demo-role-{staff_no}", now=now)


def _persons(told: Mapping[str, Any], units: Sequence[contracts.Unit]) -> list[contracts.AddPerson]:
    """Those with a role first, by the name of the role; the others by number."""
    chance = random.Random(310)
    names = [surname + given for given in told["given"] for surname in told["surnames"]]
    chance.shuffle(names)
    judges = next(unit.id for unit in units if unit.name == _JUDGES)
    wanted = [number for number in numbers() if number != "admin"]
    return [
        contracts.AddPerson(
            staff_no=number,
            name=name,
            unit=judges if number in ROLES else units[n % len(units)].id,
            posts=("法官",) if n % 3 == 0 else ("书记员",) if n % 3 == 1 else ("法官助理",),
        )
        for n, (number, name) in enumerate(zip(wanted, names, strict=False))
    ]


def numbers() -> list[str]:
    """All staff numbers: those with a role are called after it."""
    return [*ROLES, *(f"{n:04d}" for n in range(1, PEOPLE - len(ROLES) + 1))]
