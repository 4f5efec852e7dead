"""The settings of a meal: only times that every day can keep, by the bounds of a moved cut-off."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.errors import InvalidInput
from courtside.kernel.workdays import CutOff, local_instant
from courtside.modules.meals.contracts.canteens import Period, SetMealPeriod
from courtside.modules.meals.contracts.menus import MoveCutOff
from courtside.modules.meals.rules.canteens import default_period
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.menus import Menus
from testkit.factories.meals import MONDAY, PORK


def as_usual(canteen, period: Period) -> SetMealPeriod:
    usual = default_period(canteen.id, period)
    return SetMealPeriod(
        canteen=canteen.id,
        period=period,
        serve_from=usual.serve_from,
        serve_to=usual.serve_to,
        order=usual.order,
        change=usual.change,
        cancel=usual.cancel,
        subsidy_fen=0,
        expected_version=1,
    )


def on_the_day(clock_time: str) -> CutOff:
    return CutOff(days_before=0, at=time.fromisoformat(clock_time))


async def sets(canteen, request: SetMealPeriod):
    manager = await canteen.court.somebody(Role.LOGISTICS_MANAGER)
    service = canteen.court.app.get(Canteens)
    return await service.set_meal_period(manager, request, key=canteen.key(), now=canteen.now)


class TestSetMealPeriod:
    @pytest.mark.parametrize("period", Period)
    async def test_takes_the_usual_times_of_each_meal(self, canteen, period):
        done = await sets(canteen, as_usual(canteen, period))

        assert done.value.version == 2

    @pytest.mark.parametrize(
        ("period", "wrong", "field"),
        [
            (Period.LUNCH, {"serve_from": time(13), "serve_to": time(11)}, "serveTo"),
            (Period.LUNCH, {"serve_to": time(11, 30)}, "serveTo"),
            (Period.LUNCH, {"order": on_the_day("11:31")}, "order"),
            (Period.LUNCH, {"change": on_the_day("23:00")}, "change"),
            (Period.LUNCH, {"cancel": on_the_day("12:00")}, "cancel"),
            (Period.NIGHT, {"serve_to": time(4, 30)}, "serveTo"),
            (Period.NIGHT, {"order": on_the_day("22:31")}, "order"),
        ],
    )
    async def test_refuses_what_no_day_can_keep(self, canteen, period, wrong, field):
        request = replace(as_usual(canteen, period), **wrong)
        manager = await canteen.court.somebody(Role.LOGISTICS_MANAGER)
        before = canteen.court.app.engine.dump()

        with pytest.raises(InvalidInput) as refusal:
            await canteen.court.app.get(Canteens).set_meal_period(
                manager, request, key=canteen.key(), now=canteen.now
            )

        assert refusal.value.field == field
        assert canteen.court.app.engine.dump() == before

    @pytest.mark.parametrize(
        "given",
        [
            {"order": on_the_day("11:30")},
            {"order": CutOff(days_before=1, at=time(23))},
            {"serve_from": time(23, 30), "serve_to": time(3, 59)},
        ],
        ids=["as serving begins", "late the day before", "across midnight"],
    )
    async def test_takes_the_last_moment(self, canteen, given):
        period = Period.NIGHT if "serve_to" in given else Period.LUNCH

        done = await sets(canteen, replace(as_usual(canteen, period), **given))

        assert done.value.version == 2


class TestMoveCutOff:
    @pytest.mark.parametrize("bound", ["order_by", "change_by", "cancel_by"])
    async def test_refuses_a_bound_after_serving_has_begun(self, canteen, app, bound):
        await canteen.serves({PORK: 10})
        begins = local_instant(MONDAY, time(11, 30))
        bounds = dict.fromkeys(("order_by", "change_by", "cancel_by"), begins)
        late = {**bounds, bound: begins + timedelta(minutes=1)}
        menu = app.get(Menus)
        before = app.engine.dump()

        with pytest.raises(InvalidInput):
            await menu.move_cut_off(
                canteen.cook,
                MoveCutOff(canteen=canteen.id, date=MONDAY, period=Period.LUNCH, **late),
                key="move-late",
                now=canteen.now,
            )
        assert app.engine.dump() == before
        await menu.move_cut_off(
            canteen.cook,
            MoveCutOff(canteen=canteen.id, date=MONDAY, period=Period.LUNCH, **bounds),
            key="move-last",
            now=canteen.now,
        )
