import asyncio
import json
from datetime import timedelta

import pytest

from courtside.kernel.actor import PersonStatus, Principal, Role, system
from courtside.kernel.errors import (
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    NotPermitted,
    VersionConflict,
)
from courtside.kernel.paging import PageRequest
from courtside.modules.people import errors, rules
from courtside.modules.people.contracts import (
    AddPerson,
    AddUnit,
    CourtLevel,
    CreateCourt,
    GrantRole,
    MovePerson,
    RecordLeaving,
    RevokeRole,
)
from courtside.platform.dynamo.meter import metered
from testkit.factories.people import ADMINISTRATOR, COURT, OTHER_COURT, a_court

KEY = "key-00000001"


def grant(who: Principal, role: Role = Role.KITCHEN, **more) -> GrantRole:
    return GrantRole(person=who.person, role=role, **more)


def facts_of(app, name: str) -> list[dict]:
    bodies = [json.loads(item["e"]["S"]) for item in app.engine.items("journal")]
    return [x["s"] for body in bodies for x in body.get("x", ()) if x["n"] == name]


class TestCreateCourt:
    async def test_makes_the_court_its_listing_and_its_first_administrator(self, app, court):
        me = await court.people.get_me(court.administrator, now=court.now)

        assert me.court.code == COURT
        assert me.court.administrators == {court.administrator.person}
        assert me.roles == {Role.MEMBER, Role.ADMINISTRATOR}
        assert [c.code for c in await court.people.list_courts()] == [COURT]

    async def test_stands_below_a_higher_court_only(self, app, court):
        request = CreateCourt(
            name="下级",
            level=CourtLevel.HIGH,
            parent=COURT,
            administrator_name="甲",
            administrator_staff_no="1",
        )
        before = app.engine.dump()

        with pytest.raises(InvalidInput):
            await court.people.create_court(
                system(OTHER_COURT, "people"), request, key=KEY, now=court.now
            )

        assert app.engine.dump() == before

    async def test_happens_once(self, app, court):
        request = CreateCourt(
            name="另一个",
            level=CourtLevel.BASIC,
            administrator_name="甲",
            administrator_staff_no="1",
        )
        before = app.engine.dump()

        with pytest.raises(errors.CourtExists):
            await court.people.create_court(
                system(COURT, "people"), request, key=KEY, now=court.now
            )

        assert app.engine.dump() == before

    async def test_stands_below_a_court_that_is_listed(self, app, court):
        request = CreateCourt(
            name="下级",
            level=CourtLevel.BASIC,
            parent="C999",
            administrator_name="甲",
            administrator_staff_no="1",
        )

        with pytest.raises(NotFound):
            await court.people.create_court(
                system(OTHER_COURT, "people"), request, key=KEY, now=court.now
            )

        assert [c.code for c in await court.people.list_courts()] == [COURT]

    async def test_is_replayed_under_its_key(self, app, court):
        before = app.engine.dump()

        again = await a_court(app)

        assert app.engine.dump() == before
        assert again.administrator == court.administrator

    async def test_is_no_person_s_to_do(self, court):
        request = CreateCourt(
            name="又一个",
            level=CourtLevel.BASIC,
            administrator_name="甲",
            administrator_staff_no="1",
        )

        with pytest.raises(NotPermitted):
            await court.people.create_court(court.administrator, request, key=KEY, now=court.now)


class TestGetActor:
    async def test_finds_a_stranger_without_anything(self, court):
        actor = await court.people.get_actor(court.principal("nobody"))

        assert actor.status is PersonStatus.LEFT
        assert actor.roles(court.now) == frozenset()

    async def test_reads_nothing_for_the_system(self, court):
        with metered() as meter:
            actor = await court.people.get_actor(system(COURT, "meals"))

        assert actor.roles(court.now) == {Role.SYSTEM}
        assert meter.calls == 0

    async def test_is_one_consistent_get(self, court):
        with metered() as meter:
            await court.people.get_actor(court.administrator)

        assert (meter.reads, meter.rounds, meter.read_units) == (1, 1, 1.0)

    async def test_never_finds_a_person_of_another_court(self, app, court):
        other = await a_court(app, code=OTHER_COURT)
        foreign = Principal(court=OTHER_COURT, person=court.administrator.person, client="web")

        actor = await other.people.get_actor(foreign)

        assert actor.status is PersonStatus.LEFT


