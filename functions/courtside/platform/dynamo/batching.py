"""Gets that are asked for at the same moment leave as one BatchGetItem.

A use case gathers its reads (actor, journal, its own facts) concurrently; this engine waits until
the event loop has nothing more to add and sends them together. One batch holds one request's gets.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from courtside.platform.dynamo.engine import MAX_BATCH_GET, Engine
from courtside.platform.dynamo.meter import Meter, current
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write


@dataclass(slots=True)
class _Batch:
    reads: dict[Read, None] = field(default_factory=dict)
    waiting: list[tuple[Sequence[Read], asyncio.Future[list[Item | None]]]] = field(
        default_factory=list
    )


class BatchingEngine:
    """Any engine, with its gets gathered."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self._open: dict[int, _Batch] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        loop = asyncio.get_running_loop()
        meter = current()
        batch = self._open.get(id(meter))
        if batch is None:
            batch = self._open[id(meter)] = _Batch()
            task = loop.create_task(self._send_when_quiet(meter, batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        batch.reads.update(dict.fromkeys(reads))
        answer: asyncio.Future[list[Item | None]] = loop.create_future()
        batch.waiting.append((reads, answer))
        return await answer

    async def query(self, query: Query) -> Slice:
        return await self._inner.query(query)

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._inner.transact(writes)

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await self._inner.put_many(table, items)

    async def close(self) -> None:
        await self._inner.close()

    async def _send_when_quiet(self, meter: Meter, batch: _Batch) -> None:
        seen = 0
        while len(batch.waiting) > seen:
            seen = len(batch.waiting)
            await asyncio.sleep(0)
        del self._open[id(meter)]
        try:
            found = await self._fetch(list(batch.reads))
        except Exception as failure:  # noqa: BLE001 - handed on to everybody who waits
            for _, answer in batch.waiting:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for reads, answer in batch.waiting:
            if not answer.done():
                answer.set_result([found[read] for read in reads])

    async def _fetch(self, reads: list[Read]) -> dict[Read, Item | None]:
        if len(reads) <= MAX_BATCH_GET:
            return dict(zip(reads, await self._inner.get(reads), strict=True))
        parts = [reads[i : i + MAX_BATCH_GET] for i in range(0, len(reads), MAX_BATCH_GET)]
        answers = await asyncio.gather(*(self._inner.get(part) for part in parts))
        return {
            read: item
            for part, items in zip(parts, answers, strict=True)
            for read, item in zip(part, items, strict=True)
        }
