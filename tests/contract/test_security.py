"""docs/security.md lists exactly the threats that tests cite, and no test cites another."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
_ID = re.compile(r"\b[A-Z]-\d{2}\b")


def listed(title):
    """Ids in the first column of the tables under a heading."""
    _, _, rest = PAGE.read_text("utf-8").partition(f"\n## {title}\n")
    section = rest.partition("\n## ")[0]
    return {m[0] for line in section.splitlines() if (m := re.match(r"\| ([A-Z]-\d{2})", line[:9]))}


def cited():
    """Ids in the tests' texts."""
    texts = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    return {found for text in texts for found in _ID.findall(text)}


class TestSecurityPage:
    def test_lists_as_held_what_tests_cite(self):
        held = {row.removeprefix("| ") for row in listed("Held")}

        assert held == cited()

    def test_does_not_call_missing_what_is_held(self):
        missing = {row.removeprefix("| ") for row in listed("Not held yet")}

        assert not missing & cited()
