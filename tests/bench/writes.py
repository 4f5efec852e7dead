"""The ten-thousandth write on the embedded engine against the thousandth, with its stream."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from infra.local import engine as local

from bench.table import Row
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.values import Check, Key, Op, Write
from courtside.platform.settings import Settings, table_names

WRITES = 10_000
WINDOW = 500  # of writes around each of the two
NAMES = table_names("bench")


async def rows() -> list[Row]:
    """At most 1.5 times as slow; the median of 500 writes around each."""
    with tempfile.TemporaryDirectory() as folder:
        running = local.start(Path(folder) / "tables.db", NAMES)
        settings = Settings(stage="bench", region="local", endpoint=running.endpoint, tables=NAMES)
        engine = DynamoEngine(settings)
        try:
            taken = [await _write(engine, n) for n in range(WRITES + WINDOW // 2)]
        finally:
            await engine.close()
            running.stop()
    early, late = _around(taken, 1_000), _around(taken, WRITES)
    told = f"{late * 1000:.2f} over {early * 1000:.2f} ms"
    return [
        Row(name="the 10,000th write over the 1,000th", value=late / early, bound=1.5, told=told)
    ]


async def _write(engine: DynamoEngine, n: int) -> float:
    """One entry and one record, as the smallest use case writes them."""
    text = {"S": "x" * 300}
    writes = [
        Write(
            table=table,
            key=Key(f"BENCH#W#{n}", "E"),
            checks=(Check("pk", Op.ABSENT),),
            put={"pk": {"S": f"BENCH#W#{n}"}, "sk": {"S": "E"}, "e": text},
        )
        for table in ("journal", "records")
    ]
    began = time.perf_counter()
    await engine.transact(writes)
    return time.perf_counter() - began


def _around(taken: list[float], at: int) -> float:
    return statistics.median(taken[at - WINDOW // 2 : at + WINDOW // 2])


def main() -> list[Row]:
    return asyncio.run(rows())
