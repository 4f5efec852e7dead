"""Nothing stays undelivered, however long the stream was gone."""

from datetime import timedelta

import pytest

from courtside.entrypoints.journal_relay import JournalRelay
from courtside.kernel.workdays import business_day
from courtside.platform.dynamo.database import engine_of
from courtside.platform.relay import Relay
from courtside.platform.signals import Signal
from courtside.platform.sweeper import Sweeper
from testkit.house import COURT, House


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def sweeper_of(house: House) -> Sweeper:
    base = house.base
    relay = Relay(
        engine_of(base.database),
        events=base.event_queue,
        jobs=base.job_queue,
        signals=house.signals,
    )
    return Sweeper(house.database, relay, house.signals)


def undelivered(house: House) -> set[str]:
    marks = {
        item["pk"]["S"].rpartition("#")[2]
        for item in house.engine.items("records")
        if item["sk"]["S"] == "DELIVERED"
    }
    return {item["id"]["S"] for item in house.engine.items("journal")} - marks


class TestSweep:
    async def test_finishes_what_a_gap_of_two_days_left(self, house):
        """D-17: the stream forgot 48 hours of entries; the sweeper delivers each of them."""
        founded = business_day(house.clock.now())
        for hour in range(48):
            house.clock.advance(hours=1)
            await house.tills.pay(f"T{hour % 5}", 1, key=f"k-{hour}")
        house.clock.advance(hours=1)
        assert len(undelivered(house)) == 48

        resent = await sweeper_of(house).sweep(COURT, since=founded, now=house.clock.now())

        assert resent == 48
        assert undelivered(house) == set()
        assert len(house.queues.receive("events", most=100)) == 48
        assert house.signals.counts[Signal.ENTRY_RESENT] == 48

    async def test_leaves_alone_what_was_delivered_or_is_on_its_way(self, house):
        await house.tills.pay("A", 1, key="delivered")
        await JournalRelay(house.base, house.signals).take(
            {"Records": house.engine.stream("journal")}
        )
        house.clock.advance(minutes=10)
        await house.tills.pay("A", 2, key="young")
        house.queues.receive("events")

        resent = await sweeper_of(house).sweep(
            COURT, since=business_day(house.clock.now()), now=house.clock.now()
        )

        assert resent == 0
        assert house.queues.receive("events") == []

    async def test_reads_no_day_again_that_is_wholly_delivered(self, house, monkeypatch):
        founded = business_day(house.clock.now())
        await house.tills.pay("A", 1, key="k-1")
        house.clock.advance(days=400)
        sweeper = sweeper_of(house)
        await sweeper.sweep(COURT, since=founded, now=house.clock.now())
        asked = []
        query = house.engine.query

        async def counted(one):
            asked.append(one.pk)
            return await query(one)

        monkeypatch.setattr(house.engine, "query", counted)
        await sweeper.sweep(COURT, since=founded, now=house.clock.now())

        assert len(asked) == 8  # today's partitions alone

    async def test_does_not_pass_a_day_that_still_fails(self, house):
        founded = business_day(house.clock.now())
        await house.tills.pay("A", 1, key="k-1")
        (record,) = house.engine.stream("journal")
        broken = record["dynamodb"]["NewImage"] | {"e": {"S": "{"}}
        await house.engine.put_many("journal", [broken])
        house.clock.advance(days=3)
        sweeper = sweeper_of(house)

        resent = await sweeper.sweep(COURT, since=founded, now=house.clock.now())
        await house.engine.put_many("journal", [record["dynamodb"]["NewImage"]])
        house.clock.advance(minutes=5)
        mended = await sweeper.sweep(COURT, since=founded, now=house.clock.now())

        assert (resent, mended) == (0, 1)
        assert undelivered(house) == set()

    async def test_keeps_to_its_court(self, house):
        await house.tills.pay("A", 1, key="k-1")
        house.clock.advance(hours=1)
        before = house.engine.dump()

        resent = await sweeper_of(house).sweep(
            "C999",
            since=business_day(house.clock.now() - timedelta(hours=1)),
            now=house.clock.now(),
        )

        assert resent == 0
        assert house.engine.dump() == before
