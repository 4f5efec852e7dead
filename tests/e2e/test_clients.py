"""The API as others know GraphQL: the audits of GraphQL over HTTP, and documents from a Python and
a JavaScript client that others wrote, run against what `make run` serves."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError

from testkit.figures import record
from testkit.running import ROOT, environment, running

CLIENTS = ROOT / "tests" / "e2e" / "clients"
NAME = "东江市中级人民法院"
# Audits of what a server MAY do and this one does not, on purpose: GET is not offered, so that no
# document stands in an address or a log.
BY_DESIGN = {"5A70", "6A70", "D6D5"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a running Courtside with one court, and its administrator's token."""
    folder = tmp_path_factory.mktemp("served") / "data"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ours = f"PYTHONPATH=functions:tests:. DATA={folder}"
    with running(f"env {ours} DEMO=no PORT={port} {sys.executable} -m infra.local.run", folder):
        _command(folder, "court", NAME=NAME)
        token = _command(folder, "token", AS="administrator")
        yield f"http://127.0.0.1:{port}/graphql", token


def _command(folder, name, **settings):
    told = {**environment(), "PYTHONPATH": "functions:tests:.", "DATA": str(folder), **settings}
    done = subprocess.run(
        [sys.executable, "-m", "infra.local.commands", name],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def node(script, *arguments):
    """What a script of `clients/` prints."""
    program = shutil.which("node")
    assert program is not None, "Node.js is needed, as for `make run`"
    done = subprocess.run(
        [program, str(CLIENTS / script), *arguments],
        cwd=ROOT,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestSpecification:
    """GraphQL over HTTP, by the audits of the reference implementation."""

    def test_is_kept_wherever_it_must_be(self, served):
        audits = node("audit.mjs", served[0])

        failed = {one["id"]: one for one in audits if one["status"] != "ok"}
        assert [one for one in failed.values() if one["status"] == "error"] == []
        assert set(failed) == BY_DESIGN, failed
        assert len(audits) >= 50
        record("GraphQL over HTTP", "audits kept", f"{len(audits) - len(failed)} of {len(audits)}")


class TestJavaScript:
    """graphql-request, as its documentation shows it."""

    def test_asks_changes_and_is_told_what_is_wrong(self, served):
        told = node("request.mjs", *served)

        assert told["me"]["me"]["court"] == {"name": NAME}
        assert "ADMINISTRATOR" in told["me"]["me"]["roles"]
        assert told["added"]["addUnit"]["unit"]["name"] == "执行局"
        assert told["again"]["addUnit"] == {**told["added"]["addUnit"], "replayed": True}
        assert told["batch"] == ["BATCH"]
        assert told["invalid"] == ["DOCUMENT_INVALID"]
        assert set(told["wrong"]) == {"BAD_INPUT"}
        assert told["nobody"] == ["NOT_SIGNED_IN"]
        record("GraphQL over HTTP", "clients run untouched", "gql (Python), graphql-request (JS)")


class TestPython:
    """gql, with the schema that it fetches for itself."""

    async def test_asks_changes_and_is_told_what_is_wrong(self, served):
        url, token = served
        transport = AIOHTTPTransport(url, headers={"authorization": f"Bearer {token}"})
        add = gql(
            "mutation AddUnit($input: AddUnitInput!) { addUnit(input: $input) {"
            " unit { name } errors { code } replayed } }"
        )
        given = {"input": {"idempotencyKey": "python-0001", "name": "立案庭"}}
        async with Client(transport=transport, fetch_schema_from_transport=True) as session:
            me = await session.execute(gql("{ me { court { name } roles } }"))
            add.variable_values = given
            added = await session.execute(add)
            again = await session.execute(add)
            taken = gql(
                "mutation T($input: GrantRoleInput!) { grantRole(input: $input) {"
                " person { name } errors { code path } } }"
            )
            taken.variable_values = {
                "input": {"idempotencyKey": "python-0002", "personId": "x", "role": "KITCHEN"}
            }
            refused = await session.execute(taken)
            with pytest.raises(TransportQueryError) as wrong:
                await session.execute(gql("{ mealsJob(jobId: 7) { id } }"))

        assert me["me"]["court"] == {"name": NAME}
        assert added["addUnit"] == {"unit": {"name": "立案庭"}, "errors": [], "replayed": False}
        assert again["addUnit"]["replayed"] is True
        assert refused["grantRole"]["errors"][0]["code"] == "INVALID_INPUT"
        assert wrong.value.errors[0]["extensions"]["code"] == "INVALID_INPUT"
