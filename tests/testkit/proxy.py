"""An HTTP proxy before a table engine that fails as DynamoDB can, from a seed.

Everything above it is the real thing: client, retries, transaction. Run it beside the test, or in
a process of its own: `python -m testkit.proxy --upstream http://127.0.0.1:8000 --lost 0.02`.
It prints its address, and its counts as one line of JSON when it ends.
"""

import argparse
import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

JSON = "application/x-amz-json-1.0"
_PREFIX = "com.amazonaws.dynamodb.v20120810#"
_INDEX_ACTION = "Query"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyFaults:
    """Probabilities for each request, and durations in seconds.

    `lost`: the connection ends before the request reaches the engine. `unanswered`: it ends after
    the engine has done it. `delayed` by up to `delay`. `throttled`, `failed`: 400 and 500 without
    any effect. `overlap` is how long a transaction holds its items: two that overlap on one item
    conflict. `stale`: a query of an index answers what it answered before, if it ever did.
    """

    lost: float = 0.0
    unanswered: float = 0.0
    delayed: float = 0.0
    delay: float = 0.05
    throttled: float = 0.0
    failed: float = 0.0
    overlap: float = 0.0
    stale: float = 0.0


class _Asked(NamedTuple):
    """One request of a client, decoded once."""

    action: str
    body: bytes
    headers: Mapping[str, str]
    content: dict[str, Any]


class _Lost(Exception):
    """The connection shall end without an answer."""


class FaultProxy:
    """`async with FaultProxy(upstream, faults, seed=7) as proxy:` then speak to `proxy.endpoint`.

    `counts` tells what happened, so that a test can see that its faults were there.
    """

    def __init__(self, upstream: str, faults: ProxyFaults, *, seed: int = 0) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self.endpoint = ""
        self._upstream = upstream
        self._chance = random.Random(seed)
        self._held: Counter[str] = Counter()
        self._answered: dict[bytes, bytes] = {}
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *, port: int = 0) -> str:
        """Listen on loopback and answer the address."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=30),
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
        )
        self._runner = web.ServerRunner(web.Server(self._answer))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.endpoint = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.endpoint

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = await _asked(request)
        self.counts[asked.action] += 1
        try:
            return await self._faulty(asked)
        except _Lost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def _faulty(self, asked: _Asked) -> web.Response:
        faults = self.faults
        if self._happens("delayed", faults.delayed):
            await asyncio.sleep(self._chance.uniform(0, faults.delay))
        if self._happens("lost", faults.lost):
            raise _Lost
        if self._happens("throttled", faults.throttled):
            return _refused("ThrottlingException", "Rate exceeded")
        if self._happens("failed", faults.failed):
            return web.Response(status=500, text="{}", content_type=JSON)
        if asked.action == "TransactWriteItems" and faults.overlap:
            answer = await self._transact(asked)
        else:
            answer = await self._read(asked)
        if self._happens("unanswered", faults.unanswered):
            raise _Lost
        return answer

    async def _transact(self, asked: _Asked) -> web.Response:
        """The transaction, unless another holds one of its items."""
        targets = [_target(operation) for operation in asked.content["TransactItems"]]
        taken = [self._held[target] > 0 for target in targets]
        if any(taken):
            self.counts["conflict"] += 1
            return _cancelled(taken)
        with self._holding(targets):
            await asyncio.sleep(self.faults.overlap)
            return await self._forward(asked)

    async def _read(self, asked: _Asked) -> web.Response:
        if asked.action != _INDEX_ACTION or "IndexName" not in asked.content:
            return await self._forward(asked)
        earlier = self._answered.get(asked.body)
        if earlier is not None and self._happens("stale", self.faults.stale):
            return web.Response(body=earlier, content_type=JSON)
        answer = await self._forward(asked)
        if self.faults.stale and isinstance(answer.body, bytes) and answer.status == 200:
            self._answered[asked.body] = answer.body
        return answer

    async def _forward(self, asked: _Asked) -> web.Response:
        if self._session is None:
            raise RuntimeError("the proxy has not been started")
        async with self._session.post(
            self._upstream, data=asked.body, headers=asked.headers
        ) as answer:
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type=JSON)

    @contextmanager
    def _holding(self, targets: list[str]) -> Iterator[None]:
        self._held.update(targets)
        try:
            yield
        finally:
            self._held.subtract(targets)

    def _happens(self, fault: str, probability: float) -> bool:
        happens = probability > 0 and self._chance.random() < probability
        self.counts[fault] += happens
        return happens


async def _asked(request: web.BaseRequest) -> _Asked:
    body = await request.read()
    kept = ("Content-Type", "X-Amz-Target", "X-Amz-Date", "Authorization")
    headers = {name: request.headers[name] for name in kept if name in request.headers}
    action = request.headers.get("X-Amz-Target", ".").rpartition(".")[2]
    return _Asked(action, body, headers, json.loads(body or b"{}"))


def _target(operation: Mapping[str, Any]) -> str:
    """Table and key of one operation of a transaction."""
    ((_, inner),) = operation.items()
    key = inner.get("Key") or inner["Item"]
    return f"{inner['TableName']}\n{key['pk']['S']}\n{key['sk']['S']}"


def _cancelled(taken: list[bool]) -> web.Response:
    conflict = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    reasons = [conflict if busy else {"Code": "None"} for busy in taken]
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons [{codes}]"
    return _refused("TransactionCanceledException", message, CancellationReasons=reasons)


def _refused(kind: str, message: str, **more: Any) -> web.Response:
    body = json.dumps({"__type": _PREFIX + kind, "message": message, **more})
    return web.Response(status=400, text=body, content_type=JSON)


async def _serve(upstream: str, faults: ProxyFaults, *, seed: int, port: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    proxy = FaultProxy(upstream, faults, seed=seed)
    try:
        print(await proxy.start(port=port), flush=True)  # noqa: T201 - a command's answer
        await ended.wait()
        print(json.dumps(dict(proxy.counts)), flush=True)  # noqa: T201 - a command's answer
    finally:
        await proxy.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="A fault proxy before a table engine.")
    parser.add_argument("--upstream", required=True, type=_address)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    for field in fields(ProxyFaults):
        parser.add_argument(f"--{field.name}", type=float, default=field.default)
    given = vars(parser.parse_args())
    faults = ProxyFaults(**{field.name: given[field.name] for field in fields(ProxyFaults)})
    asyncio.run(_serve(given["upstream"], faults, seed=given["seed"], port=given["port"]))


def _address(text: str) -> str:
    if urlsplit(text).scheme not in ("http", "https"):
        raise argparse.ArgumentTypeError("an address begins with http:// or https://")
    return text


if __name__ == "__main__":
    main()
