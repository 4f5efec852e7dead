"""The whole demo: a court is founded, its canteens open, and it lives through the weeks around now.

Everything goes through the real use cases, so that the books are right and reconcile passes. Every
step has a key of its own, so that playing a day again adds only what is missing of it.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from infra.demo import menus
from infra.demo.canteens import find_canteens, open_canteens
from infra.demo.days import World, live_through
from infra.demo.host import Host
from infra.demo.people import find_staff, found_court

from courtside.kernel.workdays import WorkCalendar, business_day, local_instant
from courtside.modules.calendar.service import Calendar
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.people.service import People

DINERS = 110  # at the big canteen's lunch, in the weeks that the demo begins with
DINERS_LATER = 40  # in those that are added at later starts
FOUNDED_BEFORE = timedelta(days=10)
_WEEK = timedelta(days=7)
_TOLD = Path(__file__).with_name("court.json")


@cache
def told() -> Mapping[str, Any]:
    """The court, its canteens and dishes, its units and the names of its people."""
    read: Mapping[str, Any] = json.loads(_TOLD.read_text("utf-8"))
    return read


def court_code() -> str:
    code: str = told()["court"]["code"]
    return code


def first_week(now: datetime) -> date:
    """The Monday of the week before."""
    today = business_day(now)
    return today - timedelta(days=today.weekday() + 7)


async def play(host: Host, *, now: datetime) -> int:
    """Found the court and live through last week and this week up to `now`, with this week's menus
    published; how many orders were placed."""
    begins = local_instant(first_week(now), time(8, 0)) - FOUNDED_BEFORE
    host.set_clock(begins)
    staff = await found_court(host.get(People), told(), now=begins)
    await menus.provisional_year(host.get(Calendar), staff, now=begins)
    canteens = await open_canteens(host.get(Canteens), staff, told(), now=begins)
    world = World(host=host, staff=staff, canteens=canteens)
    await menus.top_up_wallets(host, staff, now=begins + timedelta(hours=1))
    return await _live(world, since=first_week(now), now=now, diners=DINERS)


async def extend(host: Host, *, since: datetime, now: datetime) -> int:
    """Go on from where an earlier start ended, at most from the week before; how many orders."""
    staff = await find_staff(host.get(People), host.court)
    canteens = await find_canteens(host.get(Canteens), staff, told(), now=now)
    world = World(host=host, staff=staff, canteens=canteens)
    day = max(business_day(since), first_week(now))
    return await _live(world, since=day, now=now, diners=DINERS_LATER)


async def _live(world: World, *, since: date, now: datetime, diners: int) -> int:
    calendar = await world.host.get(Calendar).get_calendar(world.host.court)
    monday = since - timedelta(days=since.weekday())
    placed = 0
    while monday <= business_day(now):
        await menus.publish_week(world, calendar, monday)
        for day in work_days(calendar, monday):
            if day >= since:
                placed += await live_through(world, day, until=now, diners=diners)
        monday += _WEEK
    world.host.set_clock(now)
    return placed


def work_days(calendar: WorkCalendar, monday: date) -> Iterator[date]:
    """The work days of a week, make-up Saturdays and Sundays among them."""
    days = (monday + timedelta(days=n) for n in range(7))
    return (day for day in days if calendar.is_workday(day))
