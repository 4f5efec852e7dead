"""The one transaction against the embedded engine behind a proxy that fails; seeds are printed."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from courtside.platform.clock import SystemClock, deadline
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.engine import EngineFault, Unanswered
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.patience import PatientEngine
from courtside.platform.dynamo.values import Query
from courtside.platform.settings import Settings
from testkit.factories.portions import (
    Outcome,
    Portions,
    RewrittenPortions,
    UnguardedPortions,
    asked,
    entries,
    judge,
)
from testkit.proxy import FaultProxy, ProxyFaults

SEED = 20260302
Behind = Callable[[ProxyFaults], AbstractAsyncContextManager[tuple[FaultProxy, DynamoEngine]]]


@pytest.fixture
def behind(settings: Settings) -> Behind:
    """An engine behind a proxy with the faults asked for."""

    @asynccontextmanager
    async def open_(faults: ProxyFaults) -> AsyncIterator[tuple[FaultProxy, DynamoEngine]]:
        async with FaultProxy(settings.endpoint, faults, seed=SEED) as proxy:
            engine = DynamoEngine(dataclasses.replace(settings, endpoint=proxy.endpoint))
            try:
                yield proxy, engine
            finally:
                await engine.close()

    return open_


def a_key(seller: Portions, client: int, n: int) -> str:
    """A key of the dish's own: the tables are shared by all tests."""
    return f"{seller.account.partition[5:]}-{client:04}-{n:04}"


async def rush(
    seller: Portions, *, clients: int, each: int, attempts: list[int] | None = None
) -> list[Outcome]:
    """Every client asks so often, one asking after the other."""

    async def client(c: int) -> list[Outcome]:
        found = []
        for n in range(each):
            with metered() as meter:
                found.append(await asked(seller, f"P{c}", a_key(seller, c, n)))
            if attempts is not None:
                attempts.append(meter.attempts)
        return found

    answers = await asyncio.gather(*(client(c) for c in range(clients)))
    return [outcome for part in answers for outcome in part]


class TestRush:
    """D-01 and D-03 at the transaction: 5 % faults of every kind, and their broken twins."""

    FAULTS = ProxyFaults(lost=0.01, throttled=0.01, unanswered=0.02, failed=0.01)

    async def test_1000_orders_of_300_portions(
        self, embedded: DynamoEngine, behind: Behind
    ) -> None:
        async with behind(self.FAULTS) as (proxy, engine):
            seller = Portions(engine, SystemClock(), dish="RUSH")
            await Portions(embedded, SystemClock(), dish="RUSH").offer(300)

            outcomes = await rush(seller, clients=40, each=25)

            left = await Portions(embedded, SystemClock(), dish="RUSH").left()
        assert proxy.counts["unanswered"] > 5
        assert judge(outcomes, offered=300, left=left) == (0, 0, 0, 0), SEED
        assert left == 0
        written = Portions(embedded, SystemClock(), dish="RUSH")
        askings = [(f"P{c}", a_key(written, c, n)) for c in range(40) for n in range(25)]
        assert await entries(written, askings) == 300

    async def test_reading_and_rewriting_oversells(self, embedded: DynamoEngine) -> None:
        seller = RewrittenPortions(embedded, SystemClock(), dish="REWRITTEN")
        await seller.offer(30)

        outcomes = await rush(seller, clients=16, each=10)

        assert judge(outcomes, offered=30, left=await seller.left()).oversold > 0


class TestLostAnswers:
    """D-03 ★: half of all answers are lost after the commit."""

    FAULTS = ProxyFaults(unanswered=0.5)

    async def test_have_one_effect_each(self, embedded: DynamoEngine, behind: Behind) -> None:
        async with behind(self.FAULTS) as (proxy, engine):
            truth = Portions(embedded, SystemClock(), dish="LOST")
            await truth.offer(100)

            outcomes = await rush(Portions(engine, SystemClock(), dish="LOST"), clients=8, each=5)

        assert proxy.counts["unanswered"] > 10
        assert [o.answer for o in outcomes] == ["taken"] * 40
        assert await truth.left() == 60

    async def test_an_unguarded_update_is_applied_twice(
        self, embedded: DynamoEngine, behind: Behind
    ) -> None:
        async with behind(self.FAULTS) as (_, engine):
            truth = Portions(embedded, SystemClock(), dish="UNGUARDED")
            await truth.offer(1000)
            seller = UnguardedPortions(engine, SystemClock(), dish="UNGUARDED")

            outcomes = await rush(seller, clients=8, each=5)

        assert judge(outcomes, offered=1000, left=await truth.left()).doubled > 0


