"""The one transaction on the engine in memory, on virtual time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest
from infra.memory.clock import MORNING, VirtualClock
from infra.memory.engine import Faults, MemoryEngine

from courtside.kernel.errors import Busy, IdempotencyMismatch, Stale
from courtside.kernel.journal import Recorded
from courtside.kernel.ledger import move
from courtside.platform.clock import deadline
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.engine import (
    MAX_TRANSACTION,
    Cancelled,
    EngineFault,
    Reason,
    Throttled,
    Unanswered,
)
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.transaction import (
    MAX_ITEMS,
    Guard,
    WrittenTwice,
    refusal,
)
from courtside.platform.dynamo.values import NOW, Check, Item, Op, Write, instant
from testkit.factories.portions import (
    SoldOut,
    TakePortion,
)
from testkit.factories.transactions import (
    STOCK,
    Closed,
    ScriptedEngine,
    a_put,
    a_transaction,
    an_account,
    balance,
    stock,
)
from testkit.sizes import Sizes


class TestCommit:
    async def test_writes_the_items_and_one_entry(self) -> None:
        engine = MemoryEngine()
        transaction = a_transaction(engine)
        transaction.add(a_put("1"))

        with metered() as meter:
            assert await transaction.commit() is None

        assert [i["sk"]["S"] for i in engine.items("records")] == ["1"]
        (entry,) = engine.items("journal")
        assert journal.from_item(entry).at == engine.clock.now()
        assert (meter.attempts, meter.items_written, meter.writes) == (1, 2, 1)

    async def test_an_item_of_another_court_is_never_written(self) -> None:
        transaction = a_transaction(MemoryEngine(), court="C999")

        with pytest.raises(ValueError, match="outside the tenant"):
            transaction.add(a_put("1"))

    async def test_two_writers_of_one_item_are_both_named(self) -> None:
        engine = MemoryEngine()
        transaction = a_transaction(engine)
        transaction.add(a_put("1", by="orders"))
        transaction.add(a_put("1", by="coupons"))

        with pytest.raises(WrittenTwice, match="orders and coupons"):
            await transaction.commit()
        assert engine.items("records") == engine.items("journal") == []

    async def test_more_than_a_hundred_items_are_never_sent(self, sizes: Sizes) -> None:
        """D-21: the engine would refuse them."""
        engine = MemoryEngine()
        transaction = a_transaction(engine)
        for n in range(MAX_TRANSACTION):  # and the entry makes one more
            transaction.add(a_put(str(n)))

        with metered() as meter, pytest.raises(ValueError, match="make it a job"):
            await transaction.commit()
        assert engine.items("records") == engine.items("journal") == []
        assert meter.calls == 0
        sizes.committed.clear()

    @pytest.mark.parametrize(("items", "found"), [(MAX_ITEMS, []), (MAX_ITEMS + 1, [26])])
    async def test_more_than_25_items_are_written_and_fail_their_test(
        self, sizes: Sizes, items: int, found: list[int]
    ) -> None:
        """That the test kit's own check can fail: in production such a use case still works."""
        engine = MemoryEngine()
        transaction = a_transaction(engine)
        for n in range(items - 1):
            transaction.add(a_put(str(n)))

        await transaction.commit()

        assert len(engine.items("records")) == items - 1
        assert sizes.too_large == found
        sizes.committed.clear()

    async def test_an_instant_that_nobody_filled_in_is_a_mistake(self) -> None:
        engine = MemoryEngine()

        with pytest.raises(TypeError, match="NOW stands only"):
            await engine.transact([a_put("1", checks=(Check("closes_at", Op.GT, NOW),))])

        assert engine.items("records") == []


class TestReplay:
    """D-03 and D-04 at the transaction: the journal's own reason comes before all others."""

    async def test_the_same_command_again_answers_what_was_recorded(self) -> None:
        engine = MemoryEngine()
        first = a_transaction(engine)
        first.add(a_put("1"))
        await first.commit()
        before = engine.dump()
        engine.clock.advance(hours=30)

        again = a_transaction(engine)
        again.add(a_put("1", checks=(Check("pk", Op.ABSENT),)), explain=refusal(Closed()))
        recorded = await again.commit()

        assert recorded is not None
        assert (recorded.at, recorded.result.kind) == (MORNING, "Portion")
        assert engine.dump() == before

    async def test_a_lost_answer_is_found_in_the_journal_even_when_sold_out_meanwhile(self) -> None:
        engine = ScriptedEngine(("after", Unanswered("lost")))
        await stock(engine, 1)
        transaction = a_transaction(engine, move(an_account(), -1, counter="SOLD"))
        transaction.move({STOCK: Guard(explain=lambda _: SoldOut())})

        recorded = await transaction.commit()

        assert isinstance(recorded, Recorded)
        assert await balance(engine) == (0, 0)
        assert len(engine.items("journal")) == 1

    async def test_another_request_under_the_same_key_is_refused(self) -> None:
        engine = MemoryEngine()
        await a_transaction(engine).commit()
        before = engine.dump()

        other = a_transaction(engine, request=TakePortion(dish="D1", amount=2))
        other.add(a_put("1"))
        with pytest.raises(IdempotencyMismatch):
            await other.commit()

        assert engine.dump() == before

    async def test_keys_of_other_persons_are_their_own(self) -> None:
        engine = MemoryEngine()

        answers = [await a_transaction(engine, person=p).commit() for p in ("P1", "P2")]

        assert answers == [None, None]
        assert len(engine.items("journal")) == 2

    async def test_fifty_duplicates_at_once_have_one_effect(self) -> None:
        """D-05."""
        engine = MemoryEngine(faults=Faults(latency=0.05, overlap=0.008), seed=5)
        await stock(engine, 100)

        async def duplicate() -> Recorded | None:
            transaction = a_transaction(engine, move(an_account(), -1, counter="SOLD"))
            transaction.move({})
            return await transaction.commit()

        answers = await asyncio.gather(*(duplicate() for _ in range(50)))

        assert answers.count(None) == 1
        assert await balance(engine) == (99, 0)
        assert len(engine.items("journal")) == 1


