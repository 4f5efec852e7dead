"""What a request costs in CPU beside its storage calls, in units of a plain cached request.

The unit is a stock strawberry application with its parser and validation caches that answers one
object, driven in the same way in the same run.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import strawberry
from infra.memory.engine import MemoryEngine
from mangum import Mangum
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from bench.cold_start import rest_event
from bench.table import Row
from courtside.entrypoints.graphql_http import lambda_handler
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from courtside.platform.gql.documents import document_id_of
from testkit.graphql import LambdaContext
from testkit.rush import Kitchen, Rush, Wish, open_kitchen, prepare
from testkit.screens import document

ORDERS = 400
TURNS = 400
SEED = 7
DISHES = 20

Handler = Callable[[Any, Any], Mapping[str, Any]]


class Apart:
    """An engine whose calls are timed, so that they can be taken off."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self.cpu = 0.0

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        began = time.process_time()
        try:
            return await self._inner.get(reads)
        finally:
            self.cpu += time.process_time() - began

    async def query(self, query: Query) -> Slice:
        began = time.process_time()
        try:
            return await self._inner.query(query)
        finally:
            self.cpu += time.process_time() - began

    async def transact(self, writes: Sequence[Write]) -> None:
        began = time.process_time()
        try:
            await self._inner.transact(writes)
        finally:
            self.cpu += time.process_time() - began

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await self._inner.put_many(table, items)

    async def close(self) -> None:
        await self._inner.close()


@strawberry.type
class Greeting:
    text: str


@strawberry.type
class Hello:
    @strawberry.field
    async def hello(self) -> Greeting:
        return Greeting(text="world")


def main() -> list[Row]:
    """An order at most 6 units, Home with 20 dishes at most 12; all through Mangum."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Apart(MemoryEngine())
        rush, kitchen = asyncio.run(_opened(Path(folder), engine))
        asyncio.set_event_loop(asyncio.new_event_loop())
        unit = _cpu([rest_event({"query": "{ hello { text } }"})] * TURNS, _plain(), None)
        api = lambda_handler(kitchen.view)
        orders = [_event(kitchen, wish.subject, "PlaceMealOrder", wish) for wish in rush.wishes]
        homes = [_event(kitchen, rush.wishes[0].subject, "Home")] * (TURNS // 4)
        of_order, of_home = _cpu(orders, api, engine), _cpu(homes, api, engine)
        kitchen.queues.close()
    return [
        _row("CPU of an order beside its storage calls", of_order, unit, bound=6),
        _row("CPU of Home with 20 dishes beside its storage calls", of_home, unit, bound=12),
    ]


async def _opened(folder: Path, engine: Apart) -> tuple[Rush, Kitchen]:
    rush = await prepare(folder, orders=ORDERS, portions=ORDERS, seed=SEED, dishes=DISHES)
    await rush.load(engine)
    return rush, open_kitchen(rush, engine, seed=SEED)


def _plain() -> Handler:
    schema = strawberry.Schema(Hello, extensions=[ParserCache, ValidationCache])
    handler: Handler = Mangum(GraphQL[None, None](schema), lifespan="off")
    return handler


def _event(
    kitchen: Kitchen, subject: str, operation: str, wish: Wish | None = None
) -> dict[str, Any]:
    """A trusted document of somebody signed in, as the REST API hands it over."""
    body = {"documentId": document_id_of(document(operation)), "variables": {}}
    body["variables"] = wish.variables if wish else {}
    return rest_event(body, token=kitchen.phone(subject).token or "")


def _cpu(events: Sequence[dict[str, Any]], handler: Handler, engine: Apart | None) -> float:
    """CPU seconds of one event without the engine's, after a tenth of them to warm up."""
    warm = len(events) // 10
    for event in events[:warm]:
        _done(handler(event, LambdaContext()))
    if engine is not None:
        engine.cpu = 0.0
    began = time.process_time()
    answers = [handler(event, LambdaContext()) for event in events[warm:]]
    used = time.process_time() - began - (engine.cpu if engine else 0.0)
    for answer in answers:
        _done(answer)
    return used / len(answers)


def _done(answer: Mapping[str, Any]) -> None:
    """What is measured was answered: no refusal, no fault."""
    data = json.loads(answer["body"])
    placed = data.get("data", {}).get("placeMealOrder", {"errors": []})
    if "errors" in data or placed["errors"]:
        raise RuntimeError(f"answered {answer['body']}")


def _row(name: str, used: float, unit: float, *, bound: float) -> Row:
    told = f"{used * 1000:.2f} over {unit * 1000:.2f} ms"
    return Row(name=name, value=used / unit, bound=bound, told=told)
