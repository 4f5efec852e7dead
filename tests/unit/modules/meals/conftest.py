import pytest

from testkit.app import TestApp, build_app
from testkit.factories.meals import ACanteen, a_canteen
from testkit.factories.people import ISSUERS, ACourt, a_court


@pytest.fixture
def app(tmp_path) -> TestApp:
    with build_app(tmp_path, issuers=ISSUERS) as made:
        yield made


@pytest.fixture
async def court(app) -> ACourt:
    return await a_court(app)


@pytest.fixture
async def canteen(court) -> ACanteen:
    return await a_canteen(court)
