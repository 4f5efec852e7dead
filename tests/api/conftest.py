"""P-09 for the whole suite: what every request of every test of the API leaves in the journal."""

import pytest
from infra.memory.engine import MemoryEngine

from testkit.graphql import Client
from testkit.recorder import Recorder


@pytest.fixture(scope="session")
def recorder():
    """What was seen of all requests so far."""
    return Recorder()


@pytest.fixture(autouse=True)
def _recorded(recorder, monkeypatch):
    before = len(recorder.problems)
    monkeypatch.setattr(MemoryEngine, "_apply", recorder.apply(MemoryEngine._apply))
    monkeypatch.setattr(Client, "send", recorder.send(Client.send))
    yield
    assert recorder.problems[before:] == []
