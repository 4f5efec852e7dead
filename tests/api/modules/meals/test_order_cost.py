"""What a thousand orders cost, with everything that follows them."""

import pytest
from infra.costs.bill import Units, bill, prices

from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.kernel.ids import encode
from courtside.platform.dynamo.meter import metered
from testkit.app import EVENTS
from testkit.factories.meals import PORK, RICE

# Seconds that are billed, well above what the bench takes of a processor: waiting is billed too.
API_SECONDS, AFTER_SECONDS = 0.060, 0.020
API_GB, WORKER_GB = 1.0, 0.5
MOST = 0.025  # USD


@pytest.fixture
async def measured(app, canteen, judge, phone):
    """Meters of one order's request and of what follows it, and how many messages that was."""
    await app.settle()
    begun = len(app.engine.stream("journal"))
    lines = [
        {"dishId": encode("Dish", canteen.id, canteen.dish(name)), "quantity": 1}
        for name in (PORK, RICE)
    ]
    wanted = {"canteenId": encode("Canteen", canteen.id), "date": "2026-03-02", "period": "LUNCH"}
    answer = await phone.do("PlaceMealOrder", {**wanted, "lines": lines})
    assert answer.data["placeMealOrder"]["errors"] == []
    with metered() as after:
        records = app.engine.stream("journal", after=begun)
        assert len(records) == 1
        await JournalRelay(app.app.foundation, app.signals).take({"Records": records})
        received = app.queues.receive(EVENTS)
        await Events(app.app, app.signals).take({"Records": [one.record() for one in received]})
    return answer.meter, after, len(received)


class TestAnOrder:
    async def test_takes_few_units_in_its_request_and_after_it(self, measured):
        request, after, messages = measured

        assert request.write_units <= 20
        assert request.read_units <= 12
        assert 0 < after.write_units <= 10
        assert messages >= 1

    async def test_a_thousand_stay_below_their_price(self, measured):
        request, after, messages = measured
        one = Units(
            writes=request.write_units + after.write_units,
            reads=request.read_units + after.read_units,
            gb_seconds=API_SECONDS * API_GB + 2 * AFTER_SECONDS * WORKER_GB,
            invocations=3,
            api_requests=1,
            queue_requests=3 * messages,
        )

        thousand = 1000 * bill(one, prices()["USD"])

        print(f"1,000 orders: {thousand:.4f} USD of {one}")  # noqa: T201 - shown with -s
        assert 0.01 < thousand <= MOST
