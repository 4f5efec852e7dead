"""The office's use cases that publish and move menus."""

from asyncio import gather
from datetime import datetime

from courtside.kernel.actor import Actor, Actors, Principal, permit
from courtside.kernel.errors import NotFound
from courtside.kernel.ids import new_id
from courtside.kernel.jobs import Job, children_of, new_job
from courtside.kernel.journal import Change, Command, Done, Journal, Recorded, Result, entry
from courtside.kernel.usecase import decides_again, permit_replay
from courtside.modules.calendar.service import Calendar
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.menus import (
    DayMenu,
    MenuDay,
    MoveCutOff,
    PublishMenu,
)
from courtside.modules.meals.ports import CanteenStore, MenuStore
from courtside.modules.meals.rules import PERMITS, publishing
from courtside.modules.meals.rules import menus as rules
from courtside.modules.meals.rules.publishing import LineKey
from courtside.modules.meals.service.locks import find_lapsed, unless_ours
from courtside.modules.meals.service.publishing import about


class Menus:
    """How what was drafted gets onto the menu, and how its bounds move."""

    def __init__(
        self,
        menus: MenuStore,
        *,
        canteens: CanteenStore,
        calendars: Calendar,
        journal: Journal,
        actors: Actors,
    ) -> None:
        self._menus = menus
        self._canteens = canteens
        self._calendars = calendars
        self._journal = journal
        self._actors = actors

    @decides_again
    async def publish_menu(
        self, principal: Principal, request: PublishMenu, *, key: str, now: datetime
    ) -> Done[Job]:
        """Publish what is drafted for those days, as a job: what is new and what is drafted no
        longer changes for diners at one moment.

        Refusals: NothingDrafted, NoAllergenStatement, DayIsOver, MealClosed, MealBusy,
        PriceChanged, FewerThanSold, CalendarYearMissing.
        """
        command = Command(
            principal=principal, operation="meals.publish_menu", key=key, request=request
        )
        recorded, actor = await gather(
            self._journal.recall(command), self._actors.get_actor(principal)
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        facts = await self._publish_facts(principal.court, request, now=now)
        job_id = new_id(now)
        try:
            planned = publishing.plan_publishing(request, facts, job=job_id)
        except errors.MealBusy as refusal:
            raise await unless_ours(self._journal, command, refusal) from None
        told = about(request.canteen, planned, facts)
        job = new_job(
            command,
            "meals.publish",
            children=len(told["children"]),
            about=told,
            now=now,
            job_id=job_id,
        )
        days = tuple(each.day for each in planned)
        return await self._request(command, actor, job, days, now=now)

    @decides_again
    async def move_cut_off(
        self, principal: Principal, request: MoveCutOff, *, key: str, now: datetime
    ) -> Done[Job]:
        """Other bounds for one meal of one day, as a job that rewrites its accounts.

        Refusals: MenuNotPublished, MealClosed, MealBusy, InvalidInput.
        """
        command = Command(
            principal=principal, operation="meals.move_cut_off", key=key, request=request
        )
        recorded, actor, menu = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._menus.load_menu(principal.court, request.canteen, request.date, decide=True),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        job = _moving(command, request, menu, now=now)
        days = () if menu.day is None else (menu.day,)
        lapsed = await find_lapsed(self._menus, principal.court, days, now=now)
        try:
            day = rules.move_cut_off(request, menu.day, job=job.id, lapsed=lapsed, now=now)
        except errors.MealBusy as refusal:
            raise await unless_ours(self._journal, command, refusal) from None
        return await self._request(command, actor, job, (day,), now=now)

    async def get_job(self, principal: Principal, job_id: str, *, now: datetime) -> Job:
        """How far a job is. Refusals: NotFound."""
        actor, job = await gather(
            self._actors.get_actor(principal), self._menus.find_job(principal.court, job_id)
        )
        permit(actor, PERMITS, "meals.get_job", now=now)
        if job is None or not job.kind.startswith("meals."):
            raise NotFound(kind=errors.JOB)
        return job

    async def _publish_facts(
        self, court: str, request: PublishMenu, *, now: datetime
    ) -> publishing.PublishFacts:
        days = rules.days_of(request, now=now)
        drafted, dishes, periods, calendar, menus = await gather(
            self._menus.find_draft_days(court, request.canteen, days),
            self._canteens.list_dishes(court, request.canteen),
            self._canteens.list_periods(court, request.canteen),
            self._calendars.get_calendar(court),
            gather(
                *(self._menus.load_menu(court, request.canteen, day, decide=True) for day in days)
            ),
        )
        found_days = [menu.day for menu in menus if menu.day is not None]
        lapsed, lines = await gather(
            find_lapsed(self._menus, court, found_days, now=now),
            gather(*(self._menus.list_draft_lines(court, draft) for draft in drafted)),
        )
        return publishing.PublishFacts(
            pointers={draft.date: draft for draft in drafted},
            drafts={d.date: found for d, found in zip(drafted, lines, strict=True)},
            dishes={dish.id: dish for dish in dishes},
            periods={period.period: period for period in periods},
            days={day.date: day for day in found_days},
            lines={m.date: {LineKey(x.period, x.dish): x for x in m.lines} for m in menus},
            calendar=calendar,
            lapsed=lapsed,
        )

    async def _request(
        self, command: Command, actor: Actor, job: Job, days: tuple[MenuDay, ...], *, now: datetime
    ) -> Done[Job]:
        changes = [Change.of(day) for day in days]
        told = entry(
            command,
            now=now,
            result=Result(kind="Job", id=job.id),
            changes=(*changes, Change(aggregate=job.aggregate, version=1)),
            job=job.name,
        )
        raced = await self._menus.request_job(days, job, told)
        if raced is not None:
            return await self._replayed(actor, raced, now=now)
        return Done(value=job)

    async def _replayed(self, actor: Actor, recorded: Recorded, *, now: datetime) -> Done[Job]:
        """The job as it is now, to whoever may see it."""
        permit_replay(actor, PERMITS, "meals.get_job", now=now)
        stored = await self._menus.find_job(actor.court, recorded.result.id)
        if stored is None:
            raise NotFound(kind=errors.JOB)
        return Done(value=stored, replayed=True, outcome=recorded.result.outcome)


def _moving(command: Command, request: MoveCutOff, menu: DayMenu, *, now: datetime) -> Job:
    bounds = (request.order_by, request.change_by, request.cancel_by)
    lines = sorted(line.dish for line in menu.lines if line.period is request.period)
    told = {
        "canteen": request.canteen,
        "date": request.date.isoformat(),
        "period": request.period.value,
        "bounds": [at.isoformat() for at in bounds],
        "lines": lines,
    }
    children = children_of(len(lines), a_child=rules.LINES_A_CHILD)
    return new_job(command, "meals.move_cut_off", children=children, about=told, now=now)
