"""What happened in a seed, line by line: the same lines whenever it is replayed."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

SHOWN = 80  # lines of a failing seed that are printed; the file has all


class Trace:
    """Lines of time, who, what, key and outcome."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, who: str, what: str, key: str = "", outcome: str = "") -> None:
        at = asyncio.get_running_loop().time()
        told = f"{at:10.3f}  {who:<11} {what:<28} {key:<14} {outcome}"
        self.lines.append(told.rstrip())

    @property
    def digest(self) -> str:
        """Equal for two runs exactly if every line is."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def report(
    seed: int, problems: Sequence[str], lines: Sequence[str], folder: Path, *, shown: int = SHOWN
) -> str:
    """What to print of a failing seed; the whole trace goes to a file in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"seed-{seed}.txt"
    head = [f"seed {seed} (replay: make sim SEED={seed})", *(f"  !! {p}" for p in problems)]
    path.write_text("\n".join([*head, *lines, ""]), "utf-8")
    left_out = max(0, len(lines) - shown)
    more = [f"  ... {left_out} lines before these are in {path}"] if left_out else []
    return "\n".join([*head, *more, *lines[left_out:]])
