"""A canteen with a menu and money, made through the meals module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import count

from courtside.kernel.actor import Principal, Role, system
from courtside.kernel.jobs import Job
from courtside.kernel.journal import Command, Done, Result, entry
from courtside.kernel.ledger import AccountId, Movement
from courtside.kernel.workdays import CutOff
from courtside.modules.meals.contracts import canteens, kitchen, menus, orders
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.orders import MealOrder, OrderKey, Wanted
from courtside.modules.meals.rules.canteens import dish_id
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from courtside.modules.meals.store.items import DraftDayItem, DraftLineItem
from courtside.platform.dynamo.values import Key, Read
from testkit.factories.people import ACourt

MONDAY = date(2026, 3, 2)  # the virtual clock begins on it, at 09:00 in Shanghai
PORK, RICE, SOUP = "红烧肉", "米饭", "番茄蛋汤"
PRICES = {PORK: 1200, RICE: 100, SOUP: 300}


@dataclass(slots=True, kw_only=True)
class ACanteen:
    """A canteen of a court with its cook; menus, orders and money join by situation."""

    court: ACourt
    id: str
    cook: Principal
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def now(self) -> datetime:
        return self.court.now

    def key(self) -> str:
        """An idempotency key that was not used before."""
        return f"meals-{self.id}-{next(self._numbers):04}"

    def dish(self, name: str) -> str:
        return dish_id(self.id, name)

    async def grants_subsidy(
        self, fen: int, period: Period = Period.LUNCH, *, change_at: str | None = None
    ) -> None:
        """That much for the meal on work days, for menus published from now on; changing and
        cancelling end at `change_at` of the day itself if it is given."""
        service = self.court.app.get(Canteens)
        manager = await self.court.somebody(Role.LOGISTICS_MANAGER)
        (before,) = [
            p
            for p in await service.list_periods(manager, self.id, now=self.now)
            if p.period is period
        ]
        change = CutOff(days_before=0, at=time.fromisoformat(change_at)) if change_at else None
        request = canteens.SetMealPeriod(
            canteen=self.id,
            period=period,
            serve_from=before.serve_from,
            serve_to=before.serve_to,
            order=before.order,
            change=change or before.change,
            cancel=change or before.cancel,
            subsidy_fen=fen,
            expected_version=before.version,
        )
        await service.set_meal_period(manager, request, key=self.key(), now=self.now)

    async def knows_dish(
        self, name: str, *, price: int = 500, allergens: canteens.Allergens = ()
    ) -> str:
        request = canteens.AddDish(
            canteen=self.id, name=name, category="", price_fen=price, allergens=allergens
        )
        service = self.court.app.get(Canteens)
        done = await service.add_dish(self.cook, request, key=self.key(), now=self.now)
        return done.value.id

    async def drafts(
        self,
        portions: Mapping[str, int],
        *,
        on: date = MONDAY,
        period: Period = Period.LUNCH,
        prices: Mapping[str, int] = PRICES,
    ) -> None:
        """A draft of that day as an import leaves it: lines in a batch, then the pointer."""
        batch = self.key()
        lines = [
            DraftLineItem(
                pk=f"{self.court.code}#MEALS#DRAFT#{self.id}#{batch}",
                sk=f"{on.isoformat()}#{period.value}#{self.dish(name)}",
                name=name,
                price=prices.get(name, 500),
                planned=planned,
            )
            for name, planned in portions.items()
        ]
        pointer = DraftDayItem(
            pk=f"{self.court.code}#MEALS#DRAFTS#{self.id}",
            sk=on.isoformat(),
            version=1,
            batches={period.value: batch},
        )
        engine = self.court.app.engine
        items = [item.serialize() for item in [*lines, pointer]]
        for at in range(0, len(items), 25):
            await engine.put_many("records", items[at : at + 25])

    async def publishes(self, on: date = MONDAY, *, to: date | None = None) -> Done[Job]:
        request = menus.PublishMenu(canteen=self.id, from_on=on, to_on=to or on)
        done = await self.court.app.get(Menus).publish_menu(
            self.cook, request, key=self.key(), now=self.now
        )
        await self.court.app.settle()
        return done

    async def serves(
        self,
        portions: Mapping[str, int],
        *,
        on: date = MONDAY,
        period: Period = Period.LUNCH,
    ) -> None:
        """A published menu of known dishes without allergens."""
        known = {d.name for d in await self._dishes()}
        for name in portions:
            if name not in known:
                await self.knows_dish(name, price=PRICES.get(name, 500))
        await self.drafts(portions, on=on, period=period)
        await self.publishes(on)

    async def menu(self, on: date = MONDAY) -> menus.DayMenu:
        shown = await self.court.app.get(Homes).get_day_menu(self.cook, self.id, on, now=self.now)
        return shown.menu

    async def left(self, name: str, on: date = MONDAY, period: Period = Period.LUNCH) -> int:
        menu = await self.menu(on)
        (line,) = [x for x in menu.lines if x.dish == self.dish(name) and x.period is period]
        return line.available

    def wants(
        self,
        portions: Mapping[str, int],
        *,
        on: date = MONDAY,
        period: Period = Period.LUNCH,
        diner: str | None = None,
    ) -> orders.PlaceMealOrder:
        return orders.PlaceMealOrder(
            canteen=self.id, date=on, period=period, lines=self.lines(portions), diner=diner
        )

    def lines(self, portions: Mapping[str, int]) -> tuple[Wanted, ...]:
        return tuple(Wanted(self.dish(name), quantity) for name, quantity in portions.items())

    async def has_order(
        self,
        diner: Principal,
        portions: Mapping[str, int],
        *,
        on: date = MONDAY,
        period: Period = Period.LUNCH,
    ) -> MealOrder:
        request = self.wants(portions, on=on, period=period)
        service = self.court.app.get(MealOrders)
        done = await service.place_order(diner, request, key=self.key(), now=self.now)
        return done.value

    async def counts(
        self, on: date = MONDAY, period: Period = Period.LUNCH, *, early: bool = True
    ) -> kitchen.KitchenCount:
        """The kitchen count, issued and carried out."""
        service = self.court.app.get(Kitchen)
        request = kitchen.IssueKitchenCount(canteen=self.id, date=on, period=period, early=early)
        await service.issue_count(self.cook, request, key=self.key(), now=self.now)
        await self.court.app.settle()
        return await service.get_count(self.cook, self.id, on, period, version=None, now=self.now)

    async def tops_up(self, diner: Principal, fen: int) -> None:
        """Money in somebody's wallet, as a child of finance's import leaves it."""
        account = orders.wallet_account(diner.person)
        database = self.court.app.app.database
        held = await self.balance(account)
        command = Command(
            principal=system(self.court.code, "meals"),
            operation="meals.top_up",
            key=self.key(),
            request=fen,
        )
        moved = Movement(
            account=account, available=fen, counter="TOP_UP", opens=None if held is not None else 0
        )
        told = entry(
            command, now=self.now, result=Result(kind="Job", id="test"), movements=(moved,)
        )
        transaction = database.transaction(told)
        transaction.move({})
        await transaction.commit()

    async def balance(self, account: AccountId) -> int | None:
        """What an account has, None if it was never opened."""
        key = Key(f"{self.court.code}#{account.partition}", account.sort)
        (item,) = await self.court.app.engine.get([Read("records", key)])
        return None if item is None else int(item["available"]["N"])

    async def subsidy(self, diner: Principal, on: date = MONDAY) -> int | None:
        account = orders.subsidy_account(diner.person, on, Period.LUNCH, canteen=self.id)
        return await self.balance(account)

    async def wallet(self, diner: Principal) -> int | None:
        return await self.balance(orders.wallet_account(diner.person))

    async def _dishes(self) -> Sequence[canteens.Dish]:
        return await self.court.app.get(Canteens).list_dishes(self.cook, self.id, now=self.now)


async def a_canteen(court: ACourt, *, name: str = "机关食堂") -> ACanteen:
    manager = await court.somebody(Role.LOGISTICS_MANAGER)
    cook = await court.somebody(Role.KITCHEN)
    request = canteens.AddCanteen(name=name, site="审判楼一层", windows=("1号窗口", "2号窗口"))
    done = await court.app.get(Canteens).add_canteen(
        manager, request, key=court.key(), now=court.now
    )
    return ACanteen(court=court, id=done.value.id, cook=cook)


def order_key(diner: Principal, on: date = MONDAY, period: Period = Period.LUNCH) -> OrderKey:
    return OrderKey(on, period, diner.person)
