"""The bench's one table: ratios against floors of the same run, and counts that do not drift."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure and the bound that it must keep. `told` says what it was made of."""

    name: str
    value: float
    bound: float
    keeps: Literal["<=", ">=", "=="] = "<="
    told: str = ""

    @property
    def passes(self) -> bool:
        if self.keeps == "==":
            return self.value == self.bound
        return self.value <= self.bound if self.keeps == "<=" else self.value >= self.bound

    def __str__(self) -> str:
        verdict = "PASS" if self.passes else "FAIL"
        kept = f"{self.value:>9.2f}  {self.keeps} {self.bound:<8g}"
        return f"{verdict}  {self.name:<46} {kept} {self.told}"


def printed(rows: list[Row]) -> bool:
    """Print the rows; whether all of them pass."""
    for row in rows:
        print(row, flush=True)  # noqa: T201 - what it is for
    return all(row.passes for row in rows)
