"""D-00: an engine that is not atomic proves nothing, so it is asked first."""

from collections.abc import Sequence
from dataclasses import replace

from infra.memory.clock import VirtualClock
from infra.memory.engine import Faults, MemoryEngine

from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.meter import Meter
from courtside.platform.dynamo.values import Key, Query, Read, Write
from testkit.atomic import contend


class TornEngine(MemoryEngine):
    """Broken: checks a transaction, and writes it a moment later."""

    async def transact(self, writes: Sequence[Write]) -> None:
        self._apply([Write(table=w.table, key=w.key, checks=w.checks) for w in writes], Meter())
        await self.clock.sleep(0.001)
        self._apply([replace(w, checks=()) for w in writes], Meter())


class TestAtomicity:
    """D-00 ★"""

    async def test_2000_contended_transactions_conserve(self, embedded: DynamoEngine) -> None:
        """The suite does not begin before it has seen this; here are its figures."""
        counter, claims = Key("D00#EMBEDDED", "COUNTER"), "D00#EMBEDDED#CLAIMS"

        (item,) = await embedded.get([Read("records", counter)])
        claimed = await embedded.query(Query(table="records", pk=claims, consistent=True))

        assert item is not None
        assert item["left"] == {"N": "0"}
        assert len(claimed.items) == 1000

    async def test_in_memory_too(self) -> None:
        engine = MemoryEngine(VirtualClock(), faults=Faults(latency=0.01), seed=1)

        found = await contend(engine, "D00#MEMORY", transactions=2000, clients=32)

        assert found, found

    async def test_an_engine_that_tears_transactions_is_found_out(self) -> None:
        found = await contend(TornEngine(), "D00#TORN", transactions=200, clients=8)

        assert not found
        assert found.done > found.offered
