"""Every operation that a schema allows, with arguments found in earlier answers.

A new field, argument or type is walked without a line here: documents select everything that can
be reached, ids and words come from what an owner was shown.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
)

DEEPEST = 7  # as deep as the schema goes; a type within itself would go on for ever
_KEYS = count(1)
_WORDS: Mapping[str, Any] = {
    "String": "一二三",
    "Int": 1,
    "Boolean": True,
    "Money": "1.00",
    "Date": "2026-03-02",
    "DateTime": "2026-03-02T10:30:00+08:00",
    "Time": "09:30",
}
_NUMBERS = {"year": 2026, "month": 3, "first": 20, "size": 64, "page": 1}
_BLAND = re.compile(r"[\d:.+TZ-]*|[A-Z_0-9]*|https?://.*")  # instants, money, enums, grants


@dataclass(slots=True)
class Seen:
    """What answers showed: ids by kind, words by field name, and which fields had a value."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)

    def take(self, answer: Any, name: str = "") -> None:
        """Keep every string of an answer."""
        if isinstance(answer, Mapping):
            for key, value in answer.items():
                self.take(value, key)
        elif isinstance(answer, list):
            for value in answer:
                self.take(value, name)
        elif isinstance(answer, str):
            _keep(self.words, name, answer)
            kind = kind_of(answer)
            if kind is not None:
                _keep(self.ids, kind, answer)

    def strings(self) -> set[str]:
        """Everything that would tell something: no enums, instants or amounts."""
        found = {word for words in self.words.values() for word in words}
        return {word for word in found if len(word) > 3 and not _BLAND.fullmatch(word)}


@dataclass(frozen=True, slots=True)
class Root:
    """A root field with its document, which selects all that can be reached."""

    name: str
    text: str
    arguments: Mapping[str, GraphQLArgument]
    reached: frozenset[str]
    is_mutation: bool


def roots(schema: GraphQLSchema) -> list[Root]:
    """Every root field of the schema."""
    found = []
    for kind, verb in ((schema.query_type, "query"), (schema.mutation_type, "mutation")):
        assert kind is not None
        found += [_root(schema, kind, name, verb) for name in kind.fields]
    return found


def all_fields(schema: GraphQLSchema) -> set[str]:
    """`Type.field` of every object type that answers can hold."""
    return {
        f"{kind.name}.{name}"
        for kind in schema.type_map.values()
        if is_object_type(kind) and not kind.name.startswith("__")
        for name in kind.fields
    }


