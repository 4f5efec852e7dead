"""A living court behind the API as it is deployed."""

import asyncio
from copy import deepcopy

import pytest

from testkit.app import build_app
from testkit.factories.living import a_living_court
from testkit.factories.people import COURT, OTHER_COURT
from testkit.tokens import issuers


@pytest.fixture(scope="module")
def alive(tmp_path_factory):
    """Made once a module: it takes longer than all questions to it."""
    with build_app(tmp_path_factory.mktemp("court"), issuers=issuers(COURT, OTHER_COURT)) as app:
        yield asyncio.run(a_living_court(app, code=COURT, mark="甲院"))


@pytest.fixture
def living(alive, monkeypatch):
    """As it was made, whatever the test before did."""
    app = alive.court.app
    monkeypatch.setattr(app.engine, "_tables", deepcopy(app.engine._tables))
    monkeypatch.setattr(app.pump, "_seen", app.pump._seen)
    return alive
