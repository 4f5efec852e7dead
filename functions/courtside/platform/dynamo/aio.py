"""The engine over DynamoDB's HTTP interface: signed, sent and decoded here, nothing more.

Each call is one attempt; retries are the caller's.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from courtside.platform.connections import Answer, Broken, Connections
from courtside.platform.dynamo import expressions
from courtside.platform.dynamo.engine import (
    MAX_BATCH_GET,
    MAX_BATCH_PUT,
    MAX_TRANSACTION,
    Cancelled,
    EngineFault,
    Reason,
    Throttled,
    Unanswered,
)
from courtside.platform.dynamo.meter import current
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from courtside.platform.settings import Settings
from courtside.platform.signing import Credentials, Signer

_TYPE = "application/x-amz-json-1.0"
_LOCAL_KEY = Credentials("local", "local")
_COUNTED = {"ReturnConsumedCapacity": "TOTAL"}
_SERVER_FAILED = 500
# Texts travel as they are: a Han character in three bytes, not six.
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# What passes by itself. `ExpiredTokenException` is not among them: the environment's credentials
# outlive the container.
_LATER = {
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "TransactionInProgressException",
}


class DynamoEngine:
    """The platform's Engine on one event loop: its session opens with the first call."""

    def __init__(self, settings: Settings) -> None:
        self._real = dict(settings.tables)
        self._logical = {real: logical for logical, real in settings.tables.items()}
        self._http = Connections(settings.endpoint)
        self._region = settings.region
        self._local = settings.endpoint.startswith("http:")
        self._signer: Signer | None = None

    async def close(self) -> None:
        """End the connections; the next call opens another."""
        self._http.close()

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        if not 0 < len({(r.table, r.key) for r in reads}) <= MAX_BATCH_GET:
            raise EngineFault("a batch gets 1 to 100 items")
        found: dict[tuple[str, str, str], Item] = {}
        meter = current()
        asked: Mapping[str, Any] = self._batch(reads)
        while asked:
            with meter.call(write=False):
                answer = await self._send("BatchGetItem", {"RequestItems": asked, **_COUNTED})
            meter.read_units += _units(answer)
            before = len(found)
            for real, items in answer["Responses"].items():
                table = self._logical[real]
                found.update(((table, i["pk"]["S"], i["sk"]["S"]), i) for i in items)
            asked = answer.get("UnprocessedKeys") or {}
            if asked and len(found) == before:
                raise Throttled("no key was processed")
        return [found.get((r.table, *r.key)) for r in reads]

    async def query(self, query: Query) -> Slice:
        try:
            payload = expressions.query(query, self._real[query.table])
        except (ValueError, KeyError) as mistake:
            raise EngineFault(str(mistake)) from mistake
        meter = current()
        with meter.call(write=False):
            answer = await self._send("Query", payload)
        meter.read_units += _units(answer)
        return Slice(answer["Items"], answer.get("LastEvaluatedKey"))

    async def transact(self, writes: Sequence[Write]) -> None:
        if not 0 < len(writes) <= MAX_TRANSACTION:
            raise EngineFault("a transaction has 1 to 100 writes")
        real = self._real
        operations = [expressions.operation(w, real[w.table]) for w in writes]
        meter = current()
        with meter.call(write=True):
            answer = await self._send(
                "TransactWriteItems", {"TransactItems": operations, **_COUNTED}
            )
        meter.write_units += _units(answer)

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        if not 0 < len(items) <= MAX_BATCH_PUT:
            raise EngineFault("a batch puts 1 to 25 items")
        meter = current()
        asked: Mapping[str, Any] = {
            self._real[table]: [{"PutRequest": {"Item": item}} for item in items]
        }
        while asked:
            with meter.call(write=True):
                answer = await self._send("BatchWriteItem", {"RequestItems": asked, **_COUNTED})
            meter.write_units += _units(answer)
            left = answer.get("UnprocessedItems") or {}
            if _count(left) == _count(asked):
                raise Throttled("no item was processed")
            asked = left

    def _batch(self, reads: Sequence[Read]) -> dict[str, Any]:
        """RequestItems: each item once; a table consistently if any of its items must be."""
        consistent = {r.table for r in reads if r.consistent}
        asked: dict[str, Any] = {}
        for table, key in dict.fromkeys((r.table, r.key) for r in reads):
            of_table = asked.setdefault(
                self._real[table], {"Keys": [], "ConsistentRead": table in consistent}
            )
            of_table["Keys"].append({"pk": {"S": key.pk}, "sk": {"S": key.sk}})
        return asked

    async def _send(self, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """One signed request, and its answer or the error of the engine that it means."""
        body = _encoded(payload).encode()
        at = datetime.now(UTC)  # noqa: TID251 - a signature's time
        signer = self._signer = self._signer or self._new_signer()
        headers = signer.signed(f"DynamoDB_20120810.{action}", body, kind=_TYPE, at=at)
        try:
            answer = await self._http.send("POST", "/", headers=headers, body=body)
        except (Broken, TimeoutError) as failure:
            raise Unanswered(type(failure).__name__) from failure
        if answer.status != HTTPStatus.OK:
            raise _error(answer)
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def _new_signer(self) -> Signer:
        """A local engine takes any credentials."""
        return Signer(
            "dynamodb",
            region=self._region,
            host=self._http.host,
            credentials=_LOCAL_KEY if self._local else Credentials.of_environment(),
        )


def _error(answer: Answer) -> Exception:
    """What an answer other than 200 means. Its text may quote an item: only the code is told."""
    if answer.status >= _SERVER_FAILED:
        return Unanswered(f"HTTP {answer.status}")
    try:
        told = json.loads(answer.body)
        code = str(told["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        return EngineFault(f"HTTP {answer.status}")
    if code == "TransactionCanceledException":
        reasons = told["CancellationReasons"]
        return Cancelled([Reason(r["Code"], r.get("Item") or None) for r in reasons])
    return Throttled(code) if code in _LATER else EngineFault(code)


def _units(answer: Mapping[str, Any]) -> float:
    consumed = answer.get("ConsumedCapacity") or ()
    if isinstance(consumed, Mapping):
        return float(consumed["CapacityUnits"])
    return float(sum(c["CapacityUnits"] for c in consumed))


def _count(asked: Mapping[str, Sequence[Any]]) -> int:
    return sum(len(items) for items in asked.values())
