import pytest

from testkit.factories.meals import PORK, RICE, SOUP, ACanteen, a_canteen
from testkit.factories.people import COURT
from testkit.screens import Screen, screens


@pytest.fixture
async def canteen(court) -> ACanteen:
    """A canteen that serves lunch today; 15 yuan of subsidy, changing ends at 09:30."""
    made = await a_canteen(court)
    await made.grants_subsidy(1500, change_at="09:30")
    await made.serves({PORK: 10, RICE: 20, SOUP: 5})
    return made


@pytest.fixture
async def judge(canteen):
    """Somebody with a hundred yuan in the wallet."""
    principal = await canteen.court.somebody(staff_no="J1")
    await canteen.tops_up(principal, 10_000)
    return principal


@pytest.fixture
def phone(app, judge) -> Screen:
    return screens(app).of("J1", court=COURT)
