"""Canteens, their meal periods and their dishes."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime

from courtside.kernel.actor import Actors, Principal, permit
from courtside.kernel.errors import NotFound
from courtside.kernel.ids import short_id
from courtside.kernel.journal import Change, Command, Done, Entry, Journal, Result, entry
from courtside.kernel.usecase import decides_again
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import (
    AddCanteen,
    AddDish,
    Canteen,
    Dish,
    MealPeriod,
    SetDishAllergens,
    SetMealPeriod,
)
from courtside.modules.meals.ports import CanteenStore
from courtside.modules.meals.rules import PERMITS
from courtside.modules.meals.rules import canteens as rules

CANTEEN_ID = 6


class Canteens:
    """What a canteen is, when it serves, and what it can cook."""

    def __init__(self, store: CanteenStore, *, journal: Journal, actors: Actors) -> None:
        self._store = store
        self._journal = journal
        self._actors = actors

    async def list_canteens(self, principal: Principal, *, now: datetime) -> Sequence[Canteen]:
        """The canteens of one's court."""
        actor, canteens = await gather(
            self._actors.get_actor(principal), self._store.list_canteens(principal.court)
        )
        permit(actor, PERMITS, "meals.list_canteens", now=now)
        return canteens

    async def list_periods(
        self, principal: Principal, canteen: str, *, now: datetime
    ) -> Sequence[MealPeriod]:
        """The settings of a canteen's meals."""
        actor, periods = await gather(
            self._actors.get_actor(principal), self._store.list_periods(principal.court, canteen)
        )
        permit(actor, PERMITS, "meals.list_canteens", now=now)
        return periods

    async def list_dishes(
        self, principal: Principal, canteen: str, *, now: datetime
    ) -> Sequence[Dish]:
        """The dishes of a canteen, those without an allergen statement first."""
        actor, dishes = await gather(
            self._actors.get_actor(principal), self._store.list_dishes(principal.court, canteen)
        )
        permit(actor, PERMITS, "meals.list_dishes", now=now)
        return sorted(dishes, key=lambda dish: (dish.allergens is not None, dish.name))

    @decides_again
    async def add_canteen(
        self, principal: Principal, request: AddCanteen, *, key: str, now: datetime
    ) -> Done[Canteen]:
        """A new canteen with its four meals at their usual times. Refusals: InvalidInput."""
        command = Command(
            principal=principal, operation="meals.add_canteen", key=key, request=request
        )
        recorded, actor = await gather(
            self._journal.recall(command), self._actors.get_actor(principal)
        )
        if recorded is None:
            permit(actor, PERMITS, command.operation, now=now)
            canteen, periods = rules.add_canteen(request, canteen=short_id(CANTEEN_ID))
            told = _entry(command, "Canteen", canteen.id, version=1, now=now)
            recorded = await self._store.save_canteen(canteen, periods, told)
            if recorded is None:
                return Done(value=canteen)
        found = await self._store.find_canteen(principal.court, recorded.result.id)
        if found is None:
            raise NotFound(kind=errors.CANTEEN)
        return Done(value=found, replayed=True, outcome=recorded.result.outcome)

    @decides_again
    async def set_meal_period(
        self, principal: Principal, request: SetMealPeriod, *, key: str, now: datetime
    ) -> Done[MealPeriod]:
        """Other times, cut-offs or subsidy of a meal, for menus published from now on.

        Refusals: NotFound, VersionConflict, InvalidInput.
        """
        command = Command(
            principal=principal, operation="meals.set_meal_period", key=key, request=request
        )
        recorded, actor, before = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._store.find_period(principal.court, request.canteen, request.period),
        )
        if recorded is None:
            permit(actor, PERMITS, command.operation, now=now)
            period = rules.set_period(request, before)
            name = f"{request.canteen}#{request.period.value}"
            told = _entry(command, "MealPeriod", name, version=period.version, now=now)
            recorded = await self._store.save_period(period, told)
            if recorded is None:
                return Done(value=period)
            before = await self._store.find_period(principal.court, request.canteen, request.period)
        if before is None:
            raise NotFound(kind=errors.PERIOD)
        return Done(value=before, replayed=True, outcome=recorded.result.outcome)

    @decides_again
    async def add_dish(
        self, principal: Principal, request: AddDish, *, key: str, now: datetime
    ) -> Done[Dish]:
        """A new dish of a canteen. Refusals: NotFound, DishExists, InvalidInput."""
        command = Command(principal=principal, operation="meals.add_dish", key=key, request=request)
        recorded, actor, canteen = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._store.find_canteen(principal.court, request.canteen),
        )
        if recorded is None:
            permit(actor, PERMITS, command.operation, now=now)
            if canteen is None:
                raise NotFound(kind=errors.CANTEEN, path=("input", "canteenId"))
            dish = rules.add_dish(request)
            told = _entry(command, "Dish", f"{dish.canteen}#{dish.id}", version=1, now=now)
            recorded = await self._store.save_dish(dish, told)
            if recorded is None:
                return Done(value=dish)
        dish_id = rules.dish_id(request.canteen, request.name)
        return await self._replayed(principal, request.canteen, dish_id)

    @decides_again
    async def set_dish_allergens(
        self, principal: Principal, request: SetDishAllergens, *, key: str, now: datetime
    ) -> Done[Dish]:
        """State a dish's allergens, or that it has none. Refusals: NotFound, VersionConflict."""
        command = Command(
            principal=principal, operation="meals.set_dish_allergens", key=key, request=request
        )
        recorded, actor, before = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._store.find_dish(principal.court, request.canteen, request.dish),
        )
        if recorded is None:
            permit(actor, PERMITS, command.operation, now=now)
            dish = rules.set_allergens(request, before)
            name = f"{dish.canteen}#{dish.id}"
            told = _entry(command, "Dish", name, version=dish.version, now=now)
            recorded = await self._store.save_dish(dish, told)
            if recorded is None:
                return Done(value=dish)
        return await self._replayed(principal, request.canteen, request.dish)

    async def _replayed(self, principal: Principal, canteen: str, dish: str) -> Done[Dish]:
        found = await self._store.find_dish(principal.court, canteen, dish)
        if found is None:
            raise NotFound(kind=errors.DISH)
        return Done(value=found, replayed=True)


def _entry(command: Command, kind: str, name: str, *, version: int, now: datetime) -> Entry:
    aggregate = f"{kind.upper()}#{name}"
    return entry(
        command,
        now=now,
        result=Result(kind=kind, id=name, version=version),
        changes=(Change(aggregate=aggregate, version=version),),
    )
