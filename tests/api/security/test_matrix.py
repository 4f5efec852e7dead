"""Z-02 and Z-03: who may ask for what, cell by cell as the committed table says, and nobody sets
what is not his to set."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from graphql import is_input_object_type

from courtside import modules
from courtside.entrypoints.schema import schema
from courtside.kernel.actor import Role
from courtside.platform.gql.payloads import PUBLIC
from testkit.factories.living import GRANTABLE, JUDGE, ROOT
from testkit.factories.people import COURT
from testkit.figures import record
from testkit.graphql import serve, sign_in
from testkit.walker import places, roots, variables

GRAPHQL = schema._schema
ROOTS = {root.name: root for root in roots(GRAPHQL)}
MUTATIONS = {name: root for name, root in ROOTS.items() if root.is_mutation}
TABLE = Path(__file__).parents[2] / "data" / "permissions.tsv"
ROLES = [Role.MEMBER, *GRANTABLE]
# Every member may, with an order of one's own: what others answer is the object's own check.
OWN_ONLY = {"changeMealOrder", "cancelMealOrder"}
NEVER_GIVEN = [
    "approvedBy",
    "collectedAt",
    "court",
    "courtId",
    "createdBy",
    "grants",
    "principal",
    "requestedBy",
    "role_",
    "state",
    "status",
    "tenant",
    "total",
    "wallet",
]


def permits() -> dict[str, frozenset[Role]]:
    """Every module's table of operations, from its rules."""
    merged: dict[str, frozenset[Role]] = {}
    for found in pkgutil.iter_modules(modules.__path__):
        merged.update(importlib.import_module(f"courtside.modules.{found.name}.rules").PERMITS)
    return merged


def by_the_code() -> dict[str, set[str]]:
    """Roles by root field, as the policy tags and the modules' tables have them."""
    known, table = permits(), {}
    for kind in (GRAPHQL.query_type, GRAPHQL.mutation_type):
        for name, field in kind.fields.items():
            policy = field.extensions["strawberry-definition"].metadata["operation"]
            roles = set(Role) if policy == PUBLIC else known[policy]
            everybody = set(ROLES) if Role.MEMBER in roles else roles & set(ROLES)
            table[name] = {role.value for role in everybody}
    return table


def committed() -> dict[str, set[str]]:
    """The table of this repository, which changes only by somebody's decision."""
    lines = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines()]
    header = lines[0][1:]
    return {
        name: {role for role, mark in zip(header, marks, strict=True) if mark == "yes"}
        for name, *marks in lines[1:]
    }


def told(answer, name: str) -> set[str]:
    """Codes of what was refused, of the response or of the payload."""
    payload = (answer.body.get("data") or {}).get(name)
    errors = payload.get("errors", []) if isinstance(payload, dict) else []
    return {*answer.codes, *(error["code"] for error in errors)}


class TestMatrix:
    """Z-02."""

    def test_is_the_committed_one(self):
        assert by_the_code() == committed()

    @pytest.mark.parametrize("role", ROLES)
    async def test_is_what_callers_meet(self, living, seen, fitting, role):
        app, table = living.court.app, committed()
        await living.court.somebody(*({role} - {Role.MEMBER}), staff_no="Z0001")
        view, _ = serve(app, development=True)
        client = sign_in(app, view, "Z0001", court=COURT)
        differ = []

        for name, root in ROOTS.items():
            alone = {place: None for place in places(root.arguments) if place[-1] == "dinerId"}
            before, put = app.engine.dump(), {**fitting.get(name, {}), **alone}
            answer = await client.run(root.text, variables(root, seen, put=put))
            refused = "NOT_PERMITTED" in told(answer, name)
            expected = role not in table[name] or name in OWN_ONLY
            if refused is not expected or "INTERNAL" in answer.codes:
                differ.append((name, told(answer, name)))
            if refused:
                after = app.engine.dump()
                assert {**after, "journal": 0} == {**before, "journal": 0}, name

        assert differ == []
        cells = len(ROOTS) * len(ROLES)
        record("Z-02", "cells of the matrix that differ", f"0 of {cells}")

    def test_a_cell_that_differs_is_found(self):
        wrong = {**committed(), "grantRole": {"MEMBER"}}

        assert by_the_code() != wrong


class TestProperties:
    """Z-03."""

    def test_no_input_names_what_the_house_decides(self):
        found = [
            f"{kind.name}.{name}"
            for kind in GRAPHQL.type_map.values()
            if is_input_object_type(kind)
            for name in kind.fields
            if name in NEVER_GIVEN
        ]

        assert found == []

    @pytest.mark.parametrize("name", MUTATIONS)
    async def test_nothing_is_set_beside_the_input_s_own_fields(self, living, seen, name):
        app, root = living.court.app, MUTATIONS[name]
        view, _ = serve(app, development=True)
        client = sign_in(app, view, ROOT, court=COURT)
        before = app.engine.dump()

        for extra in NEVER_GIVEN:
            given = variables(root, seen)
            given["input"][extra] = "C320"
            answer = await client.run(root.text, given)
            assert set(answer.codes) == {"BAD_INPUT"}
            for inner in given["input"].values():
                if isinstance(inner, list) and inner and isinstance(inner[0], dict):
                    del given["input"][extra]
                    inner[0][extra] = "C320"
                    assert set((await client.run(root.text, given)).codes) == {"BAD_INPUT"}
                    break

        assert app.engine.dump() == before
        record("Z-03", "foreign properties taken", f"0 of {len(MUTATIONS) * len(NEVER_GIVEN)}")

    async def test_one_s_own_record_shows_no_more_to_a_member(self, living):
        """What a member is shown of persons is himself alone."""
        screen = living.screen(JUDGE)

        mine, all_of_them = await screen.show("Me"), await screen.show("Persons")

        assert mine.data["me"]["person"]["name"] == f"{living.mark}李法官"
        assert all_of_them.codes == ["NOT_PERMITTED"]
        assert f"{living.mark}王总管".encode() not in mine.raw + all_of_them.raw
