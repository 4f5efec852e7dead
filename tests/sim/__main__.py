"""`python -m sim`: many seeds, or one again (SEED=). Ends with 1 when a seed does not hold."""

import os
import sys
import time
from collections import Counter
from pathlib import Path

from testkit.sim.run import run_seed
from testkit.sim.trace import report

FOLDER = Path(".bench") / "sim"


def main() -> int:
    """SEED= replays one; else SEEDS= of them from FIRST= on, at least MINUTES= if given."""
    one = os.environ.get("SEED")
    if one:
        outcome = run_seed(int(one))
        say(report(outcome.seed, outcome.problems, outcome.lines, FOLDER))
        return 1 if outcome.problems else 0
    return many(
        int(os.environ.get("SEEDS") or 300),
        first=int(os.environ.get("FIRST") or 0),
        minutes=float(os.environ.get("MINUTES") or 0),
    )


def say(*lines):
    print(*lines, sep="\n", flush=True)  # noqa: T201 - it speaks to whoever ran it


def many(seeds, *, first, minutes):
    began = time.monotonic()
    failed, told, entries, seed = [], Counter(), 0, first
    while seed < first + seeds or time.monotonic() - began < minutes * 60:
        outcome = run_seed(seed)
        entries += outcome.entries
        told.update(outcome.answers)
        if outcome.problems:
            failed.append(outcome)
            say(report(seed, outcome.problems, outcome.lines, FOLDER, shown=0))
        seed += 1
    took = time.monotonic() - began
    say(f"{seed - first} seeds, {len(failed)} failed, {entries} entries, {took:.0f} s")
    if os.environ.get("TOLD"):
        say(*(f"  {count:6} {name}" for name, count in sorted(told.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
