"""D-08: a cut-off is decided by the server's clock at the moment of the transaction.

Containers whose clocks differ take orders around half past nine while the tables are busy, so that
many a request arrives before the cut-off and is written after it.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytest
from infra.memory.engine import Faults

from courtside import bootstrap
from courtside.kernel.workdays import CLOCK_SKEW, local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.transaction import Transaction
from testkit.factories.meals import MONDAY, PORK

CLOSES = local_instant(MONDAY, time(9, 30))
AROUND = timedelta(seconds=6)  # before and after the cut-off
EVERY = timedelta(milliseconds=150)
LATENCY = 0.04  # seconds, at most, before and after a call does its work
BUSY = Faults(throttled=0.7, latency=LATENCY)


@dataclass(slots=True)
class Morning:
    """What became of the orders of all containers."""

    accepted: list[tuple[float, datetime]] = field(default_factory=list)  # skew, true time
    refused: list[tuple[float, datetime]] = field(default_factory=list)
    stamped: list[datetime] = field(default_factory=list)  # of the entries, by the server's clock
    asked: dict[str, datetime] = field(default_factory=dict)  # when a key's request came


async def around_the_cut_off(app, canteen, skews, found: Morning) -> Morning:
    """Orders arrive at each container from six seconds before the cut-off until six after it."""
    await canteen.grants_subsidy(1500)
    await canteen.serves({PORK: 1000})
    steps = 2 * AROUND // EVERY
    diners = [await canteen.court.somebody() for _ in range(steps * len(skews))]
    before = {item["pk"]["S"] for item in app.engine.items("journal")}
    app.clock.set(CLOSES - AROUND)
    app.engine.faults = BUSY

    async def arrive(n, skew):
        clock = app.clock.skewed(seconds=skew)
        server = bootstrap.build(
            app.app.settings, clock=clock, engine=app.engine, queues=app.queues
        )
        orders = server.parts[MealOrders]
        await app.clock.sleep((n % steps) * EVERY.total_seconds())
        key, now = f"phone-{n:04}", clock.now()
        found.asked[key] = now
        try:
            await orders.place_order(diners[n], canteen.wants({PORK: 1}), key=key, now=now)
        except errors.OrderWindowClosed:
            found.refused.append((skew, app.clock.now()))
        else:
            found.accepted.append((skew, app.clock.now()))

    await asyncio.gather(*(arrive(n, skews[n // steps]) for n in range(len(diners))))
    app.engine.faults = Faults()
    found.stamped = [
        journal.from_item(item).at
        for item in app.engine.items("journal")
        if item["pk"]["S"] not in before
    ]
    return found


def decided_at_the_write(found, skews, *, epsilon) -> None:
    """No entry at the cut-off or later by its server's clock; none `epsilon` later by the true."""
    assert len(found.stamped) == len(found.accepted)
    assert max(found.stamped) < CLOSES
    for skew in skews:
        accepted = [at for by, at in found.accepted if by == skew]
        refused = [at for by, at in found.refused if by == skew]
        assert accepted
        assert refused
        assert max(accepted) < CLOSES + epsilon + timedelta(seconds=2 * LATENCY)


class TestClocks:
    @pytest.mark.parametrize("skew", [CLOCK_SKEW.total_seconds(), 5.0])
    async def test_of_containers_decide_each_for_itself_at_the_write(self, app, canteen, skew):
        """D-08: within 250 ms, which pages speak of as the tolerance, and at five seconds."""
        skews = (-skew, 0.0, skew)

        found = await around_the_cut_off(app, canteen, skews, Morning())

        decided_at_the_write(found, skews, epsilon=timedelta(seconds=skew))

    async def test_would_notice_a_cut_off_decided_when_the_request_came(
        self, app, canteen, monkeypatch
    ):
        """D-08, the broken twin: `now` is the request's own, as if it were no matter of waiting."""
        found, writes = Morning(), Transaction._writes

        def as_it_came(transaction, now):
            return writes(transaction, found.asked.get(transaction._entry.command.key, now))

        monkeypatch.setattr(Transaction, "_writes", as_it_came)
        await around_the_cut_off(app, canteen, (0.0,), found)

        with pytest.raises(AssertionError):
            decided_at_the_write(found, (0.0,), epsilon=timedelta(0))

    @pytest.mark.parametrize("off", [-1, 0, 1])
    async def test_bound_is_exclusive_to_the_millisecond(self, app, canteen, off):
        """D-08: at half past nine sharp it is too late, whenever the request came."""
        await canteen.grants_subsidy(1500)
        await canteen.serves({PORK: 10})
        diner = await canteen.court.somebody()
        app.clock.set(CLOSES + timedelta(milliseconds=off))

        placing = app.get(MealOrders).place_order(
            diner, canteen.wants({PORK: 1}), key="the-key-1", now=CLOSES - timedelta(seconds=1)
        )

        if off < 0:
            assert (await placing).value.version == 1
        else:
            with pytest.raises(errors.OrderWindowClosed):
                await placing
        assert await canteen.left(PORK) == (9 if off < 0 else 10)

    async def test_that_is_slow_takes_no_order_after_the_count(self, app, canteen):
        """D-08: what the kitchen has counted is closed by a write, whatever a container's clock."""
        await canteen.grants_subsidy(1500)
        await canteen.serves({PORK: 10})
        early, late = [await canteen.court.somebody() for _ in range(2)]
        await canteen.has_order(early, {PORK: 1})
        app.clock.set(CLOSES + timedelta(seconds=1))
        counted = await canteen.counts(early=False)
        clock = app.clock.skewed(seconds=-5)
        slow = bootstrap.build(app.app.settings, clock=clock, engine=app.engine, queues=app.queues)

        with pytest.raises(errors.OrderWindowClosed):
            await slow.parts[MealOrders].place_order(
                late, canteen.wants({PORK: 1}), key="the-key-1", now=clock.now()
            )

        assert sum(line.portions for line in counted.lines) == 1
        assert await canteen.left(PORK) == 9
