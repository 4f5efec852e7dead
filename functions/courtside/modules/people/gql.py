"""People at the API: who am I, the court's units and persons, and the office's changes to them."""

from asyncio import ensure_future
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import strawberry

from courtside.kernel.actor import Grant, PersonStatus, Role
from courtside.kernel.errors import NotFound, Refusal, VersionConflict
from courtside.kernel.ids import decode, encode
from courtside.modules.people import contracts, errors
from courtside.modules.people.contracts import CourtLevel
from courtside.modules.people.service import People
from courtside.platform.gql.commands import carry_out
from courtside.platform.gql.connections import Connection, connection, page_request
from courtside.platform.gql.payloads import Info, Payload, mutation, query

strawberry.enum(Role, description="角色 / What a person may do; all of the court are MEMBER.")
strawberry.enum(PersonStatus, description="在职、请假、离院 / Whether still of the court.")
strawberry.enum(CourtLevel, description="法院级别 / The four levels of courts, highest first.")

ERROR_TYPES: Mapping[type[Refusal], type[Any]] = {}


@strawberry.type(description="法院 / A court.")
class Court:
    id: strawberry.ID
    code: str
    name: str
    level: CourtLevel

    @staticmethod
    def of(court: contracts.Court) -> "Court":
        return Court(
            id=strawberry.ID(encode("Court", court.code)),
            code=court.code,
            name=court.name,
            level=court.level,
        )


@strawberry.type(description="部门、审判团队或人民法庭 / A department, chamber or tribunal.")
class Unit:
    id: strawberry.ID
    name: str
    parent_id: strawberry.ID | None = strawberry.field(
        description="上级部门;直属法院时为空 / The unit above, null directly below the court."
    )

    @staticmethod
    def of(unit: contracts.Unit) -> "Unit":
        return Unit(
            id=strawberry.ID(encode("Unit", unit.id)),
            name=unit.name,
            parent_id=_unit_id(unit.parent),
        )


@strawberry.type(description="授权 / A role for a time, in one unit or (unitId null) in the court.")
class RoleGrant:
    role: Role
    unit_id: strawberry.ID | None
    starts_at: datetime
    ends_at: datetime | None = strawberry.field(
        description="到此时刻为止(不含);空为长期 / Until before this instant; null has no end."
    )

    @staticmethod
    def of(grant: Grant) -> "RoleGrant":
        return RoleGrant(
            role=grant.role,
            unit_id=_unit_id(grant.unit),
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
        )


@strawberry.type(description="本院人员 / Somebody of the court.")
class Person:
    id: strawberry.ID
    staff_no: str
    name: str
    posts: list[str]
    status: PersonStatus
    grants: list[RoleGrant] = strawberry.field(
        description="已授予的角色,含尚未生效的 / Roles granted, those that begin later included."
    )
    joined_on: date
    left_on: date | None
    version: int = strawberry.field(
        description="修改时作为 expectedVersion 送回 / Send back as expectedVersion to change it."
    )
    unit_key: strawberry.Private[str | None]

    @strawberry.field(description="所在部门 / The unit.")  # type: ignore[untyped-decorator]
    async def unit(self, info: Info) -> Unit | None:
        if self.unit_key is None:
            return None
        found = (await _units_of(info)).get(self.unit_key)
        return None if found is None else Unit.of(found)

    @staticmethod
    def of(person: contracts.Person) -> "Person":
        return Person(
            id=strawberry.ID(encode("Person", person.id)),
            staff_no=person.staff_no,
            name=person.name,
            posts=list(person.posts),
            status=person.status,
            grants=[RoleGrant.of(grant) for grant in person.grants],
            joined_on=person.joined_on,
            left_on=person.left_on,
            version=person.version,
            unit_key=person.unit,
        )


@strawberry.type(description="登录者本人 / The person who asks.")
class Me:
    person: Person
    court: Court
    roles: list[Role] = strawberry.field(description="此刻有效的角色 / Roles in force now.")
    server_now: datetime = strawberry.field(
        description="服务器时间,倒计时以此为准 / Count down from this clock, not the phone's."
    )


@strawberry.type
class Query:
    @query("people.get_me", description="我是谁 / Who am I, and what may I do.")
    async def me(self, info: Info) -> Me:
        context = info.context
        me = await context.get(People).get_me(context.principal, now=context.now)
        return Me(
            person=Person.of(me.person),
            court=Court.of(me.court),
            roles=sorted(me.roles),
            server_now=context.now,
        )

    @query("people.list_units", description="本院全部部门 / All units of the court, a flat tree.")
    async def units(self, info: Info) -> list[Unit]:
        return [Unit.of(unit) for unit in (await _units_of(info)).values()]

    @query("people.list_persons", description="人员,按工号排序 / Persons by staff number.")
    async def persons(
        self, info: Info, first: int = 20, after: str | None = None
    ) -> Connection[Person]:
        context = info.context
        page = await context.get(People).list_persons(
            context.principal, page_request(first, after), now=context.now
        )
        return connection(page, Person.of)


@strawberry.input
class AddUnitInput:
    idempotency_key: str
    name: str
    parent_id: strawberry.ID | None = None

    def request(self) -> contracts.AddUnit:
        return contracts.AddUnit(name=self.name, parent=_unit(self.parent_id, field="parentId"))


@strawberry.input
class AddPersonInput:
    idempotency_key: str
    staff_no: str
    name: str
    unit_id: strawberry.ID | None = None
    posts: list[str] = strawberry.field(default_factory=list)
    subject: str | None = strawberry.field(
        default=None, description="登录账号,默认同工号 / The name at sign-in; the staff number."
    )

    def request(self) -> contracts.AddPerson:
        return contracts.AddPerson(
            staff_no=self.staff_no,
            name=self.name,
            unit=_unit(self.unit_id),
            posts=tuple(self.posts),
            subject=self.subject,
        )


