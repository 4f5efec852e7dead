"""The kitchen rush through the whole API, on the embedded engine behind the fault proxy."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from infra.local import engine as local

from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from courtside.platform.settings import Settings, table_names
from testkit.proxy import FaultProxy, ProxyFaults
from testkit.rush import open_kitchen, prepare

ORDERS, PORTIONS, CLIENTS, SEED = 1_000, 60, 32, 20260302  # 300 of 1,000 can be had
FAULTS = ProxyFaults(lost=0.0125, unanswered=0.0125, throttled=0.0125, failed=0.0125, overlap=0.001)
REPEATED = 0.05
NAMES = table_names("test")


class ReadModifyWrite:
    """The broken twin of an account: its balance is read, compared and reckoned here, and written
    back. Everything else stays: its cut-off, the guard of the order, the journal."""

    def __init__(self, inner):
        self._inner = inner

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        return await self._inner.get(reads)

    async def query(self, query: Query) -> Slice:
        return await self._inner.query(query)

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._inner.transact(await asyncio.gather(*map(self._reckoned, writes)))

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await self._inner.put_many(table, items)

    async def close(self) -> None:
        await self._inner.close()

    async def _reckoned(self, write: Write) -> Write:
        if write.add.get("available", 0) >= 0:
            return write
        (item,) = await self._inner.get([Read(write.table, write.key)])
        after = int(item["available"]["N"]) + write.add["available"]
        if after < 0:
            return write  # its own condition refuses it
        return replace(
            write,
            checks=tuple(check for check in write.checks if check.name != "available"),
            add={name: n for name, n in write.add.items() if name != "available"},
            set={**write.set, "available": {"N": str(after)}},
        )


@asynccontextmanager
async def tables(folder, rush):
    """The embedded engine with the prepared court, and the proxy before it."""
    running = local.start(folder / "tables.db", NAMES)
    try:
        loading = DynamoEngine(_settings(running.endpoint))
        await rush.load(loading)
        await loading.close()
        async with FaultProxy(running.endpoint, FAULTS, seed=SEED) as proxy:
            yield proxy
    finally:
        running.stop()


async def served(folder, broken=None, *, orders=ORDERS):
    """The proxy's counts, what the phones were told, and what the books say."""
    rush = await prepare(folder, orders=orders, portions=PORTIONS * orders // ORDERS, seed=SEED)
    async with tables(folder, rush) as proxy:
        engine = DynamoEngine(_settings(proxy.endpoint))
        kitchen = open_kitchen(rush, broken(engine) if broken else engine, seed=SEED)
        kitchen.repeated = REPEATED
        try:
            told = await kitchen.serve(rush.wishes, clients=CLIENTS)
            return proxy.counts, told, await kitchen.check(told)
        finally:
            kitchen.queues.close()
            await engine.close()


def _settings(endpoint):
    return Settings(stage="test", region="local", endpoint=endpoint, tables=NAMES)


class TestKitchenRush:
    """D-01: 1,000 orders by 32 phones with 5 % faults; 10,000 in the bench."""

    async def test_sells_every_portion_once(self, tmp_path):
        happened, told, found = await served(tmp_path)

        assert found.is_right, f"seed {SEED}: {found}"
        assert told.codes == {"PLACED": 300, "SOLD_OUT": 700}
        assert len(told.placed) == 300
        assert told.contradictions == 0
        assert told.repeats > ORDERS * REPEATED / 2
        for fault in ("lost", "unanswered", "throttled", "failed", "conflict"):
            assert happened[fault] > 5, fault

    async def test_would_notice_portions_sold_twice(self, tmp_path):
        _, _, found = await served(tmp_path, ReadModifyWrite, orders=200)

        assert found.oversold > 0
        assert found.not_conserved > 0
