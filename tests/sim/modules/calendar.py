"""The work calendar in the simulation: single days are set while menus are published."""

from datetime import timedelta

from courtside.kernel.workdays import DayKind, business_day
from courtside.modules.calendar import contracts
from courtside.modules.calendar.service import Calendar
from courtside.modules.calendar.store import YEARS, YearItem
from courtside.platform.dynamo.database import load
from testkit.sim.books import entries_of
from testkit.sim.registry import Action

KINDS = (DayKind.WORKDAY, DayKind.HOLIDAY, DayKind.COURT_CLOSED, None)


async def set_day(world):
    day = business_day(world.clock.now()) + timedelta(days=world.chance.randrange(10))
    request = contracts.SetCourtDay(on=day, kind=world.chance.choice(KINDS))
    await world.ask(world.one_of("administrator"), Calendar, "set_court_day", request)


def days_are_as_they_were_set_last(world):
    said = {}
    for entry in sorted(
        entries_of(world, "calendar.set_court_day"), key=lambda e: e.result.version
    ):
        state = entry.facts[0].state
        said[state["on"]] = state["kind"]
    kept = {}
    for item in world.items(YEARS):
        kept.update(load(YearItem, item).days)
    if kept != {on: kind for on, kind in said.items() if kind is not None}:
        yield f"days {kept}, set were {said}"


ACTIONS = (Action(set_day, weight=2),)
INVARIANTS = (days_are_as_they_were_set_last,)