class TestAddPerson:
    async def test_lets_somebody_in_as_a_member(self, court):
        unit = await court.a_unit("民事审判第一庭")
        judge = await court.somebody(unit=unit.id)

        actor = await court.people.get_actor(judge)

        assert actor.unit == unit.id
        assert actor.roles(court.now) == {Role.MEMBER}

    async def test_keeps_staff_numbers_apart_under_contention(self, app, court):
        """Two desks register two people under one number: exactly one wins."""
        requests = [
            AddPerson(staff_no="B7", name=name, subject=subject)
            for name, subject in (("甲", "login-a"), ("乙", "login-b"))
        ]

        results = await asyncio.gather(
            *(
                court.people.add_person(
                    court.administrator, request, key=f"{KEY}{n}", now=court.now
                )
                for n, request in enumerate(requests)
            ),
            return_exceptions=True,
        )

        assert [type(r) for r in results if isinstance(r, Exception)] == [errors.StaffNumberTaken]
        page = await court.people.list_persons(court.administrator, PageRequest(), now=court.now)
        assert [p.staff_no for p in page.items] == [ADMINISTRATOR, "B7"]

    async def test_refuses_a_sign_in_that_is_taken(self, app, court):
        await court.somebody(staff_no="B8")
        before = app.engine.dump()

        with pytest.raises(errors.PersonExists):
            await court.people.add_person(
                court.administrator,
                AddPerson(staff_no="B9", name="乙", subject="B8"),
                key=KEY,
                now=court.now,
            )

        assert app.engine.dump() == before

    async def test_refuses_an_unknown_unit(self, app, court):
        before = app.engine.dump()

        with pytest.raises(NotFound):
            await court.people.add_person(
                court.administrator,
                AddPerson(staff_no="B9", name="乙", unit="NOWHERE"),
                key=KEY,
                now=court.now,
            )

        assert app.engine.dump() == before

    async def test_tells_nobody_names_or_staff_numbers(self, app, court):
        """Neither the journal nor a fact carries who it is, only the random id."""
        await court.somebody(name="欧阳婉儿", staff_no="SECRET77")

        told = json.dumps(app.engine.items("journal"), ensure_ascii=False)

        assert "欧阳婉儿" not in told
        assert "SECRET77" not in told

    async def test_costs_one_read_round_and_one_small_transaction(self, court):
        request = AddPerson(staff_no="B1", name="甲")

        with metered() as meter:
            await court.people.add_person(court.administrator, request, key=KEY, now=court.now)

        assert (meter.reads, meter.writes, meter.rounds) == (1, 1, 2)
        assert meter.items_written == 4  # journal, staff number, person, check of the actor


class TestReplay:
    async def test_answers_a_lost_answer_with_the_first_result(self, app, court):
        """D-03: the same key again is one effect, told as replayed."""
        request = AddPerson(staff_no="B1", name="甲")
        first = await court.people.add_person(court.administrator, request, key=KEY, now=court.now)
        before = app.engine.dump()

        again = await court.people.add_person(
            court.administrator, request, key=KEY, now=court.now + timedelta(days=2)
        )

        assert again.value == first.value
        assert (first.replayed, again.replayed) == (False, True)
        assert app.engine.dump() == before

    async def test_is_one_effect_for_fifty_at_once(self, app, court):
        """D-05."""
        request = AddUnit(name="执行局")

        done = await asyncio.gather(
            *(
                court.people.add_unit(court.administrator, request, key=KEY, now=court.now)
                for _ in range(50)
            )
        )

        assert len({d.value.id for d in done}) == 1
        assert [d.replayed for d in done].count(False) == 1
        assert len(await court.people.list_units(court.administrator, now=court.now)) == 1

    async def test_is_one_change_of_a_person_for_many_at_once(self, court):
        """D-05 where the person's own version meets the duplicates as well."""
        cook = await court.somebody()

        done = await asyncio.gather(
            *(
                court.people.grant_role(court.administrator, grant(cook), key=KEY, now=court.now)
                for _ in range(10)
            )
        )

        assert [d.replayed for d in done].count(False) == 1
        assert {d.value.version for d in done} == {2}

    async def test_shows_oneself_after_one_s_own_last_change(self, court):
        second = await court.somebody(Role.ADMINISTRATOR)
        request = RevokeRole(person=second.person, role=Role.ADMINISTRATOR)
        await court.people.revoke_role(second, request, key=KEY, now=court.now)

        again = await court.people.revoke_role(second, request, key=KEY, now=court.now)

        assert again.replayed
        assert again.value.grants == ()

    async def test_refuses_another_request_under_the_key(self, app, court):
        """D-04."""
        await court.people.add_unit(
            court.administrator, AddUnit(name="执行局"), key=KEY, now=court.now
        )
        before = app.engine.dump()

        with pytest.raises(IdempotencyMismatch):
            await court.people.add_unit(
                court.administrator, AddUnit(name="立案庭"), key=KEY, now=court.now
            )

        assert app.engine.dump() == before

    async def test_shows_nothing_to_somebody_who_may_not_read_it_any_more(self, court):
        """A replay passes no rule of the use case, but its object follows the usual permission."""
        second = await court.somebody(Role.ADMINISTRATOR)
        request = AddPerson(staff_no="B1", name="甲")
        await court.people.add_person(second, request, key=KEY, now=court.now)
        await court.revokes(second, Role.ADMINISTRATOR)

        with pytest.raises(NotPermitted) as refused:
            await court.people.add_person(second, request, key=KEY, now=court.now)

        assert refused.value.operation == "people.list_persons"


