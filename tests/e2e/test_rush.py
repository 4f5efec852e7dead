"""The kitchen rush through the whole API, on the engine in memory with faults from a seed."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from courtside.platform.dynamo.engine import Throttled, Unanswered
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from testkit.engine import MemoryEngine
from testkit.rush import open_kitchen, prepare

ORDERS, PORTIONS, CLIENTS, SEED = 1_000, 60, 32, 20260302  # 300 of 1,000 can be had


class Faulty:
    """An engine that loses a request, its answer, or has no time, each for one call in sixty."""

    def __init__(self, inner, *, seed):
        self.inner = inner
        self.happened = 0
        self._chance = random.Random(seed)

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        return await self._faultily(lambda: self.inner.get(reads))

    async def query(self, query: Query) -> Slice:
        return await self._faultily(lambda: self.inner.query(query))

    async def transact(self, writes: Sequence[Write]) -> None:
        return await self._faultily(lambda: self.inner.transact(writes))

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        return await self.inner.put_many(table, items)

    async def close(self) -> None:
        await self.inner.close()

    async def _faultily(self, call):
        fate = self._chance.random()
        self.happened += fate < 0.05
        if fate < 0.017:
            raise Unanswered("lost before")
        if fate < 0.034:
            raise Throttled("throttled")
        answer = await call()
        if fate < 0.05:
            raise Unanswered("lost after")
        return answer


class ReadModifyWrite(Faulty):
    """The broken twin: balances are read, changed here, and written without their bound."""

    async def transact(self, writes: Sequence[Write]) -> None:
        return await super().transact([await self._broken(write) for write in writes])

    async def _broken(self, write):
        if "available" not in write.add:
            return write
        (item,) = await self.get([Read(write.table, write.key)])
        after = int(item["available"]["N"]) + write.add["available"]
        changed = {**write.set, "available": {"N": str(after)}}
        rest = {name: n for name, n in write.add.items() if name != "available"}
        return replace(write, checks=(), add=rest, set=changed)

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        return await self.inner.get(reads)


@pytest.fixture
async def rush(tmp_path):
    return await prepare(tmp_path, orders=ORDERS, portions=PORTIONS, seed=SEED)


async def served(rush, kind):
    """The engine, what the phones were told, and what the books say."""
    engine = kind(MemoryEngine(), seed=SEED)
    await rush.load(engine)
    kitchen = open_kitchen(rush, engine, seed=SEED)
    try:
        told = await kitchen.serve(rush.wishes, clients=CLIENTS)
        kitchen.engine = engine.inner
        return engine, told, await kitchen.check(told)
    finally:
        kitchen.queues.close()


class TestKitchenRush:
    """D-01: 1,000 orders by 32 phones with 5 % faults; 10,000 in the bench."""

    async def test_sells_every_portion_once(self, rush):
        engine, told, found = await served(rush, Faulty)

        assert found.is_right, f"seed {SEED}: {found}"
        assert told.codes == {"PLACED": 300, "SOLD_OUT": 700}
        assert len(told.placed) == 300
        assert engine.happened > 50

    async def test_would_notice_portions_sold_twice(self, rush):
        _, _, found = await served(rush, ReadModifyWrite)

        assert found.oversold > 0 or found.not_conserved > 0
