"""A living court behind the API as it is deployed."""

import asyncio
from copy import deepcopy

import pytest

from courtside.entrypoints.schema import schema
from testkit.app import build_app
from testkit.factories.living import ROOT, a_living_court
from testkit.factories.people import COURT, OTHER_COURT
from testkit.graphql import serve, sign_in
from testkit.tokens import issuers
from testkit.walker import Seen, choices, roots, variables


@pytest.fixture(scope="session")
def alive(tmp_path_factory):
    """Made once: it takes longer than all questions to it."""
    with build_app(tmp_path_factory.mktemp("court"), issuers=issuers(COURT, OTHER_COURT)) as app:
        yield asyncio.run(a_living_court(app, code=COURT, mark="甲院"))


@pytest.fixture(scope="session")
def seen(alive) -> Seen:
    """What ROOT is shown there, to ask with."""
    return asyncio.run(_seen(alive))


async def _seen(alive) -> Seen:
    view, _ = serve(alive.court.app, development=True)
    client = sign_in(alive.court.app, view, ROOT, court=COURT)
    found = Seen()
    found.take(alive.shown)
    for _ in range(2):
        for root in roots(schema._schema):
            if not root.is_mutation:
                found.take((await client.run(root.text, variables(root, found))).body)
    return found


@pytest.fixture(scope="session")
def fitting(alive, seen):
    """For each query what must be left out so that it asks for something: ids that exclude each
    other."""
    return asyncio.run(_fitting(alive, seen))


async def _fitting(alive, seen):
    view, _ = serve(alive.court.app, development=True)
    client = sign_in(alive.court.app, view, ROOT, court=COURT)
    found = {}
    for root in roots(schema._schema):
        for put in choices(root) if not root.is_mutation else ():
            answer = await client.run(root.text, variables(root, seen, put=put))
            if not {"INVALID_INPUT", "BAD_INPUT"} & set(answer.codes):
                found[root.name] = put
                break
    return found


@pytest.fixture
def living(alive, monkeypatch):
    """As it was made, whatever the test before did."""
    app = alive.court.app
    monkeypatch.setattr(app.engine, "_tables", deepcopy(app.engine._tables))
    monkeypatch.setattr(app.pump, "_seen", app.pump._seen)
    return alive
