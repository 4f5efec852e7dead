"""Placing, changing, cancelling and collecting on the in-memory engine, through the services."""

import pytest

from courtside.modules.meals import errors
from courtside.modules.meals.service.orders import MealOrders
from courtside.platform.dynamo.meter import metered
from testkit.factories.meals import PORK, RICE


@pytest.fixture
def orders(app) -> MealOrders:
    return app.get(MealOrders)


async def refused(canteen, orders, diner, request, kind):
    """Run a placing that is refused, and show that nothing of it is left."""
    before = canteen.court.app.engine.dump()

    with pytest.raises(kind) as refusal:
        await orders.place_order(diner, request, key=canteen.key(), now=canteen.now)

    assert canteen.court.app.engine.dump() == before
    return refusal.value


class TestPlaceOrder:
    async def test_takes_portions_and_pays_from_subsidy_first(self, canteen, orders):
        await canteen.grants_subsidy(1500)
        await canteen.serves({PORK: 10, RICE: 20})
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 1000)

        order = await canteen.has_order(diner, {PORK: 1, RICE: 5})

        assert (order.subsidy_fen, order.wallet_fen) == (1500, 200)
        assert await canteen.left(PORK) == 9
        assert await canteen.left(RICE) == 15
        assert await canteen.subsidy(diner) == 0
        assert await canteen.wallet(diner) == 800

    async def test_reads_once_and_writes_once(self, canteen, orders):
        names = [f"菜{n}" for n in range(5)]
        await canteen.grants_subsidy(1000)
        await canteen.serves(dict.fromkeys(names, 50))
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 10000)

        with metered() as meter:
            await canteen.has_order(diner, dict.fromkeys(names, 1))

        assert (meter.reads, meter.writes, meter.rounds) == (1, 1, 2)
        assert meter.items_written == 9
        assert meter.write_units <= 20

    async def test_refuses_a_second_live_order(self, canteen, orders):
        await canteen.serves(
            {PORK: 10},
        )
        diner = await canteen.court.somebody()
        await canteen.tops_up(diner, 5000)
        first = await canteen.has_order(diner, {PORK: 1})

        refusal = await refused(
            canteen, orders, diner, canteen.wants({PORK: 2}), errors.AlreadyOrdered
        )

        assert (refusal.pickup_code, refusal.version) == (first.code, 1)
