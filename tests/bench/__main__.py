"""`make bench`: one table of ratios with their bounds; `python -m bench rush` for one of them."""

import asyncio
import sys
from collections.abc import Callable, Mapping

from bench import cold_start, memory, requests, rush, writes
from bench.table import Row, printed

BENCHES: Mapping[str, Callable[[], list[Row]]] = {
    "cold_start": cold_start.rows,
    "requests": requests.main,
    "writes": writes.main,
    "memory": memory.main,
    "rush": lambda: asyncio.run(rush.rows()),
}


def main(names: list[str]) -> int:
    """Run the benches of these names, all by default; 1 if a bound is not kept."""
    passed = [printed(BENCHES[name]()) for name in names or BENCHES]
    return int(not all(passed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
