"""The engine over DynamoDB's HTTP interface: aiodynamo signs, sends and decodes, nothing more.

aiodynamo's own operations lack the old items of failed conditions and the consumed capacity, so
the payloads are ours. Each call is one attempt; retries are the caller's.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from aiodynamo import errors
from aiodynamo.credentials import Credentials, Key, StaticCredentials
from aiodynamo.http.types import Request, RequestFailed, Response
from aiodynamo.sign import signed_dynamo_request
from yarl import URL

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
from courtside.platform.lean import late_certificates
from courtside.platform.settings import Settings

with late_certificates():
    import aiohttp

# aiodynamo logs whole requests on DEBUG, and with them personal data: never, at whatever level.
logging.getLogger("aiodynamo").setLevel(logging.WARNING)

_TIMEOUT = aiohttp.ClientTimeout(total=2, connect=1)
_LOCAL_KEY = StaticCredentials(Key("local", "local"))
_COUNTED = {"ReturnConsumedCapacity": "TOTAL"}
_SERVER_FAILED = 500

_LATER = (
    errors.ExpiredToken,
    errors.Throttled,
    errors.ProvisionedThroughputExceeded,
    errors.RequestLimitExceeded,
    errors.TransactionConflict,
    errors.TransactionInProgress,
)
_UNKNOWN = (
    TimeoutError,
    RequestFailed,
    errors.InternalDynamoError,
    errors.ServiceUnavailable,
)


class DynamoEngine:
    """The platform's Engine on one event loop: its session opens with the first call."""

    def __init__(self, settings: Settings) -> None:
        self._endpoint = URL(settings.endpoint)
        self._region = settings.region
        self._real = dict(settings.tables)
        self._logical = {real: logical for logical, real in settings.tables.items()}
        self._url = str(self._endpoint)
        self._credentials = _credentials(self._endpoint)
        self._http: _Http | None = None

    async def close(self) -> None:
        """End the session; the next call opens another."""
        http, self._http = self._http, None
        if http is not None:
            await http.session.close()

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
        """One signed request. aiodynamo's own client would do the same, with imports that take
        longer than the first request."""
        http = self._http = self._http or _Http(self._endpoint)
        with _translated():
            key = await self._credentials.get_key(http)
            if key is None:
                raise errors.NoCredentialsFound
            signed = signed_dynamo_request(
                key=key,
                payload=payload,
                action=action,
                region=self._region,
                endpoint=self._endpoint,
            )
            response = await http(
                Request(method="POST", url=self._url, headers=signed.headers, body=signed.body)
            )
            if response.status != HTTPStatus.OK:
                failure = errors.exception_from_response(response.status, response.body)
                if isinstance(failure, errors.ExpiredToken):
                    self._credentials.invalidate()
                raise failure
        answer: dict[str, Any] = json.loads(response.body)
        return answer


class _Http:
    """aiodynamo's transport over one aiohttp session without what DynamoDB never uses."""

    def __init__(self, endpoint: URL) -> None:
        self._endpoint = str(endpoint)
        self._url = endpoint
        self.session = aiohttp.ClientSession(
            timeout=_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def __call__(self, request: Request) -> Response:
        url = self._url if request.url == self._endpoint else request.url
        try:
            async with self.session.request(
                request.method, url, headers=request.headers, data=request.body
            ) as response:
                return Response(response.status, await response.read())
        except aiohttp.ClientError as failure:
            raise RequestFailed(failure) from failure


def _credentials(endpoint: URL) -> Credentials:
    """The environment's, the container's or the instance's; a local engine takes any."""
    return _LOCAL_KEY if endpoint.scheme == "http" else Credentials.auto()


@contextmanager
def _translated() -> Iterator[None]:
    """The errors of aiodynamo and the transport's errors as the engine's own."""
    try:
        yield
    except errors.TransactionCanceled as cancelled:
        reasons = cancelled.body["CancellationReasons"]
        raise Cancelled([Reason(r["Code"], r.get("Item") or None) for r in reasons]) from None
    except _LATER as later:
        raise Throttled(type(later).__name__) from None
    except _UNKNOWN as unknown:
        raise Unanswered(type(unknown).__name__) from unknown
    except errors.UnknownError as other:
        if other.status >= _SERVER_FAILED:
            raise Unanswered(f"HTTP {other.status}") from None
        raise EngineFault(f"HTTP {other.status}") from None
    except errors.AIODynamoError as fault:
        raise EngineFault(type(fault).__name__) from fault


def _units(answer: Mapping[str, Any]) -> float:
    consumed = answer.get("ConsumedCapacity") or ()
    if isinstance(consumed, Mapping):
        return float(consumed["CapacityUnits"])
    return float(sum(c["CapacityUnits"] for c in consumed))


def _count(asked: Mapping[str, Sequence[Any]]) -> int:
    return sum(len(items) for items in asked.values())
