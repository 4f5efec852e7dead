"""D-03 for every mutation on people and the calendar, through the whole API."""

from dataclasses import replace
from itertools import count

import pytest
from infra.memory.engine import NO_FAULTS, Faults

from courtside.kernel.actor import Role
from courtside.platform.dynamo.transaction import Transaction
from courtside.platform.dynamo.values import Key
from testkit.app import build_app
from testkit.factories.people import ADMINISTRATOR, ASKED, COURT, OTHER_COURT, asked
from testkit.screens import screens
from testkit.tokens import issuers


@pytest.fixture(params=range(4))
def app(tmp_path, request):
    """Four seeds of what is lost when."""
    issued = issuers(COURT, OTHER_COURT)
    with build_app(tmp_path, issuers=issued, seed=request.param) as built:
        yield built


async def done_under_faults(app, court, operation: str):
    """The payload of the operation while every second answer is lost, and entries it left."""
    target = await court.somebody(Role.CLERK, staff_no="T1")
    entries = len(app.engine.items("journal"))
    app.engine.faults = Faults(lost_before=0.2, lost_after=0.5)
    answer = (
        await screens(app).of(ADMINISTRATOR, court=COURT).do(operation, asked(operation, target))
    )
    app.engine.faults = NO_FAULTS
    payload = answer.data[operation[0].lower() + operation[1:]]
    return payload, len(app.engine.items("journal")) - entries


class TestLostAnswers:
    @pytest.mark.parametrize("operation", ASKED)
    async def test_leave_one_effect_and_a_true_answer(self, app, court, operation):
        payload, entries = await done_under_faults(app, court, operation)

        assert payload["errors"] == []
        assert entries == 1

    async def test_without_the_guard_would_add_units_twice(self, app, court, monkeypatch, recorder):
        """The broken twin: entries under a key of their own guard nothing; the recorder of the
        whole suite sees it as well."""
        monkeypatch.setattr(Transaction, "_writes", _unguarded(Transaction._writes))
        screen = screens(app).of(ADMINISTRATOR, court=COURT)
        app.engine.faults = Faults(lost_after=0.5)
        for n in range(8):
            await screen.do("AddUnit", {"name": "立案庭"}, key=f"key-0000000{n}")
        app.engine.faults = NO_FAULTS

        written = len(await court.people.list_units(court.administrator, now=court.now))

        assert written > 8
        assert recorder.forgive()


def _unguarded(writes):
    attempt = count()

    def unguarded(self, now):
        own, *others = writes(self, now)
        key = Key(f"{own.key.pk}{next(attempt)}", own.key.sk)
        return [replace(own, key=key, put={**own.put, "pk": {"S": key.pk}}), *others]

    return unguarded
