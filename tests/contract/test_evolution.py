"""G-18: the schema changes only by additions against its snapshot, and every trusted document that
clients hold still runs on it."""

import pytest
from graphql import build_schema, find_breaking_changes, parse, validate
from infra.sdl import SNAPSHOT

from courtside.entrypoints.graphql_http import operations_folder
from courtside.entrypoints.schema import schema
from courtside.platform.gql.documents import TrustedDocuments
from testkit.figures import record

COMMITTED = build_schema(SNAPSHOT.read_text("utf-8"))
DOCUMENTS = TrustedDocuments(operations_folder())


class TestEvolution:
    def test_breaks_nothing_of_the_snapshot(self):
        changes = find_breaking_changes(COMMITTED, schema._schema)

        assert [change.description for change in changes] == []
        record("G-18", "breaking changes", len(changes))

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            ("serverNow: DateTime!", "serverTime: DateTime!"),
            ("serverNow: DateTime!", "serverNow: DateTime"),
            ("input AddUnitInput {", "input AddUnitInput {\n  court: ID!"),
            ("  BREAKFAST\n", ""),
        ],
    )
    def test_a_break_is_seen(self, was, now):
        text = SNAPSHOT.read_text("utf-8")
        assert was in text

        assert find_breaking_changes(COMMITTED, build_schema(text.replace(was, now, 1))) != []

    @pytest.mark.parametrize("document_id", DOCUMENTS.ids)
    def test_runs_every_document_of_the_manifest(self, document_id):
        operation = DOCUMENTS.find(document_id)

        assert validate(schema._schema, parse(operation.text)) == []
