"""The jobs of meals: publishing, moving a cut-off, closing and counting.

Each child is a use case of `system:meals` under its job's key; running one again changes nothing.
"""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from courtside.kernel.actor import system
from courtside.kernel.jobs import Job
from courtside.kernel.journal import (
    Change,
    Command,
    Entry,
    Event,
    Fact,
    Journal,
    Result,
    aggregate,
    entry,
)
from courtside.kernel.ledger import Movement
from courtside.kernel.usecase import decides_again
from courtside.modules.meals import events
from courtside.modules.meals.contracts.canteens import Dish, Period
from courtside.modules.meals.contracts.menus import (
    DayMenu,
    DraftLine,
    MenuDay,
    MenuLine,
    Window,
    WindowState,
    meal_aggregate,
)
from courtside.modules.meals.ports import KitchenStore, MenuStore, OrderStore
from courtside.modules.meals.rules import kitchen
from courtside.modules.meals.rules import menus as rules

PLANNED = "PLANNED"
Planned = tuple[MenuLine, int | None]


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


class Publishing:
    """`meals.publish`: lines are written under a batch that nobody sees, then the days turn."""

    def __init__(self, menus: MenuStore, *, journal: Journal) -> None:
        self._menus = menus
        self._journal = journal

    @decides_again
    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """Open or change at most twelve lines of one day, as they were drafted."""
        command = _command(job, n)
        canteen = str(job.about["canteen"])
        day, at = date.fromisoformat(job.about["children"][n][0]), job.about["children"][n][1]
        batch, draft = job.about["days"][day.isoformat()]
        recorded, menu, drafted = await gather(
            self._journal.recall(command),
            self._menus.load_menu(job.court, canteen, day, decide=True),
            self._menus.list_draft_lines(job.court, canteen, day, draft),
        )
        if recorded is not None or menu.day is None:
            return
        chunk = drafted[at : at + rules.LINES_A_CHILD]
        dishes = await self._menus.find_dishes(job.court, canteen, sorted({x.dish for x in chunk}))
        lines = _planned(menu.day, menu.lines, chunk, dishes, batch=batch)
        moved = [m for line, change in lines if (m := _opened(line, change)) is not None]
        told = entry(command, now=now, result=_result(job), movements=tuple(moved))
        await self._menus.publish_lines(menu.day, lines, job, told)

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Turn every day's pointer at once."""
        command = _command(job, job.children)
        canteen = str(job.about["canteen"])
        batches = {day: int(told[0]) for day, told in job.about["days"].items()}
        recorded, days = await gather(
            self._journal.recall(command),
            self._menus.find_days(job.court, canteen, [date.fromisoformat(d) for d in batches]),
        )
        if recorded is not None:
            return
        turned = [_turned(day, batches[day.date.isoformat()]) for day in days]
        event = events.MenuPublished(
            aggregate=aggregate("Publishing", job.id), version=1, canteen=canteen, days=batches
        )
        told = _finished(command, job, turned, event, now=now)
        await self._menus.turn(turned, job, {"days": len(turned)}, told)


class MovingCutOff:
    """`meals.move_cut_off`: the accounts get their new bounds, then the day's window turns."""

    def __init__(self, menus: MenuStore, *, journal: Journal) -> None:
        self._menus = menus
        self._journal = journal

    @decides_again
    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """New bounds on at most twelve lines that are still open."""
        command, meal = _command(job, n), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is None:
            chunk = meal.chunk(n)
            lines = [x for x in _open_lines(menu, meal.period) if x.dish in chunk]
            told = entry(command, now=now, result=_result(job))
            await self._menus.move_lines(lines, _moved(_window(menu, meal), job), job, told)

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Lines that were published meanwhile follow first; then the window turns."""
        command, meal = _command(job, job.children), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is not None or menu.day is None:
            return None
        window = _moved(_window(menu, meal), job)
        late = [x for x in _open_lines(menu, meal.period) if _differs(x, window)]
        if late:
            rest = entry(_late(job, late), now=now, result=_result(job))
            await self._menus.move_lines(late[: rules.LINES_A_CHILD], window, None, rest)
            return await self.finish(job, now=now)
        day = rules.set_window(menu.day, replace(window, job=None))
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
        await self._menus.turn([day], job, {}, _finished(command, job, [day], event, now=now))
        return None

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
        """Close at most twelve lines."""
        command, meal = _command(job, n), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is None:
            chunk = meal.chunk(n)
            lines = [x for x in _open_lines(menu, meal.period) if x.dish in chunk]
            await self._menus.close_lines(lines, job, entry(command, now=now, result=_result(job)))

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Close what was published meanwhile, then count from the orders themselves."""
        command, meal = _command(job, job.children), _meal(job)
        recorded, menu = await gather(self._journal.recall(command), self._load(job, meal))
        if recorded is not None or menu.day is None:
            return None
        late = list(_open_lines(menu, meal.period))
        if late:
            rest = entry(_late(job, late), now=now, result=_result(job))
            await self._menus.close_lines(late[: rules.LINES_A_CHILD], None, rest)
            return await self.finish(job, now=now)
        orders = await self._orders.list_orders(job.court, meal.date, meal.period)
        lines = [x for x in menu.lines if x.period is meal.period]
        count = kitchen.counted(menu.day, meal.period, lines, orders, now=now)
        window = replace(
            _window(menu, meal), state=WindowState.CLOSED, count=count.version, job=None
        )
        day = rules.set_window(menu.day, window)
        told = _finished(command, job, [day], kitchen.issued(count), now=now)
        await self._counts.save_count(count, day, job, told)
        return None

    async def _load(self, job: Job, meal: _Meal) -> DayMenu:
        return await self._menus.load_menu(job.court, meal.canteen, meal.date, decide=True)


