"""docs/security.md lists exactly the threats that tests cite, and no test cites another."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
_ID = re.compile(r"\b[A-Z]-\d{2}\b")
_ROW = re.compile(r"^\| ([A-Z]-\d{2})( ★)? \|", re.MULTILINE)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LISTED = dict(_ROW.findall(PAGE.read_text("utf-8")))
STARRED = [row for row, star in LISTED.items() if star]


def docstrings(source: str) -> Iterator[tuple[ast.AST, str]]:
    """Every docstring of a file with what it documents; comments and data cite nothing."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and (told := ast.get_docstring(node)):
            yield node, told


@cache
def told() -> dict[Path, tuple[str, ...]]:
    """The docstrings of each file of the tests."""
    files = (ROOT / "tests").rglob("*.py")
    return {p: tuple(t for _, t in docstrings(p.read_text("utf-8"))) for p in files}


def cited() -> set[str]:
    return {found for texts in told().values() for text in texts for found in _ID.findall(text)}


def twins(row: str, texts: tuple[str, ...]) -> list[str]:
    """Docstrings of a file that cites the row which name the broken twin that it catches."""
    cites = any(row in _ID.findall(text) for text in texts)
    return [text for text in texts if cites and re.search(r"\btwins?\b", text)]


class TestSecurityPage:
    def test_lists_what_tests_cite(self):
        assert set(LISTED) == cited()

    def test_lists_each_row_once(self):
        rows = [row for row, _ in _ROW.findall(PAGE.read_text("utf-8"))]

        assert len(rows) == len(LISTED)

    @pytest.mark.parametrize("row", STARRED)
    def test_a_starred_row_has_a_twin_that_its_test_catches(self, row):
        assert [path for path, texts in told().items() if twins(row, texts)] != []


class TestTheRule:
    def test_takes_an_id_from_docstrings_only(self):
        source = '"""D-01."""\n# D-02\nX = "D-03"\n\n\ndef test_it():\n    """D-04."""\n'

        assert [text for _, text in docstrings(source)] == ["D-01.", "D-04."]

    def test_misses_a_twin_that_is_not_there(self):
        assert twins("D-01", ("D-01: nothing else.",)) == []
        assert twins("D-01", ("D-02: the broken twin.",)) == []
        assert twins("D-01", ("D-01.", "The broken twin.")) == ["The broken twin."]