class TestRefusals:
    async def test_the_first_failed_condition_in_order_explains(self) -> None:
        engine = MemoryEngine()
        await stock(engine, 0)
        seen: list[Item | None] = []

        def sold_out(item: Item | None) -> Exception:
            seen.append(item)
            return SoldOut()

        transaction = a_transaction(engine, move(an_account(), -1, counter="SOLD"))
        transaction.move({STOCK: Guard(explain=sold_out)})
        transaction.add(a_put("1", checks=(Check("pk", Op.EXISTS),)), explain=refusal(Closed()))
        before = engine.dump()
        with pytest.raises(SoldOut):
            await transaction.commit()

        assert seen[0] is not None
        assert seen[0]["available"] == {"N": "0"}
        assert engine.dump() == before

    async def test_a_refusal_wins_over_a_conflict_elsewhere(self) -> None:
        reasons = [Reason("None"), Reason("TransactionConflict"), Reason("ConditionalCheckFailed")]
        engine = ScriptedEngine(("before", Cancelled(reasons)))
        transaction = a_transaction(engine)
        transaction.add(a_put("1"))
        transaction.add(a_put("2"), explain=refusal(Closed()))

        with pytest.raises(Closed):
            await transaction.commit()

    async def test_while_the_own_entry_is_busy_nothing_is_explained(self) -> None:
        """It may be this command's own attempt whose answer was lost, still under way."""
        reasons = [Reason("TransactionConflict"), Reason("ConditionalCheckFailed")]
        engine = ScriptedEngine(("before", Cancelled(reasons)))
        transaction = a_transaction(engine)
        transaction.add(a_put("1"), explain=refusal(Closed()))

        assert await transaction.commit() is None

        assert len(engine.sent) == 2

    async def test_an_unexplained_condition_is_stale(self) -> None:
        transaction = a_transaction(MemoryEngine())
        transaction.add(a_put("1", checks=(Check("version", Op.EQ, 3),)))

        with pytest.raises(Stale):
            await transaction.commit()

    async def test_a_reason_that_never_passes_is_a_fault_at_once(self) -> None:
        engine = ScriptedEngine(("before", Cancelled([Reason("None"), Reason("ValidationError")])))
        transaction = a_transaction(engine)
        transaction.add(a_put("1"))

        with pytest.raises(EngineFault):
            await transaction.commit()
        assert len(engine.sent) == 1


CONFLICT = Cancelled([Reason("None"), Reason("TransactionConflict")])


class TestRetries:
    """D-10."""

    @pytest.mark.parametrize("failure", [CONFLICT, Throttled("busy"), Unanswered("lost")])
    async def test_what_passes_is_tried_again_with_a_fresh_now(self, failure: Exception) -> None:
        engine = ScriptedEngine(*[("before", failure)] * 3)
        transaction = a_transaction(engine)
        transaction.add(a_put("1", checks=(Check("closes_at", Op.NE, NOW),)))

        with metered() as meter:
            assert await transaction.commit() is None

        filled = [writes[1].checks[0].value for writes in engine.sent]
        assert len(set(filled)) == len(filled) == meter.attempts == 4
        assert filled == sorted(filled)
        (entry,) = engine.items("journal")
        assert instant(journal.from_item(entry).at) == filled[-1]

    async def test_a_cut_off_that_passes_between_attempts_is_kept(self) -> None:
        """D-08: the instant of the attempt decides, not that of the request."""
        engine = ScriptedEngine(("before", Throttled("busy")))
        closes = instant(MORNING).replace("00.000000", "00.000001")
        await stock(engine, 5, closes_at={"S": closes})
        open_ = Check("closes_at", Op.GT, NOW)
        transaction = a_transaction(engine, move(an_account(), -1, counter="SOLD"))
        transaction.move({STOCK: Guard(checks=(open_,), explain=refusal(Closed()))})

        with pytest.raises(Closed):
            await transaction.commit()

        assert await balance(engine) == (5, 0)

    async def test_nothing_is_sent_after_the_deadline(self) -> None:
        engine = ScriptedEngine(*[("before", Throttled("busy"))] * 1000)
        transaction = a_transaction(engine)
        began = engine.clock.monotonic()

        with deadline(engine.clock, 8.0), pytest.raises(Busy):
            await transaction.commit()

        assert engine.clock.monotonic() - began < 8.0
        assert 13 < len(engine.sent) < 100
        assert engine.dump() == MemoryEngine().dump()

    async def test_waits_differ_by_seed_and_are_the_same_for_one(self) -> None:
        async def instants(seed: int) -> list[datetime]:
            engine = ScriptedEngine(*[("before", Throttled("busy"))] * 5)
            engine.clock = VirtualClock(seed=seed)
            found: list[datetime] = []

            async def note(writes: Sequence[Write]) -> None:
                found.append(engine.clock.now())
                await ScriptedEngine.transact(engine, writes)

            engine.transact = note  # type: ignore[method-assign]
            await a_transaction(engine).commit()
            return found

        assert await instants(1) == await instants(1) != await instants(2)
