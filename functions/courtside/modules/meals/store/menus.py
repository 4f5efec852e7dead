"""Menus as stored: a day is one partition, each line the account of its own portions."""

import dataclasses
import json
from asyncio import gather
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from courtside.kernel.jobs import Freed, Job, JobState
from courtside.kernel.journal import Change, Entry, Json, Recorded
from courtside.modules.meals.contracts.canteens import Dish, Period
from courtside.modules.meals.contracts.menus import (
    DayMenu,
    DraftDay,
    DraftLine,
    LineState,
    MenuDay,
    MenuLine,
    PlannedLines,
    Window,
    WindowState,
    line_account,
    menu_partition,
)
from courtside.modules.meals.store.canteens import stated, to_allergens, to_dish, to_tags
from courtside.modules.meals.store.items import (
    DAY,
    LINE,
    DayItem,
    DishItem,
    DraftDayItem,
    DraftLineItem,
    LineItem,
)
from courtside.platform import jobs
from courtside.platform.dynamo.database import Database, create, replace
from courtside.platform.dynamo.values import (
    AT_NOW,
    Check,
    Key,
    Op,
    Write,
    attribute,
    from_instant,
    instant,
)

OPEN, CLOSED = LineState.OPEN.value, LineState.CLOSED.value
_NOT_CLOSED = Check("st", Op.NE, CLOSED)
_WRITTEN_ANEW = ("n", "p", "al", "tg", "st", "ob", "cb", "xb", "b")  # by publishing a line again


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

    async def list_draft_lines(self, court: str, draft: DraftDay) -> list[DraftLine]:
        tenant = self._database.of(court)
        batches = sorted(set(draft.batches.values()))
        found = await gather(
            *(
                tenant.query(
                    DraftLineItem,
                    f"MEALS#DRAFT#{draft.canteen}#{batch}",
                    begins=f"{draft.date.isoformat()}#",
                    consistent=True,
                )
                for batch in batches
            )
        )
        return [
            line
            for batch, items in zip(batches, found, strict=True)
            for line in map(_draft, items)
            if draft.batches.get(line.period) == batch
        ]

    async def find_days(self, court: str, canteen: str, days: Sequence[date]) -> list[MenuDay]:
        keys = [(menu_partition(canteen, day), DAY) for day in days]
        found = await self._database.of(court).get_many(DayItem, keys)
        return [to_day(item) for item in found if item is not None]

    async def find_dishes(self, court: str, canteen: str, dishes: Sequence[str]) -> dict[str, Dish]:
        partition = f"MEALS#DISHES#{canteen}"
        keys = [(partition, dish) for dish in dishes]
        found = await self._database.of(court).get_many(DishItem, keys)
        return {item.sk: to_dish(item) for item in found if item is not None}

    async def find_lines_of(
        self, court: str, canteen: str, dish: str, days: Sequence[date]
    ) -> list[MenuLine]:
        keys = [
            (menu_partition(canteen, day), line_sort(period, dish))
            for day in days
            for period in Period
        ]
        found = await self._database.of(court).get_many(LineItem, keys)
        return [to_line(item) for item in found if item is not None]

    async def restate_lines(
        self, lines: Sequence[MenuLine], dish: Dish, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        court = entry.command.court
        transaction.add(_same_dish(court, dish))
        put = {"al": attribute(stated(dish.allergens))}
        for line in lines:
            transaction.add(_line_write(court, line, put, Check("pk", Op.EXISTS)))
        return await transaction.commit()

    async def request_job(self, days: Sequence[MenuDay], job: Job, entry: Entry) -> Recorded | None:
        transaction = self._database.transaction(entry)
        for day in days:
            transaction.add(replace(day_item(job.court, day), by="menu day"))
        transaction.add(jobs.begin(job))
        return await transaction.commit()

    async def publish_lines(
        self, day: MenuDay, chunk: PlannedLines, job: Job, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        transaction.add(_unchanged(job.court, day))
        for dish in chunk.dishes:
            transaction.add(_same_dish(job.court, dish))
        for line in chunk.opened:
            transaction.add(create(line_item(job.court, line), by="menu line"))
        for line, change in chunk.changed:
            transaction.add(_published(job.court, line, change))
        for line in chunk.marked:
            transaction.add(_marked(job.court, line))
        transaction.add(jobs.step(job))
        return await transaction.commit()

    async def turn(
        self, days: Sequence[MenuDay], job: Job, report: Json | None, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        for day in days:
            transaction.add(replace(day_item(job.court, day), by="menu day"))
        done = jobs.step(job) if report is None else jobs.end(job, JobState.DONE, report)
        transaction.add(done)
        return await transaction.commit()

    async def withdraw_lines(
        self, lines: Sequence[MenuLine], job: Job, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        for line in lines:
            put = {"st": attribute(LineState.WITHDRAWN.value)}
            checks = (Check("st", Op.EQ, OPEN), Check("g", Op.EQ, line.gone))
            transaction.add(_line_write(job.court, line, put, *checks))
        transaction.add(jobs.step(job))
        return await transaction.commit()

    async def close_lines(
        self, lines: Sequence[MenuLine], job: Job | None, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        court = entry.command.court
        for line in lines:
            put = {"st": attribute(CLOSED), "ca": AT_NOW}
            transaction.add(_line_write(court, line, put, _NOT_CLOSED))
        if job is not None:
            transaction.add(jobs.step(job))
        return await transaction.commit()

    async def move_lines(
        self,
        day: MenuDay,
        lines: Sequence[MenuLine],
        window: Window,
        job: Job | None,
        entry: Entry,
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        court = entry.command.court
        transaction.add(_unchanged(court, day))
        bounds = {
            "ob": attribute(instant(window.order_by)),
            "cb": attribute(instant(window.change_by)),
            "xb": attribute(instant(window.cancel_by)),
        }
        for line in lines:
            transaction.add(_line_write(court, line, bounds, _NOT_CLOSED))
        if job is not None:
            transaction.add(jobs.step(job))
        return await transaction.commit()

    async def find_job(self, court: str, job_id: str) -> Job | None:
        return await self._jobs.find(court, job_id)

    def free_days(self, court: str, days: Sequence[MenuDay]) -> Freed:
        writes = [replace(day_item(court, day), by="menu day") for day in days]
        return Freed(changes=tuple(Change.of(day) for day in days), writes=tuple(writes))


def day_item(court: str, day: MenuDay) -> DayItem:
    return DayItem(
        pk=f"{court}#{menu_partition(day.canteen, day.date)}",
        sk=DAY,
        version=day.version,
        published=day.published,
        batch=day.batch,
        publishing=day.publishing,
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
        publishing=item.publishing,
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
        state=line.state.value,
        order_by=instant(line.order_by),
        change_by=instant(line.change_by),
        cancel_by=instant(line.cancel_by),
        closed_at=None if line.closed_at is None else instant(line.closed_at),
        batch=line.batch,
        gone=line.gone,
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
        state=LineState(item.state),
        order_by=from_instant(item.order_by),
        change_by=from_instant(item.change_by),
        cancel_by=from_instant(item.cancel_by),
        closed_at=None if item.closed_at is None else from_instant(item.closed_at),
        batch=int(item.batch),
        gone=None if item.gone is None else int(item.gone),
    )


def line_sort(period: Period, dish: str) -> str:
    return f"{LINE}{period.value}#{dish}"


def _unchanged(court: str, day: MenuDay) -> Write:
    key = Key(f"{court}#{menu_partition(day.canteen, day.date)}", DAY)
    checks = (Check("version", Op.EQ, day.version),)
    return Write(table=DayItem.table, key=key, checks=checks, by="menu day")


def _same_dish(court: str, dish: Dish) -> Write:
    """What is stated of the dish is what was read: a later statement finds the line written."""
    key = Key(f"{court}#MEALS#DISHES#{dish.canteen}", dish.id)
    checks = (Check("version", Op.EQ, dish.version),)
    return Write(table=DishItem.table, key=key, checks=checks, by="dish")


def _published(court: str, line: MenuLine, change: int) -> Write:
    """Planned portions move with the account, which `Transaction.move` would not do: the entry
    has the movement, this write makes it."""
    wanted = line_item(court, line).serialize()
    put = {name: wanted[name] for name in _WRITTEN_ANEW}
    checks = (_NOT_CLOSED, Check("available", Op.GE, max(0, -change)))
    write = _line_write(court, line, put, *checks)
    added = {"available": change, "pl": change} if change else {}
    return dataclasses.replace(write, add=added, remove=("g",))


def _marked(court: str, line: MenuLine) -> Write:
    """Which batch the line is gone with, or that it stays; its account is not touched."""
    exists = Check("pk", Op.EXISTS)
    if line.gone is None:
        return dataclasses.replace(_line_write(court, line, {}, exists), remove=("g",))
    return _line_write(court, line, {"g": attribute(line.gone)}, exists)


def _line_write(court: str, line: MenuLine, put: dict[str, Any], *checks: Check) -> Write:
    account = line_account(line.canteen, line.date, line.period, line.dish)
    key = Key(f"{court}#{account.partition}", account.sort)
    return Write(table=LineItem.table, key=key, checks=checks, set=put, by=f"line {account.sort}")


def _draft_day(canteen: str, item: DraftDayItem) -> DraftDay:
    return DraftDay(
        canteen=canteen,
        date=date.fromisoformat(item.sk),
        batches={Period(period): batch for period, batch in item.batches.items()},
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
