"""Looks at every request of a test: what it wrote, and whether that is what must be journalled."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from graphql import OperationDefinitionNode, OperationType, parse
from infra.memory.engine import MemoryEngine
from infra.memory.items import size

from courtside.entrypoints.schema import schema
from courtside.kernel.journal import READ, REFUSAL
from courtside.platform.dynamo.journal import JOURNAL, StoredEntry, from_item
from courtside.platform.dynamo.values import Op, Write
from courtside.platform.gql.documents import document_id_of
from testkit.graphql import Answer, Client

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"
LARGEST = 1024  # bytes of an entry (design, section 3)
Transaction = tuple[Write, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An operation's file: its name, root field and policy."""

    name: str
    field: str
    policy: str
    is_mutation: bool


@cache
def known() -> Mapping[str, Known]:
    """Every operation by the id of its document; those of one root field only."""
    found = {}
    for file in OPERATIONS.glob("*/*.graphql"):
        text = file.read_text("utf-8")
        (operation,) = [
            d for d in parse(text).definitions if isinstance(d, OperationDefinitionNode)
        ]
        name: str = getattr(operation.selection_set.selections[0], "name").value  # noqa: B009
        is_mutation = operation.operation is OperationType.MUTATION
        found[document_id_of(text)] = Known(
            name=file.stem, field=name, policy=_policy(name, is_mutation), is_mutation=is_mutation
        )
    return found


def _policy(name: str, is_mutation: bool) -> str:  # noqa: FBT001
    graphql = schema._schema
    root = graphql.mutation_type if is_mutation else graphql.query_type
    assert root is not None
    policy: str = root.fields[name].extensions["strawberry-definition"].metadata["operation"]
    return policy


@dataclass(slots=True)
class Recorder:
    """`done` counts mutations that were carried out; `problems` is what was wrong, in words."""

    done: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    _written: ContextVar[list[Transaction] | None] = field(
        default_factory=lambda: ContextVar("recorded", default=None)
    )

    def apply(self, original: Callable[..., None]) -> Callable[..., None]:
        """`MemoryEngine._apply`, telling of each transaction that took effect."""

        def applied(engine: MemoryEngine, writes: list[Write], meter: Any) -> None:
            original(engine, writes, meter)
            written = self._written.get()
            if written is not None:
                written.append(tuple(writes))

        return applied

    def send(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """`Client.send`, looking at what each request left."""

        async def sent(client: Client, raw: bytes, **more: Any) -> Answer:
            token = self._written.set([])
            try:
                answer: Answer = await original(client, raw, **more)
                operation = _operation(raw)
                if operation is not None:
                    self.look(operation, answer, self._written.get() or [])
            finally:
                self._written.reset(token)
            return answer

        return sent

    def forgive(self) -> list[str]:
        """The problems so far, which a broken twin caused on purpose."""
        forgiven = list(self.problems)
        self.problems.clear()
        return forgiven

    def look(self, operation: Known, answer: Answer, written: list[Transaction]) -> None:
        """Judge one answered request by what it wrote."""
        for transaction in written:
            if len(entries_in(transaction)) != 1:
                self._tell(operation, f"a transaction with {len(entries_in(transaction))} entries")
        entries = [from_item(put.put or {}) for t in written for put in entries_in(t)]
        if operation.is_mutation and _is_done(operation, answer, written):
            self.done[operation.name] += 1
            self._mutation(operation, entries, written)
        else:
            self._rest(operation, entries, written)
        for entry in entries:
            self._fields(operation, entry)

    def _mutation(
        self, operation: Known, entries: list[StoredEntry], written: list[Transaction]
    ) -> None:
        if [entry.operation for entry in entries] != [operation.policy]:
            self._tell(operation, f"was done and left {[e.operation for e in entries]}")
        elif len(written[0]) < 2:
            self._tell(operation, "its entry stands in a transaction of its own")
        elif not entries[0].changes:
            self._tell(operation, "its entry names no version")

    def _rest(
        self, operation: Known, entries: list[StoredEntry], written: list[Transaction]
    ) -> None:
        """Refused, replayed, or read: nothing but the entry of a refusal or of a look."""
        if any(len(transaction) != 1 for transaction in written):
            self._tell(operation, "changed something and was not done")
        for entry in entries:
            if entry.result.kind not in {READ, REFUSAL}:
                self._tell(operation, f"left the entry of {entry.operation}")
            self.noted[f"{operation.name} {entry.result.kind}"] += 1

    def _fields(self, operation: Known, entry: StoredEntry) -> None:
        who, result = entry.principal, entry.result
        told = (
            who.court,
            who.client,
            who.person,
            entry.id,
            entry.operation,
            result.kind,
            result.id,
        )
        if not all(told) or result.version < 1 or entry.at.tzinfo is None:
            self._tell(operation, f"an entry that does not say all: {told}")

    def _tell(self, operation: Known, says: str) -> None:
        self.problems.append(f"{operation.name}: {says}")


def entries_in(transaction: Transaction) -> list[Write]:
    """The journal's puts: each new, and small."""
    found = [write for write in transaction if write.table == JOURNAL]
    for write in found:
        assert [check.op for check in write.checks] == [Op.ABSENT], write.checks
        assert write.put is not None
        assert size(write.put) <= LARGEST, write.key
    return found


def _operation(raw: bytes) -> Known | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return known().get(str(body.get("documentId"))) if isinstance(body, dict) else None


def _is_done(operation: Known, answer: Answer, written: list[Transaction]) -> bool:
    """Whether this request did it. One that finds its own commit, of which it never heard, says
    that it was replayed."""
    payload: Any = (answer.body.get("data") or {}).get(operation.field)
    done = bool(payload) and payload["errors"] == []
    return done and (bool(written) or not payload["replayed"])
