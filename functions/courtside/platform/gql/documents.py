"""Trusted documents and prepared ones.

A known client names an operation of `graphql/operations` by `documentId`, `sha256:` and the digest
of its text. Every document, trusted or not, is parsed, measured and validated once and then kept.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from courtside.platform.gql.limits import DEVELOPMENT, Limits, TooLarge, too_large

PREFIX = "sha256:"
MANIFEST = "manifest.json"
MOST_ERRORS = 5  # of one document; validation goes no further than the next
KEPT = 512  # prepared documents; one of the manifest takes about 60 KB


@dataclass(frozen=True, slots=True)
class Operation:
    """One file of `graphql/operations`: the operation's name and its text."""

    name: str
    text: str


class TrustedDocuments:
    """The manifest; a document's text is read when first asked for and must match its digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        manifest = folder / MANIFEST
        text = manifest.read_text("utf-8") if manifest.is_file() else "{}"
        self._files: dict[str, str] = json.loads(text)
        self._read: dict[str, Operation] = {}

    @property
    def ids(self) -> list[str]:
        """The `documentId` of every operation."""
        return [PREFIX + digest for digest in self._files]

    def find(self, document_id: str) -> Operation | None:
        """The operation of that id, or None."""
        known = self._read.get(document_id)
        if known is None and document_id.startswith(PREFIX):
            file = self._files.get(document_id.removeprefix(PREFIX))
            known = None if file is None else self._load(document_id, file)
        return known

    def id_of(self, name: str) -> str:
        """The id of the operation of that name; KeyError if there is none."""
        for digest, file in self._files.items():
            if Path(file).stem == name:
                return PREFIX + digest
        raise KeyError(name)

    def _load(self, document_id: str, file: str) -> Operation:
        text = (self._folder / file).read_text("utf-8")
        if document_id_of(text) != document_id:
            raise ValueError(f"{file} is not what {MANIFEST} says: run `make operations`")
        operation = self._read[document_id] = Operation(Path(file).stem, text)
        return operation


def document_id_of(text: str) -> str:
    """The id under which a document is known."""
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()


def make_manifest(folder: Path) -> dict[str, str]:
    """Digest to file for every operation under `folder`, ordered by file."""
    files = sorted(folder.glob("*/*.graphql"))
    return {
        document_id_of(file.read_text("utf-8")).removeprefix(PREFIX): str(file.relative_to(folder))
        for file in files
    }


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that was read: what is wrong with it, or the tree that may be executed."""

    document: DocumentNode | None
    errors: list[GraphQLError]
    operations: tuple[str | None, ...] = ()

    def runs(self, operation_name: str | None) -> bool:
        """Whether it is clear which operation is meant: the one there is, or the one named."""
        return (
            len(self.operations) == 1
            if operation_name is None
            else (operation_name in self.operations)
        )


class Preparation:
    """Parse, measure, validate, in this order, each only if the one before found nothing."""

    def __init__(self, *, development: bool, kept: int = KEPT) -> None:
        self.limits = DEVELOPMENT if development else Limits()
        rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
        self._rules = rules if development else (*rules, NoSchemaIntrospectionCustomRule)
        self._kept = kept
        self._known: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, schema: Schema, text: str, operation_name: str | None) -> Prepared:
        """What is known of a document, looked at only once."""
        prepared = self._prepared(schema, text)
        return prepared if prepared.errors or prepared.runs(operation_name) else _UNNAMED

    def _prepared(self, schema: Schema, text: str) -> Prepared:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._look_at(schema, text)
            if len(self._known) > self._kept:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(text)
        return known

    def _look_at(self, schema: Schema, text: str) -> Prepared:
        try:
            document = parse(text, max_tokens=self.limits.tokens)
            errors = too_large(document, self.limits) or self._validate(schema, document)
        except GraphQLSyntaxError as error:
            return Prepared(None, [self._syntax(error)])
        except RecursionError:
            return Prepared(None, [TooLarge("depth", self.limits.depth)])
        return Prepared(document, errors, tuple(_operation_names(document)))

    def _validate(self, schema: Schema, document: DocumentNode) -> list[GraphQLError]:
        inner = schema._schema  # noqa: SLF001 - it has no public name
        found = validate(
            inner, document, self._rules, max_errors=MOST_ERRORS, hide_suggestions=True
        )
        return _coded(found[:MOST_ERRORS], "DOCUMENT_INVALID")

    def _syntax(self, error: GraphQLSyntaxError) -> GraphQLError:
        if f"more than {self.limits.tokens} tokens" in error.message:
            return TooLarge("tokens", self.limits.tokens)
        if "nested too deeply" in error.message:
            return TooLarge("depth", self.limits.depth)
        return _coded([error], "DOCUMENT_SYNTAX")[0]


def _operation_names(document: DocumentNode) -> Iterator[str | None]:
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            yield None if node.name is None else node.name.value


def _coded(errors: Sequence[GraphQLError], code: str) -> list[GraphQLError]:
    for error in errors:
        error.extensions = {**(error.extensions or {}), "code": code}
    return list(errors)


_UNNAMED = Prepared(
    None,
    [
        GraphQLError(
            "请求须恰好含一个操作,或以 operationName 指明 / Name the operation to run.",
            extensions={"code": "OPERATION_NAME"},
        )
    ],
)
