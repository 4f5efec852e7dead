"""What a request costs in CPU beside its storage calls, in units of a plain cached request.

The unit is a stock strawberry application with its parser and validation caches that answers one
object, driven in the same way in the same run.
"""

import asyncio
import json
import statistics
import tempfile
import time
import types
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import strawberry
from infra.memory.engine import MemoryEngine
from mangum import Mangum
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from bench.cold_start import rest_event
from bench.table import Row
from courtside.entrypoints.graphql_http import lambda_handler
from courtside.platform.container import settled
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from courtside.platform.gql.documents import document_id_of
from testkit.graphql import LambdaContext
from testkit.rush import Kitchen, RunningClock, Rush, Wish, open_kitchen, prepare
from testkit.screens import document

ORDERS = 800
PARTS = 20
SEED = 7
DISHES = 20

T = TypeVar("T")
Handler = Callable[[Any, Any], Mapping[str, Any]]


class Apart:
    """An engine whose own steps are timed, so that they can be taken off: never what others do
    while a call waits."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self.cpu = 0.0

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        return await self._timed(self._inner.get(reads))

    async def query(self, query: Query) -> Slice:
        return await self._timed(self._inner.query(query))

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._timed(self._inner.transact(writes))

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await self._inner.put_many(table, items)

    async def close(self) -> None:
        await self._inner.close()

    @types.coroutine
    def _timed(self, call: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
        sent = None
        while True:
            began = time.process_time()
            try:
                waits = call.send(sent)
            except StopIteration as done:
                answer: T = done.value
                return answer
            finally:
                self.cpu += time.process_time() - began
            sent = yield waits


@strawberry.type
class Greeting:
    text: str


@strawberry.type
class Hello:
    @strawberry.field
    async def hello(self) -> Greeting:
        return Greeting(text="world")


def main() -> list[Row]:
    """An order at most 6 units, Home with 20 dishes a day at most 12; all through Mangum."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Apart(MemoryEngine(RunningClock(seed=SEED)))
        rush, kitchen = asyncio.run(_opened(Path(folder), engine))
        asyncio.set_event_loop(asyncio.new_event_loop())
        api = lambda_handler(kitchen.view)
        homes = [_event(kitchen, rush.wishes[0].subject, "Home")] * (ORDERS // 2)
        orders = [_event(kitchen, wish.subject, "PlaceMealOrder", wish) for wish in rush.wishes]
        unit, of_home, of_order = _cpu(
            Load(_plain(), [rest_event({"query": "{ hello { text } }"})] * ORDERS),
            Load(api, homes, engine),
            Load(api, orders, engine),
        )
        kitchen.queues.close()
    return [
        _row("CPU of an order beside its storage calls", of_order, unit, bound=6),
        _row("CPU of Home with 20 dishes a day, likewise", of_home, unit, bound=12),
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


@dataclass(slots=True)
class Load:
    """Events for one handler; of what they use, the engine's share is taken off."""

    handler: Handler
    events: Sequence[dict[str, Any]]
    engine: Apart | None = None

    def part(self, n: int) -> float:
        """CPU seconds of an event of the n-th part."""
        size = len(self.events) // PARTS
        events = self.events[n * size : (n + 1) * size]
        before = self.engine.cpu if self.engine else 0.0
        began = time.process_time()
        answers = [self.handler(event, LambdaContext()) for event in events]
        used = time.process_time() - began
        used -= (self.engine.cpu if self.engine else 0.0) - before
        for answer in answers:
            _done(answer)
        return used / size


def _cpu(*loads: Load) -> list[float]:
    """CPU seconds of one event of each: the median of parts that are taken in turns, so that the
    machine's load meets all alike. The first parts warm up."""
    for load in loads:
        load.part(0)
    settled()
    taken = [[load.part(n) for load in loads] for n in range(1, PARTS)]
    return [statistics.median(of_load) for of_load in zip(*taken, strict=True)]


def _done(answer: Mapping[str, Any]) -> None:
    """What is measured was answered: no refusal, no fault."""
    data = json.loads(answer["body"])
    placed = data.get("data", {}).get("placeMealOrder", {"errors": []})
    if "errors" in data or placed["errors"]:
        raise RuntimeError(f"answered {answer['body']}")


def _row(name: str, used: float, unit: float, *, bound: float) -> Row:
    told = f"{used * 1000:.2f} over {unit * 1000:.2f} ms"
    return Row(name=name, value=used / unit, bound=bound, told=told)
