"""What the clock asks for reaches every court."""

import json

import pytest

from courtside.entrypoints.scheduled import Scheduled
from courtside.kernel.workdays import business_day
from courtside.platform.signals import Signal
from testkit.factories.people import OTHER_COURT, a_court


@pytest.fixture
async def scheduled(app, court):
    await a_court(app, code=OTHER_COURT)
    return Scheduled(app.app, app.signals)


def undelivered(app) -> set[str]:
    marks = {
        item["pk"]["S"].rpartition("#")[2]
        for item in app.engine.items("records")
        if item["sk"]["S"] == "DELIVERED"
    }
    return {item["id"]["S"] for item in app.engine.items("journal")} - marks


class TestScheduled:
    async def test_sweeps_all_courts(self, app, scheduled):
        """D-17: two days without a stream, in two courts."""
        app.clock.advance(hours=48)
        assert len(undelivered(app)) == 2

        await scheduled.take({"task": "sweep"})

        assert undelivered(app) == set()
        assert app.signals.counts[Signal.ENTRY_RESENT] == 2

    async def test_asks_for_every_courts_comparison(self, app, scheduled):
        founded = business_day(app.clock.now())
        app.clock.advance(days=30)

        await scheduled.take({"task": "reconcile"})

        told = [json.loads(message.body) for message in app.queues.receive("jobs")]
        assert sorted(message["court"] for message in told) == ["C310", "C320", "_"]
        assert {message["job"] for message in told} == {
            f"platform.reconcile#{founded.isoformat()}/2026-03-24"
        }

    async def test_a_finding_raises_the_alarm(self, app, scheduled):
        app.clock.advance(hours=1)

        await scheduled.take({"task": "reconcile"})
        worker = app.pump.workers["jobs"]
        await app.pump.queue("jobs", worker)

        assert app.signals.counts[Signal.RECONCILIATION_MISMATCH] > 0
        assert app.queues.waiting("jobs") == 0

    async def test_seals_all_courts_and_has_them_verified(self, app, scheduled):
        """P-10, from the clock to the alarm."""
        app.clock.advance(minutes=15)
        await scheduled.take({"task": "seal"})
        vault = app.app.foundation.vault
        kept = {court: len(await vault.page(court)) for court in ("C310", "C320", "_")}
        app.clock.advance(hours=3)

        await scheduled.take({"task": "verify"})
        await app.pump.queue("jobs", app.pump.workers["jobs"])

        assert kept == {"C310": 1, "C320": 1, "_": 0}
        assert app.signals.counts == {}

        (entry, _) = app.engine.items("journal")
        await app.engine.put_many("journal", [{**entry, "e": {"S": "{}"}}])
        await scheduled.take({"task": "verify"})
        await app.pump.queue("jobs", app.pump.workers["jobs"])

        assert set(app.signals.counts) == {Signal.SEAL_BROKEN}
        assert app.queues.waiting("jobs") == 0

    async def test_a_court_that_cannot_be_sealed_holds_no_other_up(self, app, scheduled):
        vault = app.app.foundation.vault
        await vault.keep("C310", "0000000001.json", b"no seal")
        app.clock.advance(minutes=15)

        await scheduled.take({"task": "seal"})

        assert app.signals.counts == {Signal.SEAL_FAILED: 1}
        assert len(await vault.page("C320")) == 1

    async def test_knows_no_other_task(self, scheduled):
        with pytest.raises(KeyError):
            await scheduled.take({"task": "drop_tables"})
