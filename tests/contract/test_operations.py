"""G-02 and G-04: every operation is registered, valid, within the limits, and has its test."""

import ast
from pathlib import Path

import pytest
from graphql import parse
from infra.operations import ROOT, manifest, problems

from courtside.platform.gql.documents import MANIFEST, TrustedDocuments, document_id_of
from courtside.platform.gql.limits import Limits, Measure

TESTS = Path(__file__).resolve().parents[1] / "api"
FILES = sorted(ROOT.glob("*/*.graphql"))
AUDIENCES = {"phone", "warehouse", "office", "miniprogram"}


def test_classes() -> set[str]:
    """Names of all test classes of the API."""
    return {
        node.name
        for file in TESTS.rglob("test_*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }


test_classes.__test__ = False


def test_all_are_valid_and_hold_one_operation_of_their_name():
    assert problems() == []


def test_the_manifest_is_of_these_files():
    assert (ROOT / MANIFEST).read_text("utf-8") == manifest()


def test_there_are_operations_of_known_audiences_only():
    assert FILES
    assert {file.parent.name for file in FILES} <= AUDIENCES


def test_no_two_have_one_name():
    names = [file.stem for file in FILES]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
class TestOperation:
    def test_has_a_test_of_its_name(self, file):
        assert f"Test{file.stem}" in test_classes()

    def test_is_found_by_its_id(self, file):
        operation = TrustedDocuments(ROOT).find(document_id_of(file.read_text("utf-8")))

        assert operation is not None
        assert operation.name == file.stem

    def test_leaves_room_below_the_limits(self, file):
        size, limits = Measure(parse(file.read_text("utf-8"))).largest(), Limits()

        assert size.depth <= limits.depth
        assert size.aliases <= limits.aliases
        assert size.fields <= limits.fields
        assert size.cost <= limits.cost


class TestProblems:
    """The check itself finds what is wrong."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("Now", "query Now {nothing}"),
            ("Now", "query Then {serverNow}"),
            ("Now", "{serverNow}"),
            ("Now", "query Now {serverNow} query Then {serverNow}"),
            ("Now", "query Now {"),
        ],
    )
    def test_is_told(self, tmp_path, name, text):
        (tmp_path / "phone").mkdir()
        (tmp_path / "phone" / f"{name}.graphql").write_text(text, "utf-8")

        assert len(problems(tmp_path)) >= 1
