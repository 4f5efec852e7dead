"""Canteens, their meal periods and their dishes."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime

from courtside.kernel.actor import Actor, Actors, Principal, permit
from courtside.kernel.errors import NotFound
from courtside.kernel.ids import short_id
from courtside.kernel.journal import (
    Change,
    Command,
    Done,
    Entry,
    Event,
    Fact,
    Journal,
    Recorded,
    Result,
    Versioned,
    entry,
)
from courtside.kernel.usecase import decides_again, permit_replay
from courtside.modules.meals import errors, events
from courtside.modules.meals.contracts.canteens import (
    AddCanteen,
    AddDish,
    Canteen,
    Dish,
    MealPeriod,
    Period,
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
        if recorded is not None:
            return await self._canteen_replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        canteen, periods = rules.add_canteen(request, canteen=short_id(CANTEEN_ID))
        told = _entry(command, Result(kind="Canteen", id=canteen.id), canteen, now=now)
        raced = await self._store.save_canteen(canteen, periods, told)
        if raced is not None:
            return await self._canteen_replayed(actor, raced, now=now)
        return Done(value=canteen)

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
        if recorded is not None:
            return await self._period_replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        period = rules.set_period(request, before)
        name = f"{period.canteen}#{period.period.value}"
        result = Result(kind="MealPeriod", id=name, version=period.version)
        raced = await self._store.save_period(period, _entry(command, result, period, now=now))
        if raced is not None:
            return await self._period_replayed(actor, raced, now=now)
        return Done(value=period)

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
        if recorded is not None:
            return await self._dish_replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        if canteen is None:
            raise NotFound(kind=errors.CANTEEN, path=("input", "canteenId"))
        return await self._save_dish(command, actor, rules.add_dish(request), now=now)

    @decides_again
    async def set_dish_allergens(
        self, principal: Principal, request: SetDishAllergens, *, key: str, now: datetime
    ) -> Done[Dish]:
        """State a dish's allergens, or that it has none; the menus that have it follow within
        seconds. Refusals: NotFound, VersionConflict."""
        command = Command(
            principal=principal, operation="meals.set_dish_allergens", key=key, request=request
        )
        recorded, actor, before = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._store.find_dish(principal.court, request.canteen, request.dish),
        )
        if recorded is not None:
            return await self._dish_replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        dish = rules.set_allergens(request, before)
        event = events.AllergensStated(
            aggregate=dish.aggregate,
            version=dish.version,
            canteen=dish.canteen,
            dish=dish.id,
            allergens=[allergen.value for allergen in request.allergens],
        )
        return await self._save_dish(command, actor, dish, event, now=now)

    async def _save_dish(
        self, command: Command, actor: Actor, dish: Dish, *told: Event, now: datetime
    ) -> Done[Dish]:
        result = Result(kind="Dish", id=f"{dish.canteen}#{dish.id}", version=dish.version)
        raced = await self._store.save_dish(dish, _entry(command, result, dish, *told, now=now))
        if raced is not None:
            return await self._dish_replayed(actor, raced, now=now)
        return Done(value=dish)

    async def _canteen_replayed(
        self, actor: Actor, recorded: Recorded, *, now: datetime
    ) -> Done[Canteen]:
        permit_replay(actor, PERMITS, "meals.list_canteens", now=now)
        stored = await self._store.find_canteen(actor.court, recorded.result.id)
        if stored is None:
            raise NotFound(kind=errors.CANTEEN)
        return Done(value=stored, replayed=True, outcome=recorded.result.outcome)

    async def _period_replayed(
        self, actor: Actor, recorded: Recorded, *, now: datetime
    ) -> Done[MealPeriod]:
        permit_replay(actor, PERMITS, "meals.list_canteens", now=now)
        canteen, _, period = recorded.result.id.partition("#")
        stored = await self._store.find_period(actor.court, canteen, Period(period))
        if stored is None:
            raise NotFound(kind=errors.PERIOD)
        return Done(value=stored, replayed=True, outcome=recorded.result.outcome)

    async def _dish_replayed(
        self, actor: Actor, recorded: Recorded, *, now: datetime
    ) -> Done[Dish]:
        permit_replay(actor, PERMITS, "meals.list_dishes", now=now)
        canteen, _, dish = recorded.result.id.partition("#")
        stored = await self._store.find_dish(actor.court, canteen, dish)
        if stored is None:
            raise NotFound(kind=errors.DISH)
        return Done(value=stored, replayed=True, outcome=recorded.result.outcome)


def _entry(
    command: Command, result: Result, changed: Versioned, *told: Event, now: datetime
) -> Entry:
    facts = tuple(Fact.of(event) for event in told)
    return entry(command, now=now, result=result, changes=(Change.of(changed),), facts=facts)
