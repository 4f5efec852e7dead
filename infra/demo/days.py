"""What happens on a demo day: orders in the morning, a change of mind, the count, the pick-ups."""

import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from infra.demo.canteens import DemoCanteen, planned
from infra.demo.host import Host
from infra.demo.people import Staff

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Refusal
from courtside.kernel.workdays import local_instant
from courtside.modules.meals.contracts.canteens import Dish, Period
from courtside.modules.meals.contracts.kitchen import IssueKitchenCount
from courtside.modules.meals.contracts.orders import (
    CancelMealOrder,
    CollectMealOrder,
    MealOrder,
    PlaceMealOrder,
    Wanted,
)
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.orders import MealOrders

_COUNTED_AT = {Period.BREAKFAST: time(6, 0), Period.LUNCH: time(9, 32), Period.DINNER: time(15, 2)}
_ORDERED_FROM = {Period.LUNCH: time(8, 0), Period.DINNER: time(13, 0)}
_SERVED_FROM = {
    Period.BREAKFAST: time(7, 5),
    Period.LUNCH: time(11, 35),
    Period.DINNER: time(17, 35),
}
_CANCELS = 0.04  # of the orders of a meal
_NO_SHOWS = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The installation, who works and eats there, and where."""

    host: Host
    staff: Staff
    canteens: Sequence[DemoCanteen]


async def live_through(world: World, day: date, *, until: datetime, diners: int) -> int:
    """Everything of one day that lies before `until`; how many orders were placed."""
    placed = 0
    for period in Period:
        for canteen in world.canteens:
            if period in canteen.dishes:
                meal = Meal(world=world, canteen=canteen, day=day, period=period)
                placed += await meal.happen(until=until, diners=diners)
    return placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Meal:
    """One meal of one canteen on one day."""

    world: World
    canteen: DemoCanteen
    day: date
    period: Period

    async def happen(self, *, until: datetime, diners: int) -> int:
        orders = await self._orders(until=until, diners=diners)
        counted_at = self._at(_COUNTED_AT[self.period])
        if counted_at < until:
            await self._count(counted_at)
            await self._collect(orders, until=until)
        return len(orders)

    async def _orders(self, *, until: datetime, diners: int) -> list[MealOrder]:
        guests = list(self.world.staff.diners)
        self._chance("guests").shuffle(guests)
        begins = self._begins()
        placed = []
        for n, guest in enumerate(guests[: self._share(diners)]):
            chance = self._chance(guest.person)
            now = begins + timedelta(seconds=20 * n + chance.randrange(20))
            if now >= until:
                break
            order = await self._order(chance, guest, now=now)
            if order is not None and chance.random() >= _CANCELS:
                placed.append(order)
            elif order is not None:
                await self._cancel(guest, order, now=now + timedelta(seconds=5))
        return placed

    async def _order(
        self, chance: random.Random, guest: Principal, *, now: datetime
    ) -> MealOrder | None:
        """What a guest takes; nothing if that is sold out or the guest ate elsewhere already."""
        request = PlaceMealOrder(
            canteen=self.canteen.id,
            date=self.day,
            period=self.period,
            lines=self._taste(chance),
        )
        self.world.host.set_clock(now)
        try:
            done = await self.world.host.get(MealOrders).place_order(
                guest, request, key=self._key("order", guest.person), now=now
            )
        except Refusal:
            return None
        return done.value

    async def _cancel(self, guest: Principal, order: MealOrder, *, now: datetime) -> None:
        self.world.host.set_clock(now)
        request = CancelMealOrder(order=order.key)
        with contextlib.suppress(Refusal):
            await self.world.host.get(MealOrders).cancel_order(
                guest, request, key=self._key("cancel", guest.person), now=now
            )

    async def _count(self, now: datetime) -> None:
        self.world.host.set_clock(now)
        request = IssueKitchenCount(canteen=self.canteen.id, date=self.day, period=self.period)
        try:
            done = await self.world.host.get(Kitchen).issue_count(
                self.world.staff["kitchen"], request, key=self._key("count", ""), now=now
            )
        except Refusal:  # the reader has counted already
            return
        await self.world.host.finish(done.value.id)

    async def _collect(self, orders: Sequence[MealOrder], *, until: datetime) -> None:
        opens = self._at(_SERVED_FROM[self.period])
        for n, order in enumerate(orders):
            chance = self._chance(f"{order.key.diner}collects")
            now = opens + timedelta(seconds=12 * n)
            if now >= until:
                return
            if chance.random() < _NO_SHOWS:
                continue
            self.world.host.set_clock(now)
            window = chance.choice(self.canteen.windows)
            request = CollectMealOrder(canteen=self.canteen.id, code=order.code, window=window)
            key = self._key("collect", order.code)
            with contextlib.suppress(Refusal):
                await self.world.host.get(MealOrders).collect_order(
                    self.world.staff["window"], request, key=key, now=now
                )

    def _taste(self, chance: random.Random) -> tuple[Wanted, ...]:
        """One staple and up to three dishes, as people eat."""
        offered = [dish for dish, _ in planned(self.canteen, self.day, self.period)]
        staples = [dish for dish in offered if _is_staple(dish)]
        others = [dish for dish in offered if not _is_staple(dish)]
        taken = chance.sample(others, min(len(others), chance.randint(1, 3)))
        if staples:
            taken.append(chance.choice(staples))
        return tuple(Wanted(dish.id, 1) for dish in taken)

    def _share(self, diners: int) -> int:
        """The big canteen feeds most; breakfast and dinner are for few."""
        many = diners if len(self.canteen.windows) > 1 else diners // 4
        return max(2, many if self.period is Period.LUNCH else many // 5)

    def _begins(self) -> datetime:
        if self.period in _ORDERED_FROM:
            return self._at(_ORDERED_FROM[self.period])
        return self._at(time(14, 0)) - timedelta(days=(self.day.weekday() == 0 and 3) or 1)

    def _at(self, at: time) -> datetime:
        return local_instant(self.day, at)

    def _chance(self, what: str) -> random.Random:
        """The same chances each time that this meal is played."""
        return random.Random(f"{self.canteen.name}{self.day}{self.period}{what}")

    def _key(self, what: str, whose: str) -> str:
        return f"demo-{what}-{self.canteen.id}-{self.day}-{self.period.value}-{whose}"


def _is_staple(dish: Dish) -> bool:
    return dish.category in ("主食", "面点", "粉面")
