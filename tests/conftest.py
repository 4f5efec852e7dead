"""Fixtures that every folder of tests shares."""

import pytest

from testkit.app import build_app


@pytest.fixture
def app(tmp_path):
    """The whole application on the in-memory engine, at nine o'clock on a Monday."""
    with build_app(tmp_path) as built:
        yield built