class TestStorm:
    """D-10: conflicts and throttling are met with bounded retries inside the deadline."""

    async def test_at_5_percent_all_succeed_in_few_attempts(
        self, embedded: DynamoEngine, behind: Behind
    ) -> None:
        faults = ProxyFaults(throttled=0.05, overlap=0.001)
        attempts: list[int] = []
        async with behind(faults) as (proxy, engine):
            dishes = [Portions(engine, SystemClock(), dish=f"STORM{n}") for n in range(20)]
            for dish in dishes:
                await Portions(embedded, SystemClock(), dish=dish.account.partition[5:]).offer(99)

            rushes = (rush(dish, clients=1, each=25, attempts=attempts) for dish in dishes)
            outcomes = [o for part in await asyncio.gather(*rushes) for o in part]

        assert proxy.counts["throttled"] > 10
        assert {o.answer for o in outcomes} == {"taken"}
        assert sorted(attempts)[int(len(attempts) * 0.99)] <= 5

    async def test_overlapping_transactions_conflict_and_all_are_answered(
        self, embedded: DynamoEngine, behind: Behind
    ) -> None:
        async with behind(ProxyFaults(overlap=0.008)) as (proxy, engine):
            seller = Portions(engine, SystemClock(), dish="HOT")
            await Portions(embedded, SystemClock(), dish="HOT").offer(100)

            with deadline(SystemClock(), 30):
                outcomes = await rush(seller, clients=12, each=3)

            left = await seller.left()
        assert proxy.counts["conflict"] > 10
        assert [o.answer for o in outcomes] == ["taken"] * 36
        assert left == 64

    async def test_nothing_is_sent_after_the_deadline(self, behind: Behind) -> None:
        async with behind(ProxyFaults(throttled=1.0)) as (proxy, engine):
            seller = Portions(engine, SystemClock(), dish="THROTTLED")

            with deadline(SystemClock(), 0.3), metered() as meter:
                outcome = await asked(seller, "P1", "key-0001")

            sent = proxy.counts["TransactWriteItems"]
            assert outcome.answer == "unknown"
            assert meter.attempts == sent
            await asyncio.sleep(0.1)
            assert proxy.counts["TransactWriteItems"] == sent


class TestReads:
    async def test_are_retried_where_patience_is_asked_for(
        self, embedded: DynamoEngine, behind: Behind
    ) -> None:
        truth = Portions(embedded, SystemClock(), dish="READ")
        await truth.offer(7)
        async with behind(ProxyFaults(lost=0.4, throttled=0.2, failed=0.2)) as (proxy, engine):
            patient = Portions(PatientEngine(engine, SystemClock()), SystemClock(), dish="READ")

            found = [await patient.left() for _ in range(10)]

            assert found == [7] * 10
            assert proxy.counts["lost"] > 2

    async def test_a_stale_page_of_an_index_is_what_it_was(
        self, embedded: DynamoEngine, behind: Behind
    ) -> None:
        query = Query(table="records", pk="STALE#CASE", index="gsi1")
        shown = {"gsi1pk": {"S": "STALE#CASE"}, "gsi1sk": {"S": "1"}, "sk": {"S": "1"}}
        async with behind(ProxyFaults(stale=1.0)) as (proxy, engine):
            assert (await engine.query(query)).items == []

            await embedded.put_many("records", [{"pk": {"S": "STALE#ITEM"}, **shown}])

            assert (await engine.query(query)).items == []
            proxy.faults = ProxyFaults()
            assert len((await engine.query(query)).items) == 1

    async def test_an_engine_that_is_not_there_gives_no_answer(self, settings: Settings) -> None:
        engine = DynamoEngine(dataclasses.replace(settings, endpoint="http://127.0.0.1:9"))

        with pytest.raises(Unanswered):
            await Portions(engine, SystemClock()).left()
        await engine.close()

    async def test_a_table_that_is_not_there_is_a_fault(self, settings: Settings) -> None:
        names = {**settings.tables, "records": "courtside-test-nothing"}
        engine = DynamoEngine(dataclasses.replace(settings, tables=names))

        with pytest.raises(EngineFault):
            await Portions(engine, SystemClock()).left()
        await engine.close()
