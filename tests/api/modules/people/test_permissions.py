"""Who may do what to people and the calendar: every mutation and query with every caller.

On a refusal nothing of the use case remains but the audit entry of a refused permission.
"""

from dataclasses import replace

import pytest

from courtside.kernel.actor import Role
from testkit.factories.people import ADMINISTRATOR, ASKED, COURT, OTHER_COURT, a_court, asked
from testkit.screens import screens

ADMINISTRATORS = {Role.ADMINISTRATOR}
READERS = {Role.ADMINISTRATOR, Role.LOGISTICS_MANAGER, Role.FINANCE, Role.AUDITOR}
KEEPERS = {Role.ADMINISTRATOR, Role.LOGISTICS_MANAGER}
MUTATIONS = {name: KEEPERS if name == "SetCourtDay" else ADMINISTRATORS for name in ASKED}
QUERIES = {
    "Me": set(Role),
    "Units": set(Role),
    "Persons": READERS,
    "WorkCalendar": set(Role),
}
SHOWN = {"WorkCalendar": {"year": 2026, "month": 3}}
HELD = sorted(set(Role) - {Role.MEMBER, Role.SYSTEM})
STRANGERS = ["nobody", "stranger", "left", "expired"]


async def caller(app, court, who: str) -> str | None:
    """The staff number of a caller in that situation, None for somebody not signed in."""
    match who:
        case "nobody":
            return None
        case "left":
            await court.leaves(await court.somebody(Role.ADMINISTRATOR, staff_no="L1"))
            return "L1"
        case "expired":
            await court.stands_in(Role.ADMINISTRATOR, staff_no="E1", hours=1)
            app.clock.advance(hours=1)
            return "E1"
        case _:
            return "S1"


def refused(answer, field: str | None) -> list[str]:
    """Codes of refusals, from the payload or from the response."""
    if answer.codes or field is None:
        return answer.codes
    return [error["code"] for error in answer.data[field]["errors"]]


async def ask(screen, operation: str, target):
    """The operation as that caller sends it; codes of what was refused."""
    if operation in QUERIES:
        return refused(await screen.show(operation, **SHOWN.get(operation, {})), None)
    answer = await screen.do(operation, asked(operation, target))
    return refused(answer, operation[0].lower() + operation[1:])


def left_behind(app, before) -> list[str]:
    """Operations of new journal entries; fails if anything else was written."""
    after = app.engine.dump()
    assert {**after, "journal": before["journal"]} == before
    new = [item["pk"]["S"] for item in after["journal"] if item not in before["journal"]]
    return ["#".join(pk.split("#")[3:5]) for pk in new]


class TestPermissions:
    """Z-02 for people and the calendar."""

    @pytest.mark.parametrize("operation", [*MUTATIONS, *QUERIES])
    @pytest.mark.parametrize("role", [Role.MEMBER, *HELD])
    async def test_follow_the_table(self, app, court, operation, role):
        target = await court.somebody(Role.CLERK, staff_no="T1")
        await court.somebody(*({role} - {Role.MEMBER}), staff_no="C1")
        allowed = {**MUTATIONS, **QUERIES}[operation]
        before = app.engine.dump()

        codes = await ask(screens(app).of("C1", court=COURT), operation, target)

        if role in allowed:
            assert codes == []
        else:
            assert codes == ["NOT_PERMITTED"]
            assert left_behind(app, before) == ["R#NOT_PERMITTED"]

    @pytest.mark.parametrize("operation", [*MUTATIONS, "Persons"])
    @pytest.mark.parametrize("who", STRANGERS)
    async def test_are_nobody_s_without_a_grant_in_force(self, app, court, operation, who):
        target = await court.somebody(Role.CLERK, staff_no="T1")
        number = await caller(app, court, who)
        before = app.engine.dump()

        codes = await ask(screens(app).of(number, court=COURT), operation, target)

        expected = "NOT_SIGNED_IN" if who == "nobody" else "NOT_PERMITTED"
        assert codes == [expected]
        audited = [] if who == "nobody" else ["R#NOT_PERMITTED"]
        assert left_behind(app, before) == audited

    @pytest.mark.parametrize(
        "operation", [name for name, given in ASKED.items() if "personId" in given]
    )
    async def test_end_at_the_court_s_own_people(self, app, court, operation):
        """Z-01: a foreign person is answered exactly as one who does not exist."""
        target = await court.somebody(Role.CLERK, staff_no="T1")
        await a_court(app, code=OTHER_COURT)
        screen = screens(app).of(ADMINISTRATOR, court=OTHER_COURT)
        before = app.engine.dump()

        foreign = await ask(screen, operation, target)
        absent = await ask(screen, operation, replace(target, person="0" * 20))

        assert foreign == absent == ["NOT_FOUND"]
        assert app.engine.dump() == before
