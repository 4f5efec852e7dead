"""Builds the calendar module on a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courtside.kernel.actor import Actors
from courtside.modules.calendar.service import Calendar
from courtside.modules.calendar.store import CalendarStore
from courtside.platform.dynamo.database import Database
from courtside.platform.workdays_source import state_council


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """`calendar` is what other modules ask for work days; nothing is consumed."""

    calendar: Calendar
    services: Mapping[type[Any], object]
    consumers: None = None


def build(database: Database, *, actors: Actors) -> Wired:
    store = CalendarStore(database)
    calendar = Calendar(store, journal=database.journal, actors=actors, state_council=state_council)
    return Wired(calendar=calendar, services={Calendar: calendar})
