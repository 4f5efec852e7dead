from dataclasses import replace
from datetime import timedelta

from courtside.kernel.actor import Role
from courtside.kernel.journal import Event
from courtside.modules.people import events
from courtside.modules.people.contracts import GrantRole, MovePerson
from testkit.facts import facts, schema_errors

NAMES = {
    kind.name
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and hasattr(kind, "name")
}


async def everything_happens(court) -> None:
    """One of each fact of the module."""
    unit = await court.a_unit()
    cook = await court.somebody(Role.KITCHEN, unit=unit.id)
    await court.people.move_person(
        court.administrator,
        MovePerson(person=cook.person, unit=None, posts=(), expected_version=2),
        key="events-move",
        now=court.now,
    )
    await court.people.grant_role(
        court.administrator,
        GrantRole(
            person=cook.person,
            role=Role.CLERK,
            unit=unit.id,
            ends_at=court.now + timedelta(days=1),
        ),
        key="events-grant",
        now=court.now,
    )
    await court.revokes(cook, Role.KITCHEN)
    await court.leaves(cook)


class TestFacts:
    async def test_are_what_their_schemas_say(self, app, court):
        await everything_happens(court)

        told = facts(app.engine)

        assert {fact.name for fact in told} == NAMES
        assert [schema_errors(fact) for fact in told if schema_errors(fact)] == []

    async def test_with_a_name_in_them_are_caught(self, app, court):
        """The broken twin: no schema lets anything personal through."""
        (told,) = facts(app.engine, "people.court_created.v1")
        leaking = replace(told, state={**told.state, "administrator_name": "王管理"})

        assert schema_errors(leaking) != []

    async def test_number_each_person_s_versions_without_a_gap(self, app, court):
        await everything_happens(court)

        versions: dict[str, list[int]] = {}
        for fact in facts(app.engine):
            versions.setdefault(fact.aggregate, []).append(fact.version)

        assert all(found == list(range(1, len(found) + 1)) for found in versions.values())

    async def test_stay_within_a_kilobyte_of_journal(self, app, court):
        await everything_happens(court)

        sizes = [_size(item) for item in app.engine.items("journal")]

        assert max(sizes) <= 1024


def _size(item) -> int:
    return sum(
        len(name.encode()) + len(str(next(iter(value.values()))).encode())
        for name, value in item.items()
    )
