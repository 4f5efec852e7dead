"""The one transaction on the engine in memory, on virtual time."""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from courtside.kernel.errors import Busy, IdempotencyMismatch, Refusal, Stale, Text
from courtside.kernel.journal import Recorded
from courtside.kernel.ledger import Account, AccountId, Movement, Unit, hold, move, release
from courtside.platform.clock import deadline
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.engine import Cancelled, EngineFault, Reason, Throttled, Unanswered
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.transaction import (
    MAX_ITEMS,
    Guard,
    Transaction,
    WrittenTwice,
    refusal,
)
from courtside.platform.dynamo.values import NOW, Check, Item, Key, Op, Read, Write, instant
from testkit.clock import MORNING, VirtualClock
from testkit.engine import Faults, MemoryEngine
from testkit.factories.portions import (
    COURT,
    Portions,
    RewrittenPortions,
    SoldOut,
    TakePortion,
    UnguardedPortions,
    a_command,
    a_database,
    an_entry,
    asked,
    judge,
)

STOCK = AccountId("MENU#D1", "PORTIONS")
WALLET = AccountId("WALLET#P1", "YUAN")


class ScriptedEngine(MemoryEngine):
    """Answers its first transactions as the script says: an error before or after the commit."""

    def __init__(self, *script: tuple[str, Exception]) -> None:
        super().__init__()
        self.script = list(script)
        self.sent: list[Sequence[Write]] = []

    async def transact(self, writes: Sequence[Write]) -> None:
        self.sent.append(writes)
        when, failure = self.script.pop(0) if self.script else ("", None)
        if when == "before" and failure:
            raise failure
        await super().transact(writes)
        if failure:
            raise failure


class Closed(Refusal):
    code = "CLOSED"
    text = Text(zh="已截止", en="closed")


def an_account(account: AccountId = STOCK, **known: Any) -> Account:
    return Account(**{"id": account, "unit": Unit.PORTION, "available": 10, **known})


def a_transaction(engine: MemoryEngine, *movements: Movement, **command: Any) -> Transaction:
    entry = an_entry(a_command(**command), engine.clock, *movements)
    return a_database(engine, engine.clock).transaction(entry)


def a_put(sort: str, *, by: str = "test", checks: tuple[Check, ...] = ()) -> Write:
    key = Key(f"{COURT}#CASE", sort)
    put = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
    return Write(table="records", key=key, checks=checks, put=put, by=by)


async def stock(engine: MemoryEngine, available: int, held: int = 0, **more: Any) -> None:
    numbers = {"available": {"N": str(available)}, "held": {"N": str(held)}}
    key = {"pk": {"S": f"{COURT}#{STOCK.partition}"}, "sk": {"S": STOCK.sort}}
    await engine.put_many("records", [{**key, **numbers, **more}])


async def balance(engine: MemoryEngine, account: AccountId = STOCK) -> tuple[int, int] | None:
    place = Key(f"{COURT}#{account.partition}", account.sort)
    (item,) = await engine.get([Read("records", place)])
    return None if item is None else (int(item["available"]["N"]), int(item["held"]["N"]))


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

    async def test_more_than_25_items_are_never_sent(self) -> None:
        engine = MemoryEngine()
        transaction = a_transaction(engine)
        for n in range(MAX_ITEMS):  # and the entry makes one more
            transaction.add(a_put(str(n)))

        with pytest.raises(ValueError, match="make it a job"):
            await transaction.commit()
        assert engine.items("records") == engine.items("journal") == []


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


