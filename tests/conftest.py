"""Fixtures that every folder of tests shares."""

import pytest
from hypothesis import HealthCheck, settings

from testkit.app import build_app
from testkit.factories.people import COURT, OTHER_COURT, a_court
from testkit.sizes import watched_sizes
from testkit.tokens import issuers

# A busy machine must not fail a property: examples are bounded by number, never by time.
settings.register_profile(
    "courtside", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("courtside")


@pytest.fixture(autouse=True)
def sizes():
    """Fails whatever test commits more than 25 items at once: larger work is a job's."""
    with watched_sizes() as seen:
        yield seen
    assert seen.too_large == []


@pytest.fixture
def app(tmp_path):
    """The whole application on the in-memory engine, at nine o'clock on a Monday; the development
    issuer signs for two courts."""
    with build_app(tmp_path, issuers=issuers(COURT, OTHER_COURT)) as built:
        yield built


@pytest.fixture
async def court(app):
    """A court with its administrator; everybody else joins by situation."""
    return await a_court(app)
