"""D-23: the whole system on seeds. `make sim SEED=` replays one; `make soak` runs ten thousand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.sim.run import run_seed
from testkit.sim.trace import report

ROOT = Path(__file__).resolve().parents[2]
SEEDS, PARTS = 300, 10
REPLAYED = (3, 17, 58)
_PROGRAM = """
from testkit.sim.run import run_seed
print(*(run_seed(seed).digest for seed in {seeds}))
"""


class TestSimulation:
    """D-23, with D-01, D-03, D-05, D-08, D-09, D-10, D-14, D-17, D-22 and Z-07 at once."""

    @pytest.mark.parametrize("part", range(PARTS))
    def test_every_seed_holds(self, part, tmp_path):
        for seed in range(part * SEEDS // PARTS, (part + 1) * SEEDS // PARTS):
            outcome = run_seed(seed)

            assert not outcome.problems, report(seed, outcome.problems, outcome.lines, tmp_path)

    def test_seeds_are_eventful(self):
        """That the seeds above mean something: most of what may happen does, in a few of them."""
        outcomes = [run_seed(seed) for seed in range(40)]
        told = {name for outcome in outcomes for name in outcome.answers}
        happened = "\n".join(line for outcome in outcomes for line in outcome.lines)

        assert {
            "place_order OK",
            "place_order SOLD_OUT",
            "place_order ORDER_WINDOW_CLOSED",
            "change_order OK",
            "cancel_order OK",
            "cancel_order CANCEL_WINDOW_CLOSED",
            "collect_order ALREADY_COLLECTED",
            "issue_count OK",
            "commit_import OK",
            "publish_menu OK",
            "move_cut_off OK",
            "record_leaving OK",
            "revoke_role OK",
            "set_court_day OK",
        } <= told
        for sign in ("CRASH", "no answer (Died)", "undelivered", "gave up", "replayed"):
            assert sign in happened, sign


class TestReplay:
    def test_a_seed_lives_the_same_life_twice(self):
        first, again = run_seed(REPLAYED[0]), run_seed(REPLAYED[0])

        assert first.lines == again.lines
        assert len(first.lines) > 100

    def test_other_processes_see_the_same(self):
        """Whatever their hash seed: no order of a set is part of what happens."""
        here = [run_seed(seed).digest for seed in REPLAYED]

        there = [_digests(REPLAYED, hash_seed=hash_seed) for hash_seed in ("1", "2")]

        assert there == [here, here]

    def test_another_seed_is_another_life(self):
        assert run_seed(1).digest != run_seed(2).digest

    def test_a_failing_seed_says_how_to_see_it_again(self, tmp_path):
        lines = [f"line {n}" for n in range(200)]

        told = report(7, ["something is wrong"], lines, tmp_path)

        assert told.startswith("seed 7 (replay: make sim SEED=7)\n  !! something is wrong\n")
        assert "120 lines before these" in told
        assert told.endswith("line 199")
        assert "line 0" in (tmp_path / "seed-7.txt").read_text("utf-8")


def _digests(seeds, *, hash_seed):
    paths = os.pathsep.join(str(ROOT / name) for name in ("functions", "tests", "."))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(seeds=seeds)],
        env={"PYTHONPATH": paths, "PYTHONHASHSEED": hash_seed, "PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
