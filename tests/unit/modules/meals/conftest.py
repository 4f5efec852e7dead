import pytest

from testkit.factories.meals import ACanteen, a_canteen


@pytest.fixture
async def canteen(court) -> ACanteen:
    return await a_canteen(court)
