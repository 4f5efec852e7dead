"""Menus and top-ups of the demo, entered as an office does: a spreadsheet, checked, committed."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from infra.demo.canteens import DemoCanteen, planned
from infra.demo.days import World
from infra.demo.host import Host
from infra.demo.people import Staff

from courtside.kernel.actor import Principal
from courtside.kernel.workdays import WorkCalendar, business_day, local_instant
from courtside.modules.calendar import contracts as calendar
from courtside.modules.calendar.service import Calendar
from courtside.modules.meals.contracts.imports import (
    CheckImport,
    CommitImport,
    ImportKind,
    StartImport,
)
from courtside.modules.meals.contracts.menus import PublishMenu
from courtside.modules.meals.rules.menu_sheets.words import PERIOD_NAMES
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.imports import Imports
from courtside.modules.meals.service.menus import Menus

TOP_UP = "200.00"
_PUBLISHED_AT = time(16, 0)  # of the last work day before the week


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A spreadsheet to be taken by somebody."""

    kind: ImportKind
    canteen: str
    name: str
    rows: Sequence[Sequence[str]]


async def provisional_year(calendars: Calendar, staff: Staff, *, now: datetime) -> None:
    """2027 before its notice: the fixed feasts alone, marked provisional."""
    holidays = [
        (date(2027, 1, 1), date(2027, 1, 3)),
        (date(2027, 2, 5), date(2027, 2, 11)),
        (date(2027, 4, 3), date(2027, 4, 5)),
        (date(2027, 5, 1), date(2027, 5, 5)),
        (date(2027, 6, 9), date(2027, 6, 9)),
        (date(2027, 9, 15), date(2027, 9, 15)),
        (date(2027, 10, 1), date(2027, 10, 7)),
    ]
    request = calendar.ImportYear(
        year=2027,
        provisional=True,
        holidays=tuple(calendar.Holiday(starts_on=a, ends_on=b) for a, b in holidays),
        makeup_workdays=(),
    )
    await calendars.import_year(staff["admin"], request, key="demo-year-2027", now=now)


async def top_up_wallets(host: Host, staff: Staff, *, now: datetime) -> None:
    """Finance's list: the same amount for everybody."""
    rows = [("工号", "金额(元)"), *((number, TOP_UP) for number in staff.principals)]
    entered = Entered(kind=ImportKind.TOP_UP, canteen="", name="充值.csv", rows=rows)
    await enter(host, staff["finance"], entered, now=now)


async def publish_week(world: World, calendar_: WorkCalendar, monday: date) -> None:
    """Every canteen's menu of the week's work days, published on the work day before; what is
    published of a day already stays as it is."""
    week = [monday + timedelta(days=n) for n in range(7)]
    week = [day for day in week if calendar_.is_workday(day)]
    for canteen in world.canteens:
        days = [day for day in week if not await _is_published(world, canteen, day)]
        if days:
            before = calendar_.workday_before(week[0])
            now = local_instant(before, _PUBLISHED_AT)
            await _publish(world, canteen, days, now=now)


async def _publish(world: World, canteen: DemoCanteen, days: list[date], *, now: datetime) -> None:
    host, kitchen = world.host, world.staff["kitchen"]
    entered = Entered(
        kind=ImportKind.MENU,
        canteen=canteen.id,
        name=f"{canteen.name}{days[0]}.csv",
        rows=menu_rows(canteen, days),
    )
    await enter(host, kitchen, entered, now=now)
    request = PublishMenu(canteen=canteen.id, from_on=days[0], to_on=days[-1])
    key = f"demo-publish-{canteen.id}-{days[0]}"
    asked = await host.get(Menus).publish_menu(kitchen, request, key=key, now=now)
    await host.finish(asked.value.id)


async def _is_published(world: World, canteen: DemoCanteen, day: date) -> bool:
    now = local_instant(day, _PUBLISHED_AT)
    kitchen = world.staff["kitchen"]
    shown = await world.host.get(Homes).get_day_menu(kitchen, canteen.id, day, now=now)
    return bool(shown.menu.lines)


def menu_rows(canteen: DemoCanteen, days: Sequence[date]) -> list[tuple[str, ...]]:
    """The rows of the menu template for those days; prices and allergens are in the dish list."""
    rows: list[tuple[str, ...]] = [("日期", "餐次", "菜名", "份数")]
    for day in days:
        for period in canteen.dishes:
            name = PERIOD_NAMES[period].zh
            rows += [
                (day.isoformat(), name, dish.name, str(portions))
                for dish, portions in planned(canteen, day, period)
            ]
    return rows


async def enter(host: Host, who: Principal, entered: Entered, *, now: datetime) -> None:
    """Upload, check and commit a spreadsheet; RuntimeError with its faults if it has any."""
    host.set_clock(now)
    imports = host.get(Imports)
    data = _csv(entered.rows)
    digest = await host.app.foundation.files.put(who.court, data)
    key = f"demo-{digest[:24]}-{business_day(now)}"
    request = StartImport(
        kind=entered.kind,
        canteen=entered.canteen,
        filename=entered.name,
        sha256=digest,
        size=len(data),
    )
    started = (await imports.start_import(who, request, key=key, now=now)).value.imported
    check = CheckImport(kind=entered.kind, import_id=started.id)
    checking = (await imports.check_import(who, check, key=key, now=now)).value
    await host.finish(checking.job or "")
    checked = await imports.get_import(who, started.id, entered.kind, now=now)
    if checked.faults:
        raise RuntimeError(f"{entered.name}: {[fault.zh for fault in checked.faults]}")
    commit = CommitImport(kind=entered.kind, import_id=started.id, sha256=digest)
    committing = (await imports.commit_import(who, commit, key=key, now=now)).value
    await host.finish(committing.job or "")


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8-sig")
