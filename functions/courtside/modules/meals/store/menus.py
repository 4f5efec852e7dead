"""Menus as stored: a day is one partition, each line the account of its own portions."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from courtside.kernel.jobs import Job, JobState
from courtside.kernel.journal import Entry, Json, Recorded
from courtside.modules.meals.contracts.canteens import Dish, Period
from courtside.modules.meals.contracts.menus import (
    DayMenu,
    DraftDay,
    DraftLine,
    MenuDay,
    MenuLine,
    Window,
    WindowState,
    line_account,
    menu_partition,
)
from courtside.modules.meals.store.canteens import stated, to_allergens, to_dish, to_tags
from courtside.modules.meals.store.items import (
    CLOSED,
    DAY,
    LINE,
    OPEN,
    DayItem,
    DishItem,
    DraftDayItem,
    DraftLineItem,
    LineItem,
)
from courtside.platform import jobs
from courtside.platform.dynamo.database import Database, create, replace
from courtside.platform.dynamo.values import (
    Check,
    Key,
    Op,
    Write,
    attribute,
    from_instant,
    instant,
)


class MenuStore:
    """Drafts, days and lines, and the jobs that work on them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs = jobs.JobStore(database)

    async def load_menu(self, court: str, canteen: str, day: date, *, decide: bool) -> DayMenu:
        items = await self._database.of(court).query_mixed(
            {DAY: DayItem, LINE: LineItem}, menu_partition(canteen, day), consistent=decide
        )
        found = next((to_day(item) for item in items if isinstance(item, DayItem)), None)
        lines = [to_line(item) for item in items if isinstance(item, LineItem)]
        return DayMenu(canteen=canteen, date=day, day=found, lines=lines)

    async def find_draft_days(
        self, court: str, canteen: str, days: Sequence[date]
    ) -> list[DraftDay]:
        keys = [(f"MEALS#DRAFTS#{canteen}", day.isoformat()) for day in days]
        found = await self._database.of(court).get_many(DraftDayItem, keys)
        return [_draft_day(canteen, item) for item in found if item is not None]

    async def list_draft_lines(
        self, court: str, canteen: str, day: date, batch: str
    ) -> list[DraftLine]:
        items = await self._database.of(court).query(
            DraftLineItem,
            f"MEALS#DRAFT#{canteen}#{batch}",
            begins=f"{day.isoformat()}#",
            consistent=True,
        )
        return [_draft(item) for item in items]

    async def find_days(self, court: str, canteen: str, days: Sequence[date]) -> list[MenuDay]:
        keys = [(menu_partition(canteen, day), DAY) for day in days]
        found = await self._database.of(court).get_many(DayItem, keys)
        return [to_day(item) for item in found if item is not None]

    async def find_dishes(self, court: str, canteen: str, dishes: Sequence[str]) -> dict[str, Dish]:
        partition = f"MEALS#DISHES#{canteen}"
        keys = [(partition, dish) for dish in dishes]
        found = await self._database.of(court).get_many(DishItem, keys)
        return {item.sk: to_dish(item) for item in found if item is not None}

    async def request_job(self, days: Sequence[MenuDay], job: Job, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        for day in days:
            transaction.add(replace(day_item(job.court, day), by="menu day"))
        transaction.add(jobs.begin(job))
        return await transaction.commit()

    async def publish_lines(
        self,
        day: MenuDay,
        lines: Sequence[tuple[MenuLine, int | None]],
        job: Job,
        entry: Entry,
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        transaction.add(_unchanged(job.court, day))
        for line, change in lines:
            transaction.add(_published(job.court, line, change))
        transaction.add(jobs.step(job))
        return await transaction.commit()

    async def turn(
        self, days: Sequence[MenuDay], job: Job, report: Json, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        for day in days:
            transaction.add(replace(day_item(job.court, day), by="menu day"))
        transaction.add(jobs.end(job, JobState.DONE, report))
        return await transaction.commit()

    async def close_lines(
        self, lines: Sequence[MenuLine], job: Job | None, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        court = entry.command.court
        closed_at = attribute(instant(self._database.clock.now()))
        for line in lines:
            put = {"st": attribute(CLOSED), "ca": closed_at}
            transaction.add(_line_write(court, line, put, Check("st", Op.EQ, OPEN)))
        if job is not None:
            transaction.add(jobs.step(job))
        return await transaction.commit()

    async def move_lines(
        self, lines: Sequence[MenuLine], window: Window, job: Job | None, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        court = entry.command.court
        bounds = {
            "ob": attribute(instant(window.order_by)),
            "cb": attribute(instant(window.change_by)),
            "xb": attribute(instant(window.cancel_by)),
        }
        for line in lines:
            transaction.add(_line_write(court, line, bounds, Check("st", Op.EQ, OPEN)))
        if job is not None:
            transaction.add(jobs.step(job))
        return await transaction.commit()

    async def find_job(self, court: str, job_id: str) -> Job | None:
        return await self._jobs.find(court, job_id)


def day_item(court: str, day: MenuDay) -> DayItem:
    return DayItem(
        pk=f"{court}#{menu_partition(day.canteen, day.date)}",
        sk=DAY,
        version=day.version,
        published=day.published,
        batch=day.batch,
        windows=json.dumps([_window(w) for w in day.windows], separators=(",", ":")),
    )


def to_day(item: DayItem) -> MenuDay:
    _, canteen, day = item.pk.rsplit("#", 2)
    return MenuDay(
        canteen=canteen,
        date=date.fromisoformat(day),
        version=int(item.version),
        published=int(item.published),
        batch=int(item.batch),
        windows=tuple(_to_window(w) for w in json.loads(item.windows)),
    )


def line_item(court: str, line: MenuLine) -> LineItem:
    account = line_account(line.canteen, line.date, line.period, line.dish)
    return LineItem(
        pk=f"{court}#{account.partition}",
        sk=account.sort,
        available=line.available,
        held=line.held,
        planned=line.planned,
        name=line.name,
        price=line.price_fen,
        allergens=stated(line.allergens) or "-",
        tags=",".join(line.tags),
        state=OPEN if line.is_open else CLOSED,
        order_by=instant(line.order_by),
        change_by=instant(line.change_by),
        cancel_by=instant(line.cancel_by),
        closed_at=None if line.closed_at is None else instant(line.closed_at),
        batch=line.batch,
    )


def to_line(item: LineItem) -> MenuLine:
    _, canteen, day = item.pk.rsplit("#", 2)
    _, period, dish = item.sk.split("#")
    return MenuLine(
        canteen=canteen,
        date=date.fromisoformat(day),
        period=Period(period),
        dish=dish,
        name=item.name,
        price_fen=int(item.price),
        allergens=to_allergens(item.allergens),
        tags=to_tags(item.tags),
        planned=int(item.planned),
        available=int(item.available),
        held=int(item.held),
        is_open=item.state == OPEN,
        order_by=from_instant(item.order_by),
        change_by=from_instant(item.change_by),
        cancel_by=from_instant(item.cancel_by),
        closed_at=None if item.closed_at is None else from_instant(item.closed_at),
        batch=int(item.batch),
    )


def line_sort(period: Period, dish: str) -> str:
    return f"{LINE}{period.value}#{dish}"


def _unchanged(court: str, day: MenuDay) -> Write:
    key = Key(f"{court}#{menu_partition(day.canteen, day.date)}", DAY)
    checks = (Check("version", Op.EQ, day.version),)
    return Write(table=DayItem.table, key=key, checks=checks, by="menu day")


def _published(court: str, line: MenuLine, change: int | None) -> Write:
    """Planned portions move with the account, which `Transaction.move` would not do: the entry
    has the movement, this write makes it."""
    if change is None:
        return create(line_item(court, line), by="menu line")
    put = {"al": attribute(stated(line.allergens)), "tg": attribute(",".join(line.tags))}
    checks = (Check("st", Op.EQ, OPEN), Check("available", Op.GE, max(0, -change)))
    write = _line_write(court, line, put, *checks)
    if not change:
        return write
    added = {"available": change, "pl": change}
    return Write(table=write.table, key=write.key, checks=checks, set=put, add=added, by=write.by)


def _line_write(court: str, line: MenuLine, put: dict[str, Any], *checks: Check) -> Write:
    account = line_account(line.canteen, line.date, line.period, line.dish)
    key = Key(f"{court}#{account.partition}", account.sort)
    return Write(table=LineItem.table, key=key, checks=checks, set=put, by=f"line {account.sort}")


def _draft_day(canteen: str, item: DraftDayItem) -> DraftDay:
    return DraftDay(
        canteen=canteen,
        date=date.fromisoformat(item.sk),
        batch=item.batch,
        version=int(item.version),
    )


def _draft(item: DraftLineItem) -> DraftLine:
    day, period, dish = item.sk.split("#")
    return DraftLine(
        date=date.fromisoformat(day),
        period=Period(period),
        dish=dish,
        name=item.name,
        price_fen=int(item.price),
        planned=int(item.planned),
    )


def _window(window: Window) -> list[Any]:
    bounds = (
        window.serves_from,
        window.serves_to,
        window.order_by,
        window.change_by,
        window.cancel_by,
    )
    told = [window.subsidy_fen, window.state.value, window.count, window.job]
    return [window.period.value, *(int(at.timestamp()) for at in bounds), *told]


def _to_window(stored: list[Any]) -> Window:
    period, *bounds, subsidy, state, count, job = stored
    serves_from, serves_to, order_by, change_by, cancel_by = (
        datetime.fromtimestamp(at, UTC) for at in bounds
    )
    return Window(
        period=Period(period),
        serves_from=serves_from,
        serves_to=serves_to,
        order_by=order_by,
        change_by=change_by,
        cancel_by=cancel_by,
        subsidy_fen=subsidy,
        state=WindowState(state),
        count=count,
        job=job,
    )
