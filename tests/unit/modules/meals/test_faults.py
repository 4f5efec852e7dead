"""Principals apart, and a small rush through the services under faults; what holds for each
mutation is in `tests/contract/test_every_mutation.py`."""

import asyncio
from dataclasses import replace

import pytest
from infra.memory.engine import Faults

from courtside.kernel.errors import Refusal
from courtside.modules.meals import errors
from courtside.modules.meals.service.orders import MealOrders
from testkit.factories.meals import PORK


class TestKeys:
    async def test_of_different_diners_and_courts_are_their_own(self, app, canteen):
        """D-06: the same key of another principal tells nothing and hinders nothing."""
        await canteen.grants_subsidy(1500)
        await canteen.serves({PORK: 10})
        first, second = [await canteen.court.somebody() for _ in range(2)]
        place, request = app.get(MealOrders).place_order, canteen.wants({PORK: 1})
        await place(first, request, key="the-key-1", now=canteen.now)

        done = await place(second, request, key="the-key-1", now=canteen.now)
        with pytest.raises(Refusal) as refusal:
            await place(replace(first, court="C999"), request, key="the-key-1", now=canteen.now)

        assert not done.replayed
        assert refusal.value.code == "NOT_PERMITTED"
        assert await canteen.left(PORK) == 8


class TestTheRush:
    async def test_sells_every_portion_once_under_faults(self, app, canteen):
        """D-01 through the services: a hundred phones, forty portions, one call in twenty fails."""
        await canteen.grants_subsidy(1500)
        await canteen.serves({PORK: 40})
        phones = [await canteen.court.somebody() for _ in range(100)]
        app.engine.faults = Faults(
            lost_before=0.0125, lost_after=0.025, throttled=0.0125, overlap=0.0005, latency=0.004
        )
        orders = app.get(MealOrders)

        async def phone(n, diner):
            await app.clock.sleep(n * 0.02)
            return await orders.place_order(
                diner, canteen.wants({PORK: 1}), key=f"phone-{n:04}", now=canteen.now
            )

        answers = await asyncio.gather(
            *(phone(n, diner) for n, diner in enumerate(phones)), return_exceptions=True
        )
        app.engine.faults = Faults()

        sold = [a for a in answers if not isinstance(a, BaseException)]
        refused = [a for a in answers if isinstance(a, BaseException)]
        assert {type(a) for a in refused} == {errors.SoldOut}
        assert (len(sold), len(refused)) == (40, 60)
        assert await canteen.left(PORK) == 0
        stored = [i for i in app.engine.items("records") if "#MEALS#ORDERS#" in i["pk"]["S"]]
        assert len(stored) == 40
