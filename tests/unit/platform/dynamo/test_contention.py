"""Many who want the same, in every order that a seed makes of them."""

import asyncio
import dataclasses

import pytest
from infra.memory.clock import VirtualClock
from infra.memory.engine import Faults, MemoryEngine

from courtside.kernel.journal import Recorded
from courtside.platform.clock import deadline
from courtside.platform.dynamo.values import Check, Op, Write
from testkit.factories.portions import (
    Portions,
    RewrittenPortions,
    UnguardedPortions,
    Verdict,
    asked,
    judge,
)
from testkit.factories.transactions import (
    a_put,
    a_transaction,
)


class TestContention:
    """D-01 and D-03 in memory: many seeds of interleavings, and the twins that must fail."""

    FAULTS = Faults(lost_before=0.02, lost_after=0.05, throttled=0.02, overlap=0.004, latency=0.01)

    @pytest.mark.parametrize("seed", range(5))
    async def test_never_oversold_and_nothing_lost(self, seed: int) -> None:
        verdict = await self.rush(Portions, seed)

        assert verdict == (0, 0, 0, 0), seed

    async def test_reading_and_rewriting_is_found_out(self) -> None:
        assert (await self.rush(RewrittenPortions, 1)).oversold > 0

    async def test_updating_without_a_guard_is_found_out(self) -> None:
        lost = Faults(lost_after=0.1, latency=0.01)

        assert (await self.rush(UnguardedPortions, 1, offered=500, faults=lost)).doubled > 0

    async def test_300_phones_at_once_on_one_dish_are_all_answered_in_time(self) -> None:
        """Every transaction holds the dish for 8 ms, so that all together need 2.4 seconds; the
        last has its answer before 3."""
        engine = MemoryEngine(VirtualClock(seed=8), seed=8)
        seller = Portions(engine, engine.clock)
        await seller.offer(300)
        engine.faults = Faults(overlap=0.008, latency=0.002)

        with deadline(engine.clock, 8.0):
            outcomes = await asyncio.gather(
                *(asked(seller, f"P{n}", f"key-{n:04}") for n in range(300))
            )

        assert engine.clock.monotonic() < 3.0
        assert {outcome.answer for outcome in outcomes} == {"taken"}
        assert await seller.left() == 0

    async def rush(
        self, kind: type[Portions], seed: int, *, offered: int = 60, faults: Faults = FAULTS
    ) -> Verdict:
        engine = MemoryEngine(VirtualClock(seed=seed), faults=Faults(), seed=seed)
        seller = kind(engine, engine.clock)
        await seller.offer(offered)
        engine.faults = faults

        with deadline(engine.clock, 120):
            outcomes = await asyncio.gather(
                *(asked(seller, f"P{n}", f"key-{n:04}") for n in range(200))
            )

        engine.faults = Faults()
        return judge(list(outcomes), offered=offered, left=await seller.left())


class TestLostUpdates:
    """D-11 ★: of two writers on one version, one is told."""

    @staticmethod
    def versioned(version: int, text: str, *checks: Check) -> Write:
        put = a_put("versioned")
        assert put.put is not None
        item = {**put.put, "version": {"N": str(version)}, "text": {"S": text}}
        return dataclasses.replace(put, put=item, checks=checks)

    async def test_the_second_writer_is_stale(self) -> None:
        engine = MemoryEngine()
        await engine.transact([self.versioned(1, "first")])

        async def change(key: str) -> Recorded | None:
            transaction = a_transaction(engine, key=key)
            transaction.add(self.versioned(2, key, Check("version", Op.EQ, 1)))
            return await transaction.commit()

        answers = await asyncio.gather(change("one"), change("two"), return_exceptions=True)

        assert sorted(type(a).__name__ for a in answers) == ["NoneType", "Stale"]

    async def test_a_batch_of_puts_loses_one_unnoticed(self) -> None:
        """The broken twin, and why puts of a batch are for derived items alone."""
        engine = MemoryEngine()
        await engine.transact([self.versioned(1, "first")])
        changes = [self.versioned(2, text).put for text in ("one", "two")]

        answers = await asyncio.gather(
            *(engine.put_many("records", [item]) for item in changes if item),
            return_exceptions=True,
        )

        assert answers == [None, None]
        assert len(engine.items("records")) == 1
