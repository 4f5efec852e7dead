from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courtside.kernel.actor import Actor, Grant, PersonStatus, Principal, Role
from courtside.kernel.errors import InvalidInput, NotFound
from courtside.modules.people import errors, rules
from courtside.modules.people.contracts import (
    AddPerson,
    Court,
    CourtLevel,
    CreateCourt,
    GrantRole,
    MovePerson,
    Person,
    RevokeRole,
    Unit,
)
from courtside.modules.people.rules import Facts

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
UNIT = Unit(id="U1", name="民一庭", parent=None, version=1)
COURT = Court(
    code="C310",
    name="示范区人民法院",
    level=CourtLevel.BASIC,
    parent=None,
    created_on=date(2026, 3, 1),
    administrators=frozenset({"BOSS"}),
    version=1,
)
BOSS = Actor(
    principal=Principal(court="C310", person="BOSS", client="web"),
    unit=None,
    status=PersonStatus.ACTIVE,
    grants=(Grant(role=Role.ADMINISTRATOR, starts_at=NOW),),
    grants_version=1,
)
JUDGE = Person(
    court="C310",
    id="JUDGE",
    staff_no="J1",
    name="李小雨",
    unit=None,
    posts=(),
    status=PersonStatus.ACTIVE,
    grants=(),
    grants_version=1,
    joined_on=date(2026, 3, 1),
    left_on=None,
    version=1,
)


def facts(person: Person | None = JUDGE, *, court: Court = COURT, unit: Unit | None = None):
    return Facts(actor=BOSS, court=court, person=person, unit=unit)


def grant(role: Role = Role.KITCHEN, **more) -> GrantRole:
    return GrantRole(person="JUDGE", role=role, **more)


class TestAddPerson:
    @pytest.mark.parametrize("name", ["", "  ", "x" * 61, "张\n三", "\u202e三张"])
    def test_refuses_names_that_are_none(self, name):
        with pytest.raises(InvalidInput) as refused:
            rules.add_person(facts(None), AddPerson(staff_no="1", name=name), new_id="P", now=NOW)

        assert refused.value.path == ("input", "name")

    @pytest.mark.parametrize("number", ["", "-1", "1#2", "a b", "x" * 21, "\uff11\uff12", "工号"])
    def test_refuses_staff_numbers_that_could_not_stand_in_a_key(self, number):
        with pytest.raises(InvalidInput) as refused:
            rules.add_person(
                facts(None), AddPerson(staff_no=number, name="甲"), new_id="P", now=NOW
            )

        assert refused.value.path == ("input", "staffNo")

    def test_refuses_more_posts_than_one_can_hold(self):
        request = AddPerson(staff_no="1", name="甲", posts=("庭长",) * 6)

        with pytest.raises(InvalidInput):
            rules.add_person(facts(None), request, new_id="P", now=NOW)

    def test_joins_on_the_business_day(self):
        at_one = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # 01:00 on the 3rd in Shanghai

        added = rules.add_person(
            facts(None), AddPerson(staff_no=" 7 ", name=" 甲 "), new_id="P", now=at_one
        )

        assert (added.person.staff_no, added.person.name) == ("7", "甲")
        assert added.person.joined_on == date(2026, 3, 2)


class TestCreateCourt:
    @pytest.mark.parametrize("code", ["", "_", "c310", "C", "C#1", "C" * 13])
    def test_refuses_codes_that_could_not_begin_a_key(self, code):
        request = CreateCourt(
            name="院",
            level=CourtLevel.BASIC,
            administrator_name="甲",
            administrator_staff_no="1",
        )

        with pytest.raises(InvalidInput):
            rules.create_court(request, code=code, parent=None, administrator="P", now=NOW)

    @pytest.mark.parametrize(
        ("above", "below", "fits"),
        [
            (CourtLevel.SUPREME, CourtLevel.HIGH, True),
            (CourtLevel.HIGH, CourtLevel.BASIC, True),
            (CourtLevel.BASIC, CourtLevel.BASIC, False),
            (CourtLevel.BASIC, CourtLevel.HIGH, False),
        ],
    )
    def test_stands_below_a_higher_court_only(self, above, below, fits):
        request = CreateCourt(
            name="院",
            level=below,
            parent="C310",
            administrator_name="甲",
            administrator_staff_no="1",
        )
        parent = replace(COURT, level=above)

        if fits:
            founded = rules.create_court(
                request, code="C311", parent=parent, administrator="P", now=NOW
            )
            assert founded.court.parent == "C310"
        else:
            with pytest.raises(InvalidInput):
                rules.create_court(request, code="C311", parent=parent, administrator="P", now=NOW)