class TestMovements:
    async def test_of_one_account_are_one_write(self) -> None:
        engine = ScriptedEngine()
        await stock(engine, 10)
        taken = move(an_account(), -3, counter="SOLD")
        given = move(an_account(), 1, counter="RETURNED")

        transaction = a_transaction(engine, taken, given)
        transaction.move({})
        await transaction.commit()

        assert len(engine.sent[-1]) == 2
        assert await balance(engine) == (8, 0)

    async def test_the_floor_is_a_condition(self) -> None:
        engine = MemoryEngine()
        await stock(engine, 3)
        taken = move(an_account(), -4, counter="SOLD")  # decided on what was there before

        transaction = a_transaction(engine, taken)
        transaction.move({STOCK: Guard(explain=lambda _: SoldOut())})
        with pytest.raises(SoldOut):
            await transaction.commit()
        assert await balance(engine) == (3, 0)

        overdrawn = a_transaction(engine, taken)
        overdrawn.move({STOCK: Guard(floor=-1)})
        await overdrawn.commit()
        assert await balance(engine) == (-1, 0)

    @pytest.mark.parametrize(
        ("available", "held", "fits"), [(7, 0, True), (5, 3, False), (8, 0, False)]
    )
    async def test_the_ceiling_bounds_available_and_held_together(
        self, available: int, held: int, *, fits: bool
    ) -> None:
        engine = MemoryEngine()
        await stock(engine, available, held)
        given = move(an_account(available=0, ceiling=10), 3, counter="RETURNED")
        transaction = a_transaction(engine, given)
        transaction.move({STOCK: Guard(ceiling=10)})

        if fits:
            await transaction.commit()
        else:
            with pytest.raises(Stale):
                await transaction.commit()

        assert await balance(engine) == (available + 3 * fits, held)

    async def test_a_full_account_still_gives_holds_back(self) -> None:
        engine = MemoryEngine()
        await stock(engine, 8, 2)
        given = release(an_account(available=8, held=2, ceiling=10), 2, counter="RELEASED")

        transaction = a_transaction(engine, given)
        transaction.move({STOCK: Guard(ceiling=10)})
        await transaction.commit()

        assert await balance(engine) == (10, 0)

    async def test_no_more_is_released_than_is_held(self) -> None:
        engine = MemoryEngine()
        await stock(engine, 0, 1)
        given = release(an_account(available=0, held=2), 2, counter="RELEASED")

        transaction = a_transaction(engine, given)
        transaction.move({})
        with pytest.raises(Stale):
            await transaction.commit()

        assert await balance(engine) == (0, 1)

    async def test_a_hold_moves_from_available_to_held(self) -> None:
        engine = MemoryEngine()
        await stock(engine, 5, 1)

        transaction = a_transaction(
            engine, hold(an_account(available=5, held=1), 2, counter="HELD")
        )
        transaction.move({})
        await transaction.commit()

        assert await balance(engine) == (3, 3)

    async def test_an_account_that_is_not_there_is_not_made(self) -> None:
        engine = MemoryEngine()

        transaction = a_transaction(engine, move(an_account(), 1, counter="RETURNED"))
        transaction.move({})
        with pytest.raises(Stale):
            await transaction.commit()

        assert await balance(engine) is None

    async def test_a_personal_account_opens_with_its_first_movement_once(self) -> None:
        """Two first movements race: one opens, the other decides again on what then is there."""
        engine = MemoryEngine(faults=Faults(latency=0.02), seed=3)
        unopened = an_account(WALLET, unit=Unit.FEN, available=1500, opened=False)
        opening = {"version": {"N": "1"}}

        async def spend(key: str) -> Recorded | None:
            spent = move(unopened, -400, counter="SPENT")
            transaction = a_transaction(engine, spent, key=key)
            transaction.move({WALLET: Guard(opening=opening, explain=refusal(Closed()))})
            return await transaction.commit()

        answers = await asyncio.gather(spend("key-1"), spend("key-2"), return_exceptions=True)

        assert sorted(type(a).__name__ for a in answers) == ["NoneType", "Stale"]
        assert await balance(engine, WALLET) == (1100, 0)
        (entry,) = engine.items("journal")
        assert journal.from_item(entry).movements[0].opens == 1500


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
        assert (await self.rush(UnguardedPortions, 1, offered=500)).doubled > 0

    async def rush(self, kind: type[Portions], seed: int, *, offered: int = 60) -> Any:
        engine = MemoryEngine(VirtualClock(seed=seed), faults=Faults(), seed=seed)
        seller = kind(engine, engine.clock)
        await seller.offer(offered)
        engine.faults = self.FAULTS

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
