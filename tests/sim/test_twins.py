"""D-23 ★: broken twins of the system, one bug each, and the simulation that finds them."""

import pytest

from sim.twins import TWINS
from testkit.sim.run import run_seed

ENOUGH = 300  # seeds; what these do not find, a push would not either


class TestTwins:
    @pytest.mark.parametrize(
        ("twin", "words"), TWINS.items(), ids=lambda p: getattr(p, "__name__", "")
    )
    def test_is_found_out(self, twin, words):
        with twin():
            found = any(
                words in problem for seed in range(ENOUGH) for problem in run_seed(seed).problems
            )

        assert found