def places(arguments: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Where an id stands in the arguments."""
    yield from _places(arguments, "ID", ())


def days(arguments: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Where a date stands in the arguments."""
    yield from _places(arguments, "Date", ())


def variables(
    root: Root, seen: Seen, *, put: Mapping[tuple[str, ...], Any] | None = None
) -> dict[str, Any]:
    """Arguments of what was seen, with ids or dates `put` at some places."""
    return {
        name: _value(name, one.type, seen, put or {}, (name,))
        for name, one in root.arguments.items()
    }


def values(answer: Any, kind: GraphQLOutputType, schema: GraphQLSchema) -> Iterator[str]:
    """`Type.field` of everything that has a value in an answer of that type."""
    if isinstance(answer, list):
        for one in answer:
            yield from values(one, kind, schema)
    elif isinstance(answer, Mapping):
        named: Any = get_named_type(kind)
        if is_abstract_type(named):
            named = schema.type_map[answer["__typename"]]
        assert isinstance(named, GraphQLObjectType)
        for name, value in answer.items():
            own = name.removeprefix(f"{named.name}_")
            if own != "__typename" and value is not None:
                yield f"{named.name}.{own}"
                yield from values(value, named.fields[own].type, schema)


def choices(root: Root) -> Iterator[dict[tuple[str, ...], Any]]:
    """What may be left out among the ids that it does not need: nothing, all but one, all."""
    found = [
        (name,)
        for name, one in root.arguments.items()
        if get_named_type(one.type).name == "ID" and not _is_required(one)
    ]
    yield {}
    for kept in found:
        yield {place: None for place in found if place != kept}
    if found:
        yield dict.fromkeys(found)


def kind_of(text: str) -> str | None:
    """The kind that an opaque id names, None for other text."""
    try:
        parts = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        return None
    kind, mark, _ = parts.partition("\n")
    return kind if mark and kind.isalnum() else None


def absent(opaque: str) -> str:
    """An id of the same kind and length that belongs to nobody."""
    text = base64.urlsafe_b64decode(opaque + "=" * (-len(opaque) % 4)).decode()
    kind, *parts = text.split("\n")
    last = parts[-1]
    other = "".join("Y" if c == "Z" else "Z" if c.isalnum() else c for c in last)
    return (
        base64.urlsafe_b64encode("\n".join((kind, *parts[:-1], other)).encode())
        .decode()
        .rstrip("=")
    )


def strings(answer: Any) -> Iterator[str]:
    """Every string value of an answer."""
    if isinstance(answer, Mapping):
        for value in answer.values():
            yield from strings(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from strings(value)
    elif isinstance(answer, str):
        yield answer


def _places(
    arguments: Mapping[str, Any], scalar: str, path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    for name, one in arguments.items():
        kind = get_named_type(one.type)
        if is_input_object_type(kind):
            yield from _places(kind.fields, scalar, (*path, name))
        elif kind.name == scalar:
            yield (*path, name)


def _root(schema: GraphQLSchema, kind: GraphQLObjectType, name: str, verb: str) -> Root:
    declared = kind.fields[name]
    reached: set[str] = {f"{kind.name}.{name}"}
    chosen = _chosen(schema, declared, reached, DEEPEST)
    head = ", ".join(f"${a}: {one.type}" for a, one in declared.args.items())
    given = ", ".join(f"{a}: ${a}" for a in declared.args)
    text = (
        f"{verb} {f'({head})' if head else ''} {{ {name}{f'({given})' if given else ''}{chosen} }}"
    )
    return Root(name, text, declared.args, frozenset(reached), verb == "mutation")


def _chosen(schema: GraphQLSchema, one: GraphQLField, reached: set[str], left: int) -> str:
    kind: Any = get_named_type(one.type)
    if is_leaf_type(kind):
        return ""
    if left == 0:
        raise RecursionError(f"{kind} lies deeper than {DEEPEST}")
    if is_abstract_type(kind):
        parts = [
            f"... on {inner.name} {_selection(schema, inner, reached, left, aliased=True)}"
            for inner in schema.get_possible_types(kind)
        ]
        return f" {{ __typename {' '.join(parts)} }}"
    return " " + _selection(schema, kind, reached, left)


def _selection(
    schema: GraphQLSchema,
    kind: GraphQLObjectType,
    reached: set[str],
    left: int,
    *,
    aliased: bool = False,
) -> str:
    """All fields; in members of an interface those of their own under a name of their own."""
    shared = (
        {name for one in kind.interfaces for name in one.fields} if aliased else set(kind.fields)
    )
    reached |= {f"{kind.name}.{name}" for name in kind.fields}
    parts = [
        ("" if name in shared else f"{kind.name}_{name}: ")
        + name
        + _chosen(schema, inner, reached, left - 1)
        for name, inner in kind.fields.items()
        if all(not _is_required(argument) for argument in inner.args.values())
    ]
    return f"{{ {' '.join(parts)} }}"


def _is_required(argument: GraphQLArgument) -> bool:
    return get_nullable_type(argument.type) is not argument.type


def _value(
    name: str,
    kind: GraphQLInputType,
    seen: Seen,
    put: Mapping[tuple[str, ...], Any],
    path: tuple[str, ...],
) -> Any:
    inner: Any = get_nullable_type(kind)
    if is_list_type(inner):
        return [_value(name, inner.of_type, seen, put, path)]
    if isinstance(inner, GraphQLInputObjectType):
        return {
            one: _value(one, declared.type, seen, put, (*path, one))
            for one, declared in inner.fields.items()
        }
    if path in put:
        return put[path]
    if inner.name == "ID":
        return _id(name, seen)
    if is_enum_type(inner):
        return _enum(name, inner, seen)
    return _word(name, inner.name, seen)


def _id(name: str, seen: Seen) -> str:
    """An id of the kind that the argument's name speaks of, else any."""
    wanted = name.removesuffix("Id").lower()
    kinds = {"diner": "Person", "parent": "Unit"}
    fits = [k for k in seen.ids if wanted and k.lower().endswith(kinds.get(wanted, wanted).lower())]
    kind = (fits or list(seen.ids) or [""])[0]
    return (seen.ids.get(kind) or [""])[0]


def _enum(name: str, kind: GraphQLEnumType, seen: Seen) -> str:
    known = [word for word in seen.words.get(name, ()) if word in kind.values]
    return known[0] if known else next(iter(kind.values))


def _word(name: str, scalar: str, seen: Seen) -> Any:
    if name == "idempotencyKey":
        return f"walk-{next(_KEYS):08d}"
    if name == "after":
        return None  # the first page
    if scalar in ("String", "Date"):
        singular = seen.words.get(name) or seen.words.get(f"{name}s")
        return (singular or [_WORDS[scalar]])[0]
    return _NUMBERS.get(name, _WORDS[scalar])


def _keep(known: dict[str, list[str]], name: str, value: str) -> None:
    held = known.setdefault(name, [])
    if value not in held:
        held.append(value)


__all__ = [
    "Root",
    "Seen",
    "absent",
    "all_fields",
    "choices",
    "days",
    "kind_of",
    "places",
    "roots",
    "strings",
    "values",
    "variables",
]
