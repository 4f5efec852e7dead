"""What is stated of a dish reaches every menu that has it: diners' safety hangs on it."""

from asyncio import gather
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from courtside.kernel.actor import Actors, Principal, permit
from courtside.kernel.journal import Command, Journal, Result, entry
from courtside.kernel.usecase import decides_again
from courtside.kernel.workdays import business_day
from courtside.modules.meals.ports import MenuStore
from courtside.modules.meals.rules import PERMITS
from courtside.modules.meals.rules.menus import DAYS_AHEAD

OPERATION = "meals.restate_allergens"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestateAllergens:
    """The dish's lines of one day."""

    canteen: str
    dish: str
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """Allergen statements on published menus."""

    menus: MenuStore
    journal: Journal
    actors: Actors

    async def restate_allergens(
        self, principal: Principal, canteen: str, dish: str, *, key: str, now: datetime
    ) -> None:
        """Write the dish's newest statement on all its lines from today on, closed ones and those
        that nobody sees yet included. Lines that come later carry it from the beginning: what
        writes them checks the dish."""
        today = business_day(now)
        days = [today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)]
        actor, lines = await gather(
            self.actors.get_actor(principal),
            self.menus.find_lines_of(principal.court, canteen, dish, days),
        )
        permit(actor, PERMITS, OPERATION, now=now)
        for day in sorted({line.date for line in lines}):
            request = RestateAllergens(canteen=canteen, dish=dish, date=day)
            day_key = f"{key}#{day.isoformat()}"
            await self._restate_day(principal, request, key=day_key, now=now)

    @decides_again
    async def _restate_day(
        self, principal: Principal, request: RestateAllergens, *, key: str, now: datetime
    ) -> None:
        """Stale, and decided again, when the dish is stated anew meanwhile."""
        command = Command(principal=principal, operation=OPERATION, key=key, request=request)
        court, canteen, dish_id = principal.court, request.canteen, request.dish
        recorded, dishes, lines = await gather(
            self.journal.recall(command),
            self.menus.find_dishes(court, canteen, [dish_id]),
            self.menus.find_lines_of(court, canteen, dish_id, [request.date]),
        )
        dish = dishes.get(dish_id)
        if recorded is not None or dish is None:
            return
        wrong = [line for line in lines if line.allergens != dish.allergens]
        if wrong:
            result = Result(kind="Dish", id=f"{canteen}#{dish_id}", version=dish.version)
            told = entry(command, now=now, result=result)
            await self.menus.restate_lines(wrong, dish, told)
