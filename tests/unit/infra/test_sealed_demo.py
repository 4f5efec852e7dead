"""The demo court goes on living without adding to days that are sealed."""

from datetime import UTC, datetime

import pytest
from infra.demo import scenario
from infra.demo.load import _unsealed

from courtside.platform.seal import Seal
from testkit.seals import MemoryVault

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
WEDNESDAY_BEGINS = datetime(2026, 3, 3, 20, 0, tzinfo=UTC)  # at four in Shanghai


def sealed_until(until: datetime) -> Seal:
    court = scenario.court_code()
    return Seal(court=court, number=1, since=MONDAY, until=until, previous="", lines=())


class TestLaterStart:
    async def test_goes_on_from_the_last_one_where_nothing_is_sealed(self):
        assert await _unsealed(MemoryVault(), MONDAY) == MONDAY

    @pytest.mark.parametrize(
        ("until", "since"),
        [
            (datetime(2026, 3, 3, 10, 0, tzinfo=UTC), WEDNESDAY_BEGINS),
            (datetime(2026, 3, 3, 19, 59, tzinfo=UTC), WEDNESDAY_BEGINS),
            (datetime(2026, 2, 27, 10, 0, tzinfo=UTC), MONDAY),
        ],
    )
    async def test_begins_with_the_first_day_without_a_seal(self, until, since):
        vault, seal = MemoryVault(), sealed_until(until)
        await vault.keep(seal.court, seal.name, seal.to_bytes())

        assert await _unsealed(vault, MONDAY) == since
