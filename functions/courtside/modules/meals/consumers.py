"""What meals does after others' facts, and the work behind its jobs."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from courtside.kernel.actor import system
from courtside.kernel.jobs import Work
from courtside.kernel.journal import Delivered
from courtside.modules.meals.contracts.orders import OrderKey
from courtside.modules.meals.events import AllergensStated, MealOrderPlaced
from courtside.modules.meals.service.orders import MealOrders
from courtside.modules.meals.service.statements import Statements
from courtside.modules.people.events import PersonLeft

Handler = Callable[[Delivered, datetime], Awaitable[None]]


class Consumers:
    """Facts by name, jobs by kind."""

    def __init__(
        self, orders: MealOrders, *, statements: Statements, works: Mapping[str, Work]
    ) -> None:
        self._orders = orders
        self._statements = statements
        self._works = works

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            PersonLeft.name: self.person_left,
            MealOrderPlaced.name: self.order_placed,
            AllergensStated.name: self.allergens_stated,
        }

    @property
    def works(self) -> Mapping[str, Work]:
        return self._works

    async def person_left(self, delivered: Delivered, now: datetime) -> None:
        """Every order that is still ahead of the leaver is cancelled and refunded, each under a
        key of its own, so that a second delivery finds it done."""
        court = delivered.court
        principal = system(court, "meals")
        diner = str(delivered.fact.state["person"])
        for order in await self._orders.list_orders_ahead(principal, diner, now=now):
            key = f"{delivered.id}#{order.key.date.isoformat()}{order.key.period.value}"
            await self._orders.cancel_for_leaver(principal, order.key, key=key, now=now)

    async def order_placed(self, delivered: Delivered, now: datetime) -> None:
        """A diner's own order checks no grants when it is written, so that it may come in after
        its diner has left; then it ends as those that came before."""
        court = delivered.court
        _, _, name = delivered.fact.aggregate.partition(":")
        await self._orders.cancel_if_left(
            system(court, "meals"), OrderKey.parse(name), key=delivered.id, now=now
        )

    async def allergens_stated(self, delivered: Delivered, now: datetime) -> None:
        """The menus from today on say what is stated of the dish by now, whichever of several
        statements this one is."""
        court, state = delivered.court, delivered.fact.state
        await self._statements.restate_allergens(
            system(court, "meals"),
            str(state["canteen"]),
            str(state["dish"]),
            key=delivered.id,
            now=now,
        )
