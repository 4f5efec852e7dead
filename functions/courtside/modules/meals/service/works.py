"""The jobs on one meal: moving its cut-offs, closing and counting it.

Each child is a use case of `system:meals` under its job's key; running one again changes nothing.
"""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from courtside.kernel.actor import system
from courtside.kernel.jobs import Freed, Job, child_command
from courtside.kernel.journal import (
    Change,
    Command,
    Entry,
    Event,
    Fact,
    Journal,
    Result,
    entry,
)
from courtside.kernel.usecase import decides_again
from courtside.modules.meals import errors, events
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.menus import (
    DayMenu,
    MenuDay,
    MenuLine,
    Window,
    WindowState,
    meal_aggregate,
)
from courtside.modules.meals.ports import KitchenStore, MenuStore, OrderStore
from courtside.modules.meals.rules import kitchen
from courtside.modules.meals.rules import menus as rules


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meal:
    """What a closing or moving job is about."""

    canteen: str
    date: date
    period: Period
    lines: Sequence[str]

    def chunk(self, n: int) -> set[str]:
        at = n * rules.LINES_A_CHILD
        return set(self.lines[at : at + rules.LINES_A_CHILD])


class MovingCutOff:
    """`meals.move_cut_off`: the accounts get their new bounds, then the day's window turns."""

    def __init__(self, menus: MenuStore, *, journal: Journal) -> None:
        self._menus = menus
        self._journal = journal

    @decides_again
    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """New bounds on at most twelve lines that are not closed. Refusals: TakenOver."""
        command, meal = child_command(job, n), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is None:
            chunk = meal.chunk(n)
            day, window = _held(menu, meal, job)
            lines = [x for x in _open_lines(menu, meal.period) if x.dish in chunk]
            told = entry(command, now=now, result=job_result(job))
            await self._menus.move_lines(day, lines, _moved(window, job), job, told)

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Lines that were published meanwhile follow first; then the window turns."""
        command, meal = child_command(job, job.children), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is not None:
            return
        day, held = _held(menu, meal, job)
        window = _moved(held, job)
        while late := [x for x in _open_lines(menu, meal.period) if _differs(x, window)]:
            rest = entry(_late(job, late), now=now, result=job_result(job))
            await self._menus.move_lines(day, late[: rules.LINES_A_CHILD], window, None, rest)
            menu = await self._load(job, meal)
        day = rules.set_window(day, replace(window, job=None))
        event = events.CutOffMoved(
            aggregate=meal_aggregate(meal.canteen, meal.date, meal.period),
            version=day.version,
            canteen=meal.canteen,
            date=meal.date.isoformat(),
            period=meal.period.value,
            order_by=window.order_by.isoformat(),
            change_by=window.change_by.isoformat(),
            cancel_by=window.cancel_by.isoformat(),
        )
        await self._menus.turn([day], job, {}, _finished(command, job, day, event, now=now))

    async def free(self, job: Job) -> Freed:
        """The meal, if the job still holds it."""
        return await _freed(self._menus, job)

    async def _load(self, job: Job, meal: _Meal) -> DayMenu:
        return await self._menus.load_menu(job.court, meal.canteen, meal.date, decide=True)


class Closing:
    """`meals.close`: every account of the meal is closed, by condition; only then is counted."""

    def __init__(
        self, menus: MenuStore, *, orders: OrderStore, counts: KitchenStore, journal: Journal
    ) -> None:
        self._menus = menus
        self._orders = orders
        self._counts = counts
        self._journal = journal

    @decides_again
    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """Close at most twelve lines. Refusals: TakenOver."""
        command, meal = child_command(job, n), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is None:
            _held(menu, meal, job)
            chunk = meal.chunk(n)
            lines = [x for x in _open_lines(menu, meal.period) if x.dish in chunk]
            told = entry(command, now=now, result=job_result(job))
            await self._menus.close_lines(lines, job, told)

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Close what was published meanwhile, then count from the orders themselves."""
        command, meal = child_command(job, job.children), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is not None:
            return
        while late := _open_lines(menu, meal.period):
            rest = entry(_late(job, late), now=now, result=job_result(job))
            await self._menus.close_lines(late[: rules.LINES_A_CHILD], None, rest)
            menu = await self._load(job, meal)
        held, window = _held(menu, meal, job)
        orders = await self._orders.list_orders(job.court, meal.date, meal.period)
        lines = [x for x in menu.lines if x.period is meal.period]
        count = kitchen.counted(held, meal.period, lines, orders, now=now)
        window = replace(window, state=WindowState.CLOSED, count=count.version, job=None)
        day = rules.set_window(held, window)
        told = _finished(command, job, day, kitchen.issued(count), now=now)
        await self._counts.save_count(count, day, job, told)

    async def free(self, job: Job) -> Freed:
        """The meal, if the job still holds it; accounts that are closed stay closed."""
        return await _freed(self._menus, job)

    async def _load(self, job: Job, meal: _Meal) -> DayMenu:
        return await self._menus.load_menu(job.court, meal.canteen, meal.date, decide=True)


def _meal(job: Job) -> _Meal:
    return _Meal(
        canteen=job.about["canteen"],
        date=date.fromisoformat(job.about["date"]),
        period=Period(job.about["period"]),
        lines=job.about["lines"],
    )


def _held(menu: DayMenu, meal: _Meal, job: Job) -> tuple[MenuDay, Window]:
    """The day and the meal's window, if the job still holds it."""
    window = menu.day.find_window(meal.period) if menu.day is not None else None
    if menu.day is None or window is None or window.job != job.id:
        raise errors.TakenOver
    return menu.day, window


async def _freed(menus: MenuStore, job: Job) -> Freed:
    meal = _meal(job)
    days = await menus.find_days(job.court, meal.canteen, [meal.date])
    held = [day for day in days if any(w.job == job.id for w in day.windows)]
    return menus.free_days(job.court, [rules.freed(day, job=job.id) for day in held])


def _moved(window: Window, job: Job) -> Window:
    order_by, change_by, cancel_by = (datetime.fromisoformat(at) for at in job.about["bounds"])
    return replace(window, order_by=order_by, change_by=change_by, cancel_by=cancel_by)


def _differs(line: MenuLine, window: Window) -> bool:
    bounds = (window.order_by, window.change_by, window.cancel_by)
    return (line.order_by, line.change_by, line.cancel_by) != bounds


def _open_lines(menu: DayMenu, period: Period) -> list[MenuLine]:
    """Those that are not closed: what was taken off the menu still gives back."""
    return [line for line in menu.lines if line.period is period and not line.is_closed]


def _late(job: Job, lines: Sequence[MenuLine]) -> Command:
    """The command that treats lines which came after the job had begun."""
    principal = system(job.court, "meals")
    key = f"{job.id}#late#{lines[0].dish}"
    return Command(principal=principal, operation=job.kind, key=key, request=key)


def job_result(job: Job) -> Result:
    """What a child answers."""
    return Result(kind="Job", id=job.id)


def _finished(command: Command, job: Job, day: MenuDay, event: Event, *, now: datetime) -> Entry:
    return entry(
        command,
        now=now,
        result=job_result(job),
        changes=(Change.of(day),),
        facts=(Fact.of(event),),
    )