class TestMovePerson:
    def test_refuses_a_unit_that_is_not_there(self):
        request = MovePerson(person="JUDGE", unit="U9", posts=(), expected_version=1)

        with pytest.raises(NotFound) as refused:
            rules.move_person(facts(), request)

        assert refused.value.path == ("input", "unitId")

    def test_keeps_roles_and_their_version(self):
        clerk = replace(JUDGE, grants=(Grant(role=Role.CLERK, unit="U1", starts_at=NOW),))
        request = MovePerson(person="JUDGE", unit="U1", posts=(), expected_version=1)

        moved = rules.move_person(facts(clerk, unit=UNIT), request).person

        assert (moved.grants, moved.grants_version) == (clerk.grants, clerk.grants_version)


class TestGrantRole:
    @pytest.mark.parametrize(
        ("request_", "field"),
        [
            (grant(ends_at=NOW), "endsAt"),
            (grant(starts_at=NOW, ends_at=NOW), "endsAt"),
            (grant(starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1)), "endsAt"),
            (grant(Role.ADMINISTRATOR, unit="U1"), "unitId"),
            (grant(Role.ADMINISTRATOR, starts_at=NOW + timedelta(days=1)), "startsAt"),
        ],
    )
    def test_refuses_what_could_not_be_in_force(self, request_, field):
        with pytest.raises(InvalidInput) as refused:
            rules.grant_role(facts(unit=UNIT), request_, now=NOW)

        assert refused.value.path == ("input", field)

    def test_keeps_an_actor_s_item_small(self):
        units = [f"U{n}" for n in range(rules.MAX_GRANTS)]
        full = replace(
            JUDGE, grants=tuple(Grant(role=Role.CLERK, unit=u, starts_at=NOW) for u in units)
        )

        with pytest.raises(InvalidInput):
            rules.grant_role(facts(full), grant(), now=NOW)
        changed = rules.grant_role(
            facts(full, unit=Unit(id="U0", name="一", parent=None, version=1)),
            grant(Role.CLERK, unit="U0", ends_at=NOW + timedelta(days=1)),
            now=NOW,
        )
        assert len(changed.person.grants) == rules.MAX_GRANTS

    def test_forgets_grants_that_have_run_out(self):
        old = Grant(role=Role.SERVING, starts_at=NOW - timedelta(days=2), ends_at=NOW)

        changed = rules.grant_role(facts(replace(JUDGE, grants=(old,))), grant(), now=NOW)

        assert [g.role for g in changed.person.grants] == [Role.KITCHEN]


class TestAdministrators:
    """The court's list equals those whose grant has no end, whatever is granted and revoked."""

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["A", "B", "C"]),
                st.sampled_from(["lasting", "stand-in", "revoke", "leave"]),
            ),
            max_size=25,
        )
    )
    def test_are_never_none(self, steps):
        people = {one: replace(JUDGE, id=one) for one in "ABC"}
        people["A"] = replace(people["A"], grants=(Grant(role=Role.ADMINISTRATOR, starts_at=NOW),))
        court = replace(COURT, administrators=frozenset("A"))
        for one, what in steps:
            try:
                changed = _step(facts(people[one], court=court), one, what)
            except (errors.LastAdministrator, errors.RoleNotHeld, errors.PersonHasLeft):
                continue
            people[one], court = changed.person, changed.court or court

        lasting = {one for one, p in people.items() if any(g.ends_at is None for g in p.grants)}
        assert court.administrators == lasting
        assert lasting


def _step(known: Facts, one: str, what: str):
    match what:
        case "lasting":
            request = GrantRole(person=one, role=Role.ADMINISTRATOR)
            return rules.grant_role(known, request, now=NOW)
        case "stand-in":
            ends = NOW + timedelta(days=1)
            request = GrantRole(person=one, role=Role.ADMINISTRATOR, ends_at=ends)
            return rules.grant_role(known, request, now=NOW)
        case "revoke":
            request = RevokeRole(person=one, role=Role.ADMINISTRATOR)
            return rules.revoke_role(known, request, now=NOW)
        case _:
            return rules.record_leaving(known, now=NOW)
