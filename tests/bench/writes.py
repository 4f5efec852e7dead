"""The ten-thousandth order on the embedded engine against the thousandth, with its stream."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from infra.local import engine as local

from bench.table import Row
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from courtside.platform.settings import Settings, table_names
from testkit.rush import open_kitchen, prepare

WRITES = 10_000
WINDOW = 500  # of writes around each of the two
SEED = 11
NAMES = table_names("test")


class Timed:
    """An engine that keeps how long each transaction took: an order's items with their indexes,
    and its entry, which goes to the stream."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self.taken: list[float] = []

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        return await self._inner.get(reads)

    async def query(self, query: Query) -> Slice:
        return await self._inner.query(query)

    async def transact(self, writes: Sequence[Write]) -> None:
        began = time.perf_counter()
        await self._inner.transact(writes)
        self.taken.append(time.perf_counter() - began)

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await self._inner.put_many(table, items)

    async def close(self) -> None:
        await self._inner.close()


async def rows() -> list[Row]:
    """At most 1.5 times as slow; the median of 500 orders around each."""
    with tempfile.TemporaryDirectory() as name:
        taken = await _ordered(Path(name), orders=WRITES + WINDOW // 2)
    early, late = _around(taken, 1_000), _around(taken, WRITES)
    told = f"{late * 1000:.2f} over {early * 1000:.2f} ms"
    return [
        Row(name="the 10,000th write over the 1,000th", value=late / early, bound=1.5, told=told)
    ]


async def _ordered(folder: Path, *, orders: int) -> list[float]:
    """Seconds of each order's transaction, one order after another through the whole API."""
    rush = await prepare(folder, orders=orders, portions=orders, seed=SEED)
    running = local.start(folder / "tables.db", NAMES)
    engine = DynamoEngine(
        Settings(stage="test", region="local", endpoint=running.endpoint, tables=NAMES)
    )
    timed = Timed(engine)
    kitchen = open_kitchen(rush, timed, seed=SEED)
    try:
        await rush.load(engine)
        told = await kitchen.serve(rush.wishes, clients=1)
    finally:
        kitchen.queues.close()
        await engine.close()
        running.stop()
    if set(told.codes) != {"PLACED"} or len(timed.taken) != orders:
        raise RuntimeError(f"{dict(told.codes)} in {len(timed.taken)} transactions")
    return timed.taken


def _around(taken: list[float], at: int) -> float:
    return statistics.median(taken[at - WINDOW // 2 : at + WINDOW // 2])


def main() -> list[Row]:
    return asyncio.run(rows())
