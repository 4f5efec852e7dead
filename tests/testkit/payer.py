"""A process that pays into tills and may be killed at any moment: run as `python -m testkit.payer`.

It prints each number after its payment was acknowledged. Started again, it sends every key again
from the one that it is told: what was paid is not paid twice. One that is `forgetful` thinks of new
keys in each life.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from courtside.bootstrap import Foundation, foundation
from courtside.platform.clock import SystemClock
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.queues import LocalQueues
from courtside.platform.settings import Settings, table_names
from testkit.house import Tills

TILLS = 3


@asynccontextmanager
async def on_engine(endpoint: str, folder: Path) -> AsyncIterator[Foundation]:
    """The foundation of a process on a running engine; keys are shared through `folder`."""
    clock = SystemClock()
    settings = Settings(
        stage="test",
        region="local",
        endpoint=endpoint,
        tables=table_names("test"),
        event_queue="events",
        job_queue="jobs",
        local=str(folder),
    )
    engine = DynamoEngine(settings)
    queues = LocalQueues(":memory:", clock)
    try:
        yield foundation(settings, clock=clock, engine=engine, queues=queues)
    finally:
        queues.close()
        await engine.close()


async def pay(endpoint: str, folder: Path, life: str, first: int, last: int) -> None:
    async with on_engine(endpoint, folder) as base:
        tills = Tills(base.database)
        for n in range(first, last):
            await tills.pay(f"T{n % TILLS}", 1, key=f"{life}-{n}")
            print(n, flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    where, folder, name, first, last, *forgetful = sys.argv[1:]
    life = f"{name}-{os.getpid()}" if forgetful else name
    asyncio.run(pay(where, Path(folder), life, int(first), int(last)))
