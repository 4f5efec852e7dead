"""Use cases of a court's work calendar."""

from asyncio import gather
from collections.abc import Callable
from datetime import datetime
from functools import partial

from courtside.kernel.actor import Actor, Actors, Principal, permit
from courtside.kernel.journal import (
    Change,
    Command,
    Done,
    Entry,
    Event,
    Fact,
    Journal,
    Recorded,
    Result,
    entry,
)
from courtside.kernel.usecase import decides_again, permit_replay
from courtside.kernel.workdays import WorkCalendar
from courtside.modules.calendar import contracts, events, rules
from courtside.modules.calendar.contracts import CalendarDay, CalendarMonth, CalendarYear
from courtside.modules.calendar.ports import StateCouncil, Store
from courtside.modules.calendar.rules import PERMITS, Years

Decide = Callable[[Years], CalendarYear]
Tell = Callable[[CalendarYear], Event]


class Calendar:
    """Which days a court works; other modules resolve their cut-offs on `get_calendar`."""

    def __init__(
        self, store: Store, *, journal: Journal, actors: Actors, state_council: StateCouncil
    ) -> None:
        self._store = store
        self._journal = journal
        self._actors = actors
        self._state_council = state_council

    async def get_calendar(self, court: str) -> WorkCalendar:
        """The court's calendar of all years with data, as it is now: two queries in one round."""
        return rules.work_calendar(await self._load(court))

    async def get_month(
        self, principal: Principal, *, year: int, month: int, now: datetime
    ) -> CalendarMonth:
        """The days of one month. CalendarYearMissing, InvalidInput."""
        actor, years = await gather(self._actors.get_actor(principal), self._load(principal.court))
        permit(actor, PERMITS, "calendar.get_month", now=now)
        return rules.month_of(years, year=year, month=month)

    @decides_again
    async def set_court_day(
        self, principal: Principal, request: contracts.SetCourtDay, *, key: str, now: datetime
    ) -> Done[CalendarDay]:
        """Say what kind of day it is in this court, or leave it to the State Council's calendar.

        DayHasPassed, CalendarYearMissing.
        """
        command = Command(
            principal=principal, operation="calendar.set_court_day", key=key, request=request
        )
        decide = partial(rules.set_court_day, request=request, now=now)
        told = partial(_day_set, request)
        done = await self._change(command, decide, told, now=now)
        return done.showing(rules.day_of(done.value, request.on))

    @decides_again
    async def import_year(
        self, principal: Principal, request: contracts.ImportYear, *, key: str, now: datetime
    ) -> Done[CalendarYear]:
        """Take over a year's notice, for the caller's court or, from the reserved tenant, for all.

        YearHasPassed, InvalidInput.
        """
        command = Command(
            principal=principal, operation="calendar.import_year", key=key, request=request
        )
        decide = partial(rules.import_year, request=request, now=now)
        told = partial(_year_imported, request)
        done = await self._change(command, decide, told, now=now)
        return done.showing(done.value.kept(request.year))

    async def _change(
        self, command: Command, decide: Decide, told: Tell, *, now: datetime
    ) -> Done[Years]:
        """The court's years after a change of one of them."""
        recorded, actor, years = await gather(
            self._journal.recall(command),
            self._actors.get_actor(command.principal),
            self._load(command.court),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        changed = decide(years)
        written = _entry(command, changed, told(changed), now=now)
        raced = await self._store.save_year(command.court, changed, written)
        if raced is not None:
            return await self._replayed(actor, raced, now=now)
        return Done(value=years.having(changed))

    async def _replayed(self, actor: Actor, recorded: Recorded, *, now: datetime) -> Done[Years]:
        """The years as they are now; a day and a year are both shown out of all of them."""
        permit_replay(actor, PERMITS, "calendar.get_month", now=now)
        years = await self._load(actor.court)
        return Done(value=years, replayed=True, outcome=recorded.result.outcome)

    async def _load(self, court: str) -> Years:
        for_all, own = await gather(self._store.list_years_of_all(), self._store.list_years(court))
        return Years(published=self._state_council(), for_all=tuple(for_all), own=tuple(own))


def _entry(command: Command, year: CalendarYear, told: Event, *, now: datetime) -> Entry:
    return entry(
        command,
        now=now,
        result=Result(kind="CalendarYear", id=str(year.year), version=year.version),
        changes=(Change.of(year),),
        facts=(Fact.of(told),),
    )


def _day_set(request: contracts.SetCourtDay, year: CalendarYear) -> Event:
    return events.CourtDaySet(
        aggregate=year.aggregate,
        version=year.version,
        on=request.on.isoformat(),
        kind=None if request.kind is None else request.kind.value,
    )


def _year_imported(request: contracts.ImportYear, year: CalendarYear) -> Event:
    return events.CalendarYearImported(
        aggregate=year.aggregate,
        version=year.version,
        year=year.year,
        provisional=request.provisional,
        holidays=len(request.holidays),
        makeup_workdays=len(request.makeup_workdays),
    )
