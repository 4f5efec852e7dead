"""What a diner sees: the first screen in two rounds, a day's menu in one."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from courtside.kernel.actor import Actors, Principal, permit
from courtside.kernel.errors import NotFound
from courtside.kernel.ledger import Account, AccountId
from courtside.kernel.workdays import CalendarYearMissing, WorkCalendar, business_day
from courtside.modules.calendar.service import Calendar
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Canteen, Period
from courtside.modules.meals.contracts.menus import DayMenu
from courtside.modules.meals.contracts.orders import (
    DinersDay,
    Home,
    OrderKey,
    subsidy_account,
    wallet_account,
)
from courtside.modules.meals.ports import CanteenStore, MenuStore, OrderStore
from courtside.modules.meals.rules import PERMITS


class Homes:
    """What a diner sees first: what there is to eat, what is ordered, what is left to spend."""

    def __init__(
        self,
        menus: MenuStore,
        *,
        orders: OrderStore,
        canteens: CanteenStore,
        calendars: Calendar,
        actors: Actors,
    ) -> None:
        self._menus = menus
        self._orders = orders
        self._canteens = canteens
        self._calendars = calendars
        self._actors = actors

    async def get_home(self, principal: Principal, canteen: str | None, *, now: datetime) -> Home:
        """Today and the next work day of a canteen (the first by name when none is asked for);
        today alone where the work calendar ends.

        Refusals: NotFound for a canteen that there is not.
        """
        wallet = wallet_account(principal.person)
        actor, canteens, calendar, (purse,) = await gather(
            self._actors.get_actor(principal),
            self._canteens.list_canteens(principal.court),
            self._calendars.get_calendar(principal.court),
            self._orders.find_balances(principal.court, [wallet]),
        )
        permit(actor, PERMITS, "meals.get_home", now=now)
        chosen = _choose(canteens, canteen)
        days = _days(business_day(now), calendar)
        keys = [OrderKey(day, period, principal.person) for day in days for period in Period]
        accounts = [] if chosen is None else [_subsidy(key, chosen.id) for key in keys]
        orders, balances, menus = await gather(
            self._orders.find_orders(principal.court, keys, decide=False),
            self._orders.find_balances(principal.court, accounts),
            self._load_menus(principal.court, chosen, days),
        )
        found = dict(zip(accounts, balances, strict=True))
        shown = tuple(published(menu) for menu in menus)
        return Home(
            canteen=chosen,
            days=shown,
            orders=tuple(orders),
            subsidies=_subsidies(shown, principal.person, found),
            wallet_fen=0 if purse is None else purse.available,
        )

    async def get_day_menu(
        self, principal: Principal, canteen: str, day: date, *, now: datetime
    ) -> DinersDay:
        """What is published of a canteen's day, what is left of it, and of the diner's subsidy."""
        accounts = [_subsidy(OrderKey(day, period, principal.person), canteen) for period in Period]
        actor, menu, balances = await gather(
            self._actors.get_actor(principal),
            self._menus.load_menu(principal.court, canteen, day, decide=False),
            self._orders.find_balances(principal.court, accounts),
        )
        permit(actor, PERMITS, "meals.get_day_menu", now=now)
        shown = published(menu)
        found = dict(zip(accounts, balances, strict=True))
        return DinersDay(menu=shown, subsidies=_subsidies((shown,), principal.person, found))

    async def _load_menus(
        self, court: str, canteen: Canteen | None, days: Sequence[date]
    ) -> list[DayMenu]:
        if canteen is None:
            return []
        return await gather(
            *(self._menus.load_menu(court, canteen.id, day, decide=False) for day in days)
        )


def published(menu: DayMenu) -> DayMenu:
    """The day as a diner may see it."""
    day = menu.day
    if day is None or day.published == 0:
        return replace(menu, day=None, lines=())
    return replace(menu, lines=[x for x in menu.lines if x.is_shown(day.published)])


def _choose(canteens: Sequence[Canteen], wanted: str | None) -> Canteen | None:
    if wanted is None:
        return min(canteens, key=lambda canteen: canteen.name, default=None)
    for canteen in canteens:
        if canteen.id == wanted:
            return canteen
    raise NotFound(kind=errors.CANTEEN, path=("canteenId",))


def _days(today: date, calendar: WorkCalendar) -> tuple[date, ...]:
    """Today, and the next work day after it if the calendar reaches so far."""
    following = today + timedelta(days=1)
    try:
        while not calendar.is_workday(following):
            following += timedelta(days=1)
    except CalendarYearMissing:
        return (today,)
    return today, following


def _subsidy(key: OrderKey, canteen: str) -> AccountId:
    return subsidy_account(key.diner, key.date, key.period, canteen=canteen)


def _subsidies(
    days: Sequence[DayMenu], diner: str, balances: Mapping[AccountId, Account | None]
) -> dict[tuple[date, Period], int]:
    """What is left; a subsidy that was never touched is still what the meal grants."""
    left: dict[tuple[date, Period], int] = {}
    for menu in days:
        for window in menu.day.windows if menu.day is not None else ():
            key = OrderKey(menu.date, window.period, diner)
            account = balances.get(_subsidy(key, menu.canteen))
            fen = window.subsidy_fen if account is None else account.available
            left[menu.date, window.period] = fen
    return left
