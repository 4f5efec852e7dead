"""What a README prints: commands and the answers that it promises."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class Step:
    """A block of commands; `answer` is None where none is printed."""

    commands: str
    answer: str | None


def section(file: Path, title: str) -> str:
    """The text under a heading of the second level."""
    (found,) = re.findall(
        rf"^## {title}\n(.*?)(?=^## |\Z)", file.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(found)


def steps(text: str) -> list[Step]:
    """Each block of commands with the `text` block that follows it, if one does."""
    blocks = _FENCE.findall(text)
    following = [*blocks[1:], ("", "")]
    return [
        Step(body, next_body if next_kind == "text" else None)
        for (kind, body), (next_kind, next_body) in zip(blocks, following, strict=True)
        if kind == "sh"
    ]


def differs(printed: str, expected: str) -> str | None:
    """The first expected line that was not printed, or None. `…` stands for any part of a line,
    and alone on a line for any lines."""
    lines = expected.split("\n")
    for last in range(len(lines)):
        pattern = "\n".join(_pattern(line) for line in lines[: last + 1])
        ends = r"\Z" if last == len(lines) - 1 else r"(?:\n|\Z)"
        if not re.match(pattern + ends, printed):
            return f"expected: {lines[last]}"
    return None


def _pattern(line: str) -> str:
    if line.strip() == ANYTHING:
        return r"(?:.*\n)*?.*"
    return ".*?".join(re.escape(part) for part in line.split(ANYTHING))
