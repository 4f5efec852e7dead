"""O-01: findings and their justified skips are compared both ways."""

import json

import pytest
from infra.audit import SKIPS, compared, failed

FOUND = {("CKV_1", "KeysTable"), ("CKV_2", "Api")}
SKIP = {"check": "CKV_1", "resource": "KeysTable", "why": "by design"}
ALL = {"check": "CKV_2", "resource": "*", "why": "nowhere"}


class TestCompared:
    def test_is_content_when_every_finding_has_its_reason(self):
        assert compared(FOUND, [SKIP, ALL]) == []

    def test_tells_a_finding_without_a_reason(self):
        assert compared(FOUND, [SKIP]) == ["CKV_2 Api: found, and not among the skips"]

    @pytest.mark.parametrize("changed", [{"resource": "RecordsTable"}, {"why": ""}])
    def test_tells_a_skip_of_another_resource_or_without_a_reason(self, changed):
        assert compared(FOUND, [{**SKIP, **changed}, ALL])

    def test_tells_a_skip_that_finds_nothing_any_more(self):
        assert len(compared(set(), [SKIP])) == 1


def test_reads_what_checkov_writes():
    one = {"check_id": "CKV_1", "resource": "AWS::DynamoDB::Table.KeysTable"}

    assert failed({"results": {"failed_checks": [one]}}) == {("CKV_1", "KeysTable")}
    assert failed([{"results": {"failed_checks": [one]}}]) == {("CKV_1", "KeysTable")}


def test_every_skip_has_a_reason():
    assert all(len(skip["why"]) > 40 for skip in json.loads(SKIPS.read_text("utf-8")))
