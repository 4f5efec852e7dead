"""Figures of the catalogue's rows, kept for the page that `make nightly` makes of them."""

import json
import os
from pathlib import Path

FILE = Path(__file__).parents[2] / ".bench" / "figures.json"

Value = int | float | str


def record(row: str, figure: str, value: Value) -> None:
    """Keep one figure of a row, in place of an earlier one of the same name.

    A test has asserted its bound before it records; nothing is read back from here.
    """
    FILE.parent.mkdir(exist_ok=True)
    known = recorded()
    known.setdefault(row, {})[figure] = value
    beside = FILE.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True), "utf-8")
    beside.replace(FILE)


def recorded() -> dict[str, dict[str, Value]]:
    """Every figure that was recorded, by row."""
    if not FILE.is_file():
        return {}
    found: dict[str, dict[str, Value]] = json.loads(FILE.read_text("utf-8"))
    return found
