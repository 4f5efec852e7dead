"""Who may do what to people and the calendar: every mutation and query with every caller.

On a refusal nothing of the use case remains but the audit entry of a refused permission.
"""

from dataclasses import replace

import pytest

from courtside.kernel.actor import Role
from testkit.callers import (
    ANYBODY,
    CALLERS,
    a_caller,
    a_foreigner,
    audited,
    expected,
    left_behind,
    refusals,
)
from testkit.factories.people import ASKED, asked

ADMINISTRATORS = {Role.ADMINISTRATOR}
READERS = {Role.ADMINISTRATOR, Role.LOGISTICS_MANAGER, Role.FINANCE, Role.AUDITOR}
KEEPERS = {Role.ADMINISTRATOR, Role.LOGISTICS_MANAGER}
MUTATIONS = {name: KEEPERS if name == "SetCourtDay" else ADMINISTRATORS for name in ASKED}
QUERIES = {"Me": ANYBODY, "Units": ANYBODY, "Persons": READERS, "WorkCalendar": ANYBODY}
SHOWN = {"WorkCalendar": {"year": 2026, "month": 3}}
ALL = {**MUTATIONS, **QUERIES}


def given(operation: str, target) -> dict:
    """A good input or the variables of that operation."""
    return asked(operation, target) if operation in ASKED else SHOWN.get(operation, {})


class TestPermissions:
    """Z-02 for people and the calendar."""

    @pytest.mark.parametrize("operation", list(ALL))
    @pytest.mark.parametrize("who", CALLERS)
    async def test_follow_the_table(self, app, court, operation, who):
        target = await court.somebody(Role.CLERK, staff_no="T1")
        screen = await a_caller(court, who)
        before = app.engine.dump()

        codes = refusals(await screen.ask(operation, given(operation, target)))

        assert codes == expected(who, ALL[operation])
        if codes:
            assert left_behind(app, before) == audited(codes)

    @pytest.mark.parametrize(
        "operation", [name for name, input_ in ASKED.items() if "personId" in input_]
    )
    async def test_end_at_the_court_s_own_people(self, app, court, operation):
        """Z-01: a foreign person is answered exactly as one who does not exist."""
        target = await court.somebody(Role.CLERK, staff_no="T1")
        screen = await a_foreigner(app)
        before = app.engine.dump()

        foreign = refusals(await screen.ask(operation, given(operation, target)))
        nobody = replace(target, person="0" * 20)
        absent = refusals(await screen.ask(operation, given(operation, nobody)))

        assert foreign == absent == ["NOT_FOUND"]
        assert left_behind(app, before) == []
