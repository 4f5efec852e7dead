"""Z-05: every root field has a policy; and the schema is its snapshot."""

import importlib
import pkgutil

import pytest
from graphql import GraphQLObjectType, is_interface_type, is_object_type
from infra.sdl import difference

from courtside import modules
from courtside.entrypoints.schema import ERROR_TYPES, schema
from courtside.kernel.errors import Refusal
from courtside.platform.gql.payloads import PUBLIC

GRAPHQL = schema._schema
MODULES = sorted(found.name for found in pkgutil.iter_modules(modules.__path__) if found.ispkg)
ROOTS = [GRAPHQL.query_type, GRAPHQL.mutation_type]


def root_fields() -> list[tuple[str, str, object]]:
    """Root type, field name and strawberry's own field."""
    return [
        (root.name, name, field.extensions["strawberry-definition"])
        for root in ROOTS
        for name, field in root.fields.items()
    ]


def permits() -> dict[str, frozenset]:
    """Every module's table of operations, read from its rules."""
    merged: dict[str, frozenset] = {}
    for name in MODULES:
        merged.update(importlib.import_module(f"courtside.modules.{name}.rules").PERMITS)
    return merged


def refusals(kind: type[Refusal] = Refusal) -> list[type[Refusal]]:
    found = kind.__subclasses__()
    return found + [deeper for one in found for deeper in refusals(one)]


def untagged(fields, permitted) -> list[str]:
    """Root fields without a policy, or with one that no table knows."""
    return [
        f"{root}.{name}: {field.metadata.get('operation')}"
        for root, name, field in fields
        if field.metadata.get("operation") not in {PUBLIC, *permitted}
    ]


class TestSnapshot:
    def test_the_schema_is_its_snapshot(self):
        assert difference() == []

    def test_a_change_is_seen(self, tmp_path):
        changed = tmp_path / "schema.graphql"
        changed.write_text("type Query {\n  other: Int\n}\n", "utf-8")

        assert any(line.startswith("-  other") for line in difference(changed))


class TestPolicies:
    """Z-05."""

    def test_every_root_field_has_a_policy_of_a_table(self):
        assert untagged(root_fields(), permits()) == []

    def test_every_operation_begins_with_its_modules_name(self):
        assert [code for code in permits() if code.partition(".")[0] not in MODULES] == []

    @pytest.mark.parametrize("metadata", [{}, {"operation": "meals.nobody_permits"}])
    def test_a_field_without_a_policy_is_found(self, metadata):
        field = type("Field", (), {"metadata": metadata})()

        assert len(untagged([("Query", "naked", field)], permits())) == 1

    def test_no_type_but_the_roots_takes_arguments_that_would_need_one(self):
        """Permission is decided where a root field's use case loads; deeper fields only show."""
        roots = {root.name for root in ROOTS}
        deeper = [
            f"{kind.name}.{name}"
            for kind in GRAPHQL.type_map.values()
            if is_object_type(kind) and kind.name not in roots and not kind.name.startswith("__")
            for name, field in kind.fields.items()
            if field.args
        ]

        assert deeper == []


class TestMutations:
    def test_each_takes_one_input_with_its_idempotency_key(self):
        wrong = [
            name
            for name, field in GRAPHQL.mutation_type.fields.items()
            if list(field.args) != ["input"]
            or "idempotencyKey" not in field.args["input"].type.of_type.fields
        ]

        assert wrong == []

    def test_each_answers_a_payload_whose_description_lists_its_codes(self):
        known = {refusal.code for refusal in refusals() if hasattr(refusal, "code")}
        for field in GRAPHQL.mutation_type.fields.values():
            payload = field.type.of_type
            assert isinstance(payload, GraphQLObjectType)
            assert {"errors", "replayed"} <= payload.fields.keys()
            codes = payload.description.rpartition("Codes: ")[2].split(", ")
            assert {"NOT_SIGNED_IN", "NOT_PERMITTED", "IDEMPOTENCY_MISMATCH"} <= set(codes)
            assert set(codes) <= known

    def test_refusals_with_facts_are_user_errors(self):
        interface = GRAPHQL.type_map["UserError"]
        assert is_interface_type(interface)
        for kind in ERROR_TYPES.values():
            assert interface in GRAPHQL.type_map[kind.__strawberry_definition__.name].interfaces

    def test_codes_are_unique(self):
        codes = [
            r.code for r in refusals() if r.__module__.startswith("courtside") and "code" in vars(r)
        ]

        assert sorted(codes) == sorted(set(codes))


class TestShapes:
    def test_everything_of_the_schema_is_described_or_plain(self):
        """Root fields say in both languages what they do."""
        silent = [
            f"{root.name}.{name}"
            for root in ROOTS
            for name, f in root.fields.items()
            if not f.description
        ]

        assert silent == []

    def test_no_field_is_a_float(self):
        """Money is a decimal string, counts are integers."""
        assert "Float" not in GRAPHQL.type_map