@strawberry.input
class MovePersonInput:
    idempotency_key: str
    person_id: strawberry.ID
    unit_id: strawberry.ID | None
    posts: list[str]
    expected_version: int

    def request(self) -> contracts.MovePerson:
        return contracts.MovePerson(
            person=_person(self.person_id),
            unit=_unit(self.unit_id),
            posts=tuple(self.posts),
            expected_version=self.expected_version,
        )


@strawberry.input
class GrantRoleInput:
    idempotency_key: str
    person_id: strawberry.ID
    role: Role
    unit_id: strawberry.ID | None = strawberry.field(
        default=None, description="限于某部门;空为全院 / Limits it to a unit; null: anywhere."
    )
    starts_at: datetime | None = strawberry.field(
        default=None, description="空为即时生效 / Null: from now on."
    )
    ends_at: datetime | None = strawberry.field(
        default=None, description="空为长期 / Null: until it is revoked."
    )

    def request(self) -> contracts.GrantRole:
        return contracts.GrantRole(
            person=_person(self.person_id),
            role=self.role,
            unit=_unit(self.unit_id),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@strawberry.input
class RevokeRoleInput:
    idempotency_key: str
    person_id: strawberry.ID
    role: Role
    unit_id: strawberry.ID | None = None

    def request(self) -> contracts.RevokeRole:
        return contracts.RevokeRole(
            person=_person(self.person_id), role=self.role, unit=_unit(self.unit_id)
        )


@strawberry.input
class RecordLeavingInput:
    idempotency_key: str
    person_id: strawberry.ID

    def request(self) -> contracts.RecordLeaving:
        return contracts.RecordLeaving(person=_person(self.person_id))


@strawberry.type
class AddUnitPayload(Payload):
    unit: Unit | None = None


@strawberry.type
class AddPersonPayload(Payload):
    person: Person | None = None


@strawberry.type
class MovePersonPayload(Payload):
    person: Person | None = None


@strawberry.type
class GrantRolePayload(Payload):
    person: Person | None = None


@strawberry.type
class RevokeRolePayload(Payload):
    person: Person | None = None


@strawberry.type
class RecordLeavingPayload(Payload):
    person: Person | None = None


@strawberry.type
class Mutation:
    @mutation("people.add_unit", refuses=(NotFound,), description="新增部门 / Add a unit.")
    async def add_unit(self, info: Info, input: AddUnitInput) -> AddUnitPayload:
        use_case = info.context.get(People).add_unit
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return AddUnitPayload(unit=Unit.of(done.value), replayed=done.replayed)

    @mutation(
        "people.add_person",
        refuses=(errors.StaffNumberTaken, errors.PersonExists, NotFound),
        description="登记人员 / Register somebody, who may sign in from then on.",
    )
    async def add_person(self, info: Info, input: AddPersonInput) -> AddPersonPayload:
        use_case = info.context.get(People).add_person
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return AddPersonPayload(person=Person.of(done.value), replayed=done.replayed)

    @mutation(
        "people.move_person",
        refuses=(VersionConflict, errors.PersonHasLeft, NotFound),
        description="调整部门和职务 / Put somebody into another unit, with other posts.",
    )
    async def move_person(self, info: Info, input: MovePersonInput) -> MovePersonPayload:
        use_case = info.context.get(People).move_person
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return MovePersonPayload(person=Person.of(done.value), replayed=done.replayed)

    @mutation(
        "people.grant_role",
        refuses=(
            errors.OwnRoles,
            errors.RoleNotGrantable,
            errors.LastAdministrator,
            errors.PersonHasLeft,
            NotFound,
        ),
        description="授予角色,不能授予自己 / Give somebody else a role.",
    )
    async def grant_role(self, info: Info, input: GrantRoleInput) -> GrantRolePayload:
        use_case = info.context.get(People).grant_role
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return GrantRolePayload(person=Person.of(done.value), replayed=done.replayed)

    @mutation(
        "people.revoke_role",
        refuses=(
            errors.RoleNotHeld,
            errors.LastAdministrator,
            errors.PersonHasLeft,
            NotFound,
        ),
        description="撤销角色,即时生效 / End somebody's role at once.",
    )
    async def revoke_role(self, info: Info, input: RevokeRoleInput) -> RevokeRolePayload:
        use_case = info.context.get(People).revoke_role
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return RevokeRolePayload(person=Person.of(done.value), replayed=done.replayed)

    @mutation(
        "people.record_leaving",
        refuses=(errors.LastAdministrator, errors.PersonHasLeft, NotFound),
        description="登记离院,角色即时终止,未用餐的订餐退款 / Somebody leaves the court today.",
    )
    async def record_leaving(self, info: Info, input: RecordLeavingInput) -> RecordLeavingPayload:
        use_case = info.context.get(People).record_leaving
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return RecordLeavingPayload(person=Person.of(done.value), replayed=done.replayed)


async def _units_of(info: Info) -> Mapping[str, contracts.Unit]:
    """The court's units, read once a request however many persons show theirs."""
    context = info.context
    reading = context.loaders.get("people.units")
    if reading is None:
        units = context.get(People).list_units(context.principal, now=context.now)
        reading = context.loaders["people.units"] = ensure_future(units)
    return {unit.id: unit for unit in await reading}


def _person(opaque: str) -> str:
    (person,) = decode("Person", opaque, path=("input", "personId"))
    return person


def _unit(opaque: str | None, *, field: str = "unitId") -> str | None:
    return None if opaque is None else decode("Unit", opaque, path=("input", field))[0]


def _unit_id(unit: str | None) -> strawberry.ID | None:
    return None if unit is None else strawberry.ID(encode("Unit", unit))