class TestMovePerson:
    async def test_moves_once_for_one_version(self, app, court):
        judge = await court.somebody()
        unit = await court.a_unit()
        request = MovePerson(person=judge.person, unit=unit.id, posts=("庭长",), expected_version=1)

        moved = await court.people.move_person(court.administrator, request, key=KEY, now=court.now)

        assert (moved.value.unit, moved.value.posts, moved.value.version) == (
            unit.id,
            ("庭长",),
            2,
        )
        with pytest.raises(VersionConflict) as refused:
            await court.people.move_person(
                court.administrator, request, key=f"{KEY}x", now=court.now
            )
        assert refused.value.current == 2

    async def test_finds_nobody_of_another_court(self, app, court):
        """Z-01: a foreign id is answered as one that does not exist."""
        other = await a_court(app, code=OTHER_COURT)
        judge = await court.somebody()
        before = app.engine.dump()

        with pytest.raises(NotFound):
            await other.people.move_person(
                other.administrator,
                MovePerson(person=judge.person, unit=None, posts=(), expected_version=1),
                key=KEY,
                now=court.now,
            )

        assert app.engine.dump() == before


class TestGrantRole:
    async def test_works_from_its_beginning_until_before_its_end(self, court):
        cook = await court.somebody()
        starts, ends = court.now + timedelta(hours=1), court.now + timedelta(hours=2)

        await court.people.grant_role(
            court.administrator,
            grant(cook, starts_at=starts, ends_at=ends),
            key=KEY,
            now=court.now,
        )

        actor = await court.people.get_actor(cook)
        moments = (court.now, starts, ends - timedelta(microseconds=1), ends)
        assert [Role.KITCHEN in actor.roles(at) for at in moments] == [False, True, True, False]

    async def test_takes_the_place_of_the_earlier_grant(self, court):
        cook = await court.somebody(Role.KITCHEN)

        done = await court.people.grant_role(
            court.administrator,
            grant(cook, ends_at=court.now + timedelta(days=1)),
            key=KEY,
            now=court.now,
        )

        assert [g.ends_at for g in done.value.grants] == [court.now + timedelta(days=1)]

    async def test_is_never_for_oneself(self, app, court):
        before = app.engine.dump()

        with pytest.raises(errors.OwnRoles):
            await court.people.grant_role(
                court.administrator,
                grant(court.administrator, Role.FINANCE),
                key=KEY,
                now=court.now,
            )

        assert app.engine.dump() == before

    @pytest.mark.parametrize("role", [Role.MEMBER, Role.SYSTEM])
    async def test_refuses_roles_that_nobody_is_given(self, app, court, role):
        judge = await court.somebody()
        before = app.engine.dump()

        with pytest.raises(errors.RoleNotGrantable):
            await court.people.grant_role(
                court.administrator, grant(judge, role), key=KEY, now=court.now
            )

        assert app.engine.dump() == before


class TestRevocation:
    """Z-07: nothing is written on grants that ended between the reading and the writing."""

    async def test_stops_a_write_that_is_under_way(self, app, court, monkeypatch):
        second = await court.somebody(Role.ADMINISTRATOR)
        judge = await court.somebody()
        _revoke_before_writing(monkeypatch, court, second)

        with pytest.raises(NotPermitted):
            await court.people.grant_role(second, grant(judge), key=KEY, now=court.now)

        actor = await court.people.get_actor(judge)
        assert actor.grants == ()

    async def test_the_check_of_the_grants_is_what_stops_it(self, app, court, monkeypatch):
        """The broken twin: without the check the write of the revoked administrator happens."""
        monkeypatch.setattr("courtside.modules.people.store.still_granted", lambda _: [])
        second = await court.somebody(Role.ADMINISTRATOR)
        judge = await court.somebody()
        _revoke_before_writing(monkeypatch, court, second)

        await court.people.grant_role(second, grant(judge), key=KEY, now=court.now)

        actor = await court.people.get_actor(judge)
        assert actor.grants != ()


