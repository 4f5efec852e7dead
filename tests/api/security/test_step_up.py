"""A-04: who signed in with one factor administers nothing, whatever the roles held."""

from typing import Any

import pytest
from infra.local.issuer import STRONG

from courtside.kernel.actor import STEP_UP, Role
from courtside.platform.identity import StepUp, identity
from testkit.app import build_app
from testkit.factories.people import ADMINISTRATOR, ASKED, COURT, OTHER_COURT, a_court, asked
from testkit.figures import record
from testkit.graphql import Client
from testkit.screens import Screen, screens
from testkit.tokens import ISSUER, issuers, token

WEAK: dict[str, dict[str, Any]] = {
    "no acr": {},
    "another level": {"acr": "password"},
    "empty": {"acr": ""},
    "capitals": {"acr": STRONG.upper()},
    "a space": {"acr": f" {STRONG}"},
    "two levels in one": {"acr": f"password {STRONG}"},
    "a list": {"acr": [STRONG]},
    "an object": {"acr": {STRONG: True}},
    "true": {"acr": True},
    "null": {"acr": None},
    "asked for, not given": {"acr_values": STRONG},
    "only amr": {"amr": ["pwd", "hwk", "mfa"]},
}
METHODS: dict[str, tuple[Any, bool]] = {
    "password and key": (["pwd", "hwk"], True),
    "card and pin": (["pin", "sc"], True),
    "key alone": (["hwk"], False),
    "key twice": (["hwk", "hwk"], False),
    "password and text message": (["pwd", "sms"], False),
    "nothing": ([], False),
    "words": ("pwd hwk", False),
    "mixed": (["hwk", 1], False),
    "missing": (None, False),
}


def sitting(app, staff_no: str, *, court: str = COURT, **claims: Any) -> Screen:
    """Somebody's screen after a sign-in of which the token says exactly this."""
    began = int(app.clock.now().timestamp())
    said = {
        "iss": ISSUER.issuer,
        "aud": "courtside",
        "sub": staff_no,
        "court": court,
        "client_id": "web",
        "iat": began,
        "exp": began + 600,
        **claims,
    }
    return Screen(client=Client(view=screens(app).view, token=ISSUER.sign(said)))


def codes(answer, operation: str) -> list[str]:
    payload = answer.data[operation[0].lower() + operation[1:]]
    return [error["code"] for error in payload["errors"]]


class TestAdministrators:
    """A-04."""

    @pytest.mark.parametrize("operation", [name for name in ASKED if name != "SetCourtDay"])
    @pytest.mark.parametrize("sign_in", WEAK)
    async def test_administer_nothing_after_a_weak_sign_in(self, app, court, operation, sign_in):
        target = await court.somebody(Role.CLERK)
        before = app.engine.dump()

        answer = await sitting(app, ADMINISTRATOR, **WEAK[sign_in]).do(
            operation, asked(operation, target)
        )

        after = app.engine.dump()
        audited = [i["pk"]["S"] for i in after["journal"] if i not in before["journal"]]
        assert codes(answer, operation) == ["STEP_UP_REQUIRED"]
        assert {**after, "journal": before["journal"]} == before
        assert len(audited) == 1
        assert "#R#STEP_UP_REQUIRED#" in audited[0]
        record("A-04", "weak sign-ins accepted", f"0 of {len(WEAK) * 7}")

    async def test_are_members_until_they_step_up(self, app, court):
        weak = await sitting(app, ADMINISTRATOR).show("Me")
        strong = await sitting(app, ADMINISTRATOR, acr=STRONG).show("Me")

        assert weak.data["me"]["roles"] == ["MEMBER"]
        assert set(strong.data["me"]["roles"]) == {"MEMBER", "ADMINISTRATOR"}

    async def test_repeat_under_the_same_key_after_stepping_up(self, app, court):
        given = {"name": "立案庭"}
        refused = await sitting(app, ADMINISTRATOR).do("AddUnit", given)

        answer = await sitting(app, ADMINISTRATOR, acr=STRONG).do("AddUnit", given)

        assert codes(refused, "AddUnit") == ["STEP_UP_REQUIRED"]
        assert codes(answer, "AddUnit") == []
        assert not answer.data["addUnit"]["replayed"]

    async def test_without_the_role_are_told_nothing_of_a_second_factor(self, app, court):
        await court.somebody(staff_no="M1")

        answer = await sitting(app, "M1").do("AddUnit", {"name": "立案庭"})

        assert codes(answer, "AddUnit") == ["NOT_PERMITTED"]

    async def test_another_role_goes_on_after_a_weak_sign_in(self, app, court):
        await court.somebody(Role.LOGISTICS_MANAGER, staff_no="L1")

        answer = await sitting(app, "L1").show("Persons")

        assert "errors" not in answer.body

    async def test_auditors_step_up_too(self, app, court):
        await court.somebody(Role.AUDITOR, staff_no="U1")

        answer = await sitting(app, "U1").show("Persons")

        assert answer.codes == ["STEP_UP_REQUIRED"]
        assert {Role.ADMINISTRATOR, Role.AUDITOR} == STEP_UP


class TestIssuers:
    async def test_one_that_names_no_level_signs_no_administrator_in(self, tmp_path):
        """Without settings nothing is strong."""
        (settings,) = issuers(COURT, OTHER_COURT)
        silent = {name: value for name, value in settings.items() if name != "step_up"}
        with build_app(tmp_path, issuers=(silent,)) as app:
            await a_court(app)

            answer = await sitting(app, ADMINISTRATOR, acr=STRONG).do("AddUnit", {"name": "一庭"})

        assert codes(answer, "AddUnit") == ["STEP_UP_REQUIRED"]

    @pytest.mark.parametrize("given", METHODS)
    def test_one_that_names_methods_wants_two_of_them(self, given):
        methods, strong = METHODS[given]

        assert StepUp(amr=frozenset({"hwk", "sc"})).is_met({"amr": methods}) is strong

    @pytest.mark.parametrize(
        "step_up",
        [{"acr": STRONG}, {"acr": [""]}, {"acr": [1]}, {"level": ["x"]}, {"acr": [], "amr": []}],
    )
    def test_one_with_wrong_settings_is_refused_at_the_start(self, step_up):
        (settings,) = issuers(COURT)

        with pytest.raises(ValueError, match="step_up"):
            identity([{**settings, "step_up": step_up}], None)

    async def test_the_development_issuer_vouches_unless_it_is_told_otherwise(self, app, court):
        strong = token(ADMINISTRATOR, court=COURT, now=app.clock.now())
        weak = token(ADMINISTRATOR, court=COURT, now=app.clock.now(), acr="password")
        door = screens(app).view._door

        found = [await door.identity.verify(one, now=app.clock.now()) for one in (strong, weak)]

        assert [one.principal.strong for one in found] == [True, False]
