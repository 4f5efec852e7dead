"""Executing documents: graphql-core's executor with a short way for plain fields.

Nearly all fields of a screen are an attribute with a scalar or a list of scalars. For those the
executor would build a resolve info, a call through two resolvers and a completion, fifteen times
the work of reading and writing the value. Whatever is unusual takes the long way and meets the
server's own rules and errors there.
"""

from collections.abc import Callable
from dataclasses import MISSING
from inspect import isawaitable
from operator import attrgetter
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    Undefined,
    execute,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql import ExecutionResult as GraphQLExecutionResult
from graphql.pyutils import Path
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionResult
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryObjectDefinition

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


class Schema(strawberry.Schema):
    """Strawberry's schema, whose plain fields have their readers and inputs their makers."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts, execution_context_class=PlainFieldsExecutor)
        mark_plain_fields(self._schema)
        make_inputs_at_once(self._schema)


async def executed(
    schema: Schema,
    document: DocumentNode,
    *,
    variables: dict[str, Any] | None,
    context: object,
    operation_name: str | None,
) -> ExecutionResult:
    """Run a document that was parsed and validated.

    Strawberry's own way to here parses, validates, calls extensions and logs errors together with
    their variables; none of it is wanted.
    """
    answer = execute(
        schema._schema,  # noqa: SLF001 - it has no public name
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        executor_class=PlainFieldsExecutor,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
    )
    result: GraphQLExecutionResult = await answer if isawaitable(answer) else answer
    return ExecutionResult(data=result.data, errors=result.errors)


def mark_plain_fields(schema: GraphQLSchema) -> None:
    """Give every plain field of a schema its reader, once, when the schema is made."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for field in kind.fields.values():
                reader = _reader(field)
                if reader is not None:
                    field.extensions[READER] = reader


def make_inputs_at_once(schema: GraphQLSchema) -> None:
    """Let graphql-core make the objects of input types while it coerces their values.

    Strawberry would walk the coerced values a second time and look every field's name and type up
    again for each request, which is a twelfth of an order.
    """
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            definition = kind.extensions["strawberry-definition"]
            for field in kind.fields.values():
                field.out_name = field.extensions["strawberry-definition"].python_name
            kind.out_type = _maker(definition)  # type: ignore[assignment,method-assign]
            definition.from_input = _made_already


def _maker(definition: StrawberryObjectDefinition) -> Callable[[dict[str, Any]], Any]:
    """An input without a default that was left out is None, as strawberry has it."""
    has_none = (f for f in definition.fields if f.default is MISSING is f.default_factory)
    missing = dict.fromkeys(field.python_name for field in has_none)
    return lambda values: definition.origin(**missing | values)


def _made_already(_: type, value: Any, __: InputContext) -> Any:
    return value


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