class TestLastAdministrator:
    async def test_cannot_leave_or_be_revoked(self, app, court):
        before = app.engine.dump()
        me = court.administrator.person

        with pytest.raises(errors.LastAdministrator):
            await court.people.record_leaving(
                court.administrator, RecordLeaving(person=me), key=KEY, now=court.now
            )
        with pytest.raises(errors.LastAdministrator):
            await court.people.revoke_role(
                court.administrator,
                RevokeRole(person=me, role=Role.ADMINISTRATOR),
                key=KEY,
                now=court.now,
            )

        assert app.engine.dump() == before

    async def test_cannot_be_left_to_a_stand_in(self, court):
        """A grant with an end does not count: it would leave the court without anybody."""
        stand_in = await court.somebody()
        await court.people.grant_role(
            court.administrator,
            grant(stand_in, Role.ADMINISTRATOR, ends_at=court.now + timedelta(days=7)),
            key=KEY,
            now=court.now,
        )

        with pytest.raises(errors.LastAdministrator):
            await court.people.revoke_role(
                stand_in,
                RevokeRole(person=court.administrator.person, role=Role.ADMINISTRATOR),
                key=KEY,
                now=court.now,
            )

    async def test_two_who_leave_at_once_leave_one(self, court):
        second = await court.somebody(Role.ADMINISTRATOR)
        both = (court.administrator, second)

        results = await asyncio.gather(
            *(
                court.people.record_leaving(
                    who, RecordLeaving(person=who.person), key=KEY, now=court.now
                )
                for who in both
            ),
            return_exceptions=True,
        )

        refused = [r for r in results if isinstance(r, Exception)]
        assert [type(r) for r in refused] == [errors.LastAdministrator]


class TestRecordLeaving:
    async def test_ends_every_role_and_tells_it(self, app, court):
        unit = await court.a_unit()
        cook = await court.somebody(Role.KITCHEN, unit=unit.id)

        done = await court.people.record_leaving(
            court.administrator, RecordLeaving(person=cook.person), key=KEY, now=court.now
        )

        assert (done.value.status, done.value.grants) == (PersonStatus.LEFT, ())
        actor = await court.people.get_actor(cook)
        assert actor.roles(court.now) == frozenset()
        assert facts_of(app, "people.person_left.v1") == [
            {
                "person": cook.person,
                "unit": unit.id,
                "status": "LEFT",
                "left_on": "2026-03-02",
            }
        ]

    async def test_happens_once(self, app, court):
        cook = await court.somebody()
        await court.leaves(cook)
        before = app.engine.dump()

        with pytest.raises(errors.PersonHasLeft):
            await court.leaves(cook)

        assert app.engine.dump() == before


class TestListPersons:
    async def test_pages_by_staff_number_in_two_rounds(self, court):
        for _ in range(5):
            await court.somebody()

        with metered() as meter:
            page = await court.people.list_persons(
                court.administrator, PageRequest(first=4), now=court.now
            )
        rest = await court.people.list_persons(
            court.administrator, PageRequest(first=4, after=page.cursors[-1]), now=court.now
        )

        numbers = [p.staff_no for p in (*page.items, *rest.items)]
        assert numbers == sorted(numbers)
        assert (len(page.items), len(rest.items), page.more, rest.more) == (4, 2, True, False)
        assert meter.rounds == 2

    async def test_is_not_for_everybody(self, court):
        judge = await court.somebody()

        with pytest.raises(NotPermitted):
            await court.people.list_persons(judge, PageRequest(), now=court.now)


class TestFindPersonsByStaffNo:
    async def test_leaves_out_numbers_of_nobody(self, court):
        judge = await court.somebody(staff_no="J1")

        found = await court.people.find_persons_by_staff_no(court.code, ["J1", "J2", "J1"])

        assert {number: person.id for number, person in found.items()} == {"J1": judge.person}


class TestFindUnit:
    async def test_finds_a_unit_of_that_court_alone(self, court):
        unit = await court.a_unit()

        assert await court.people.find_unit(court.code, unit.id) == unit
        assert await court.people.find_unit(court.code, "NOWHERE") is None
        assert await court.people.find_unit(OTHER_COURT, unit.id) is None


def _revoke_before_writing(monkeypatch, court, who: Principal) -> None:
    """The revocation lands after the decision was made and before it is written."""
    decide = rules.grant_role

    def decide_while_revoked(facts, **given):
        decision = decide(facts, **given)
        monkeypatch.setattr(rules, "grant_role", decide)
        pending.append(asyncio.ensure_future(court.revokes(who, Role.ADMINISTRATOR)))
        return decision

    pending: list[asyncio.Future] = []
    save = court.people._store.save_person

    async def save_after_revocation(actor, person, changed, entry):
        if pending:
            await pending.pop()
        return await save(actor, person, changed, entry)

    monkeypatch.setattr(rules, "grant_role", decide_while_revoked)
    monkeypatch.setattr(court.people._store, "save_person", save_after_revocation)
