"""Executing documents: graphql-core's executor with a short way for plain fields.

Nearly all fields of a screen are an attribute with a scalar or a list of scalars. For those the
executor would build a resolve info, a call through two resolvers and a completion, fifteen times
the work of reading and writing the value. Whatever is unusual takes the long way and meets the
server's own rules and errors there.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

Reader = Callable[[Any], Any]
READER = "plain-reader"  # the key of a field's extensions under which its reader stands


class NotPlain(Exception):
    """The value needs the long way."""


class PlainFieldsExecutor(StrawberryGraphQLCoreExecutionContext):
    """Answers a plain field from its source at once."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Any,
        path: Path,
        position_context: Any,
    ) -> Any:
        field = parent_type.fields.get(field_details_list[0].node.name.value)
        reader = None if field is None else field.extensions.get(READER)
        if reader is not None:
            try:
                return reader(source)
            except Exception:  # noqa: BLE001, S110 - the long way raises it again, located
                pass
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )


def mark_plain_fields(schema: GraphQLSchema) -> None:
    """Give every plain field of a schema its reader, once, when the schema is made."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for field in kind.fields.values():
                reader = _reader(field)
                if reader is not None:
                    field.extensions[READER] = reader


def _reader(field: GraphQLField) -> Reader | None:
    declared = field.extensions.get("strawberry-definition")
    if field.args or declared is None or not declared.is_basic_field:
        return None
    write = _writer(field.type)
    if write is None or not declared.python_name:
        return None
    read = attrgetter(declared.python_name)
    return lambda source: write(read(source))


def _writer(kind: GraphQLOutputType) -> Reader | None:
    """How a value of a leaf, or of a list of leaves, is written; None for other types."""
    inner = get_nullable_type(kind)
    if is_leaf_type(inner):
        return _leaf(inner.coerce_output_value, nullable=not is_non_null_type(kind))
    if is_list_type(inner):
        item = _writer(inner.of_type)
        return None if item is None else _list(item, nullable=not is_non_null_type(kind))
    return None


def _leaf(coerce: Reader, *, nullable: bool) -> Reader:
    def write(value: Any) -> Any:
        if value is None and nullable:
            return None
        written = None if value is None else coerce(value)
        if written is None or written is Undefined:
            raise NotPlain
        return written

    return write


def _list(item: Reader, *, nullable: bool) -> Reader:
    def write(value: Any) -> Any:
        if value is None and nullable:
            return None
        if not isinstance(value, list | tuple):
            raise NotPlain
        return [item(one) for one in value]

    return write