def _planned(
    day: MenuDay,
    lines: Sequence[MenuLine],
    drafted: Sequence[DraftLine],
    dishes: dict[str, Dish],
    *,
    batch: int,
) -> list[Planned]:
    """Each drafted line as it shall be; a meal that closed meanwhile takes no more lines."""
    known = {(line.period, line.dish): line for line in lines}
    planned: list[Planned] = []
    for draft in drafted:
        dish, window = dishes[draft.dish], day.find_window(draft.period)
        if window is None or window.state is not WindowState.OPEN:
            continue
        line = known.get((draft.period, draft.dish))
        if line is None:
            planned.append((rules.new_line(draft, dish, day, window, batch=batch), None))
        elif line.is_open:
            shown = replace(line, allergens=dish.allergens, tags=dish.tags)
            planned.append((shown, rules.planned_change(line, draft)))
    return planned


def _opened(line: MenuLine, change: int | None) -> Movement | None:
    """The journalled side of opening a line's account, or of planning more or fewer."""
    account = line.account.id
    if change is None:
        return Movement(account=account, available=line.planned, counter=PLANNED, opens=0)
    return Movement(account=account, available=change, counter=PLANNED) if change else None


def _turned(day: MenuDay, batch: int) -> MenuDay:
    return replace(day, version=day.version + 1, published=max(day.published, batch))


def _meal(job: Job) -> _Meal:
    return _Meal(
        canteen=job.about["canteen"],
        date=date.fromisoformat(job.about["date"]),
        period=Period(job.about["period"]),
        lines=job.about["lines"],
    )


def _window(menu: DayMenu, meal: _Meal) -> Window:
    window = menu.day.find_window(meal.period) if menu.day is not None else None
    if window is None:
        raise LookupError("a job's meal has a window from the request on")
    return window


def _moved(window: Window, job: Job) -> Window:
    order_by, change_by, cancel_by = (datetime.fromisoformat(at) for at in job.about["bounds"])
    return replace(window, order_by=order_by, change_by=change_by, cancel_by=cancel_by)


def _differs(line: MenuLine, window: Window) -> bool:
    bounds = (window.order_by, window.change_by, window.cancel_by)
    return (line.order_by, line.change_by, line.cancel_by) != bounds


def _open_lines(menu: DayMenu, period: Period) -> list[MenuLine]:
    return [line for line in menu.lines if line.period is period and line.is_open]


def _command(job: Job, n: int) -> Command:
    principal = system(job.court, "meals")
    return Command(principal=principal, operation=job.kind, key=job.child_key(n), request=job.about)


def _late(job: Job, lines: Sequence[MenuLine]) -> Command:
    """The command that treats lines which came after the job had begun."""
    principal = system(job.court, "meals")
    key = f"{job.id}#late#{lines[0].dish}"
    return Command(principal=principal, operation=job.kind, key=key, request=key)


def _result(job: Job) -> Result:
    return Result(kind="Job", id=job.id)


def _finished(
    command: Command, job: Job, days: Sequence[MenuDay], event: Event, *, now: datetime
) -> Entry:
    return entry(
        command,
        now=now,
        result=_result(job),
        changes=tuple(Change.of(day) for day in days),
        facts=(Fact.of(event),),
    )
