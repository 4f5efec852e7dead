"""Accounts move inside the transaction, and never past their bounds."""

import asyncio

import pytest
from infra.memory.engine import Faults, MemoryEngine

from courtside.kernel.errors import Stale
from courtside.kernel.journal import Recorded
from courtside.kernel.ledger import Unit, hold, move, release
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.transaction import (
    Guard,
    refusal,
)
from testkit.factories.portions import (
    SoldOut,
)
from testkit.factories.transactions import (
    STOCK,
    WALLET,
    Closed,
    ScriptedEngine,
    a_transaction,
    an_account,
    balance,
    stock,
)


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
