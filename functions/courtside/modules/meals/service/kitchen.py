"""The kitchen's count of a meal."""

from asyncio import gather
from datetime import date, datetime

from courtside.kernel.actor import Actor, Actors, Principal, permit
from courtside.kernel.errors import NotFound
from courtside.kernel.jobs import Job, children_of, new_job
from courtside.kernel.journal import Change, Command, Done, Journal, Recorded, Result, entry
from courtside.kernel.usecase import decides_again, permit_replay
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.kitchen import IssueKitchenCount, KitchenCount
from courtside.modules.meals.ports import KitchenStore, MenuStore
from courtside.modules.meals.rules import PERMITS, kitchen
from courtside.modules.meals.rules.menus import LINES_A_CHILD
from courtside.modules.meals.service.locks import find_lapsed, unless_ours


class Kitchen:
    """Counting: first everything is closed, then everything is counted."""

    def __init__(
        self, counts: KitchenStore, *, menus: MenuStore, journal: Journal, actors: Actors
    ) -> None:
        self._counts = counts
        self._menus = menus
        self._journal = journal
        self._actors = actors

    @decides_again
    async def issue_count(
        self, principal: Principal, request: IssueKitchenCount, *, key: str, now: datetime
    ) -> Done[Job]:
        """Close a meal and count it, as a job; a meal closed before is counted again.

        Refusals: MenuNotPublished, MealBusy, StillOpen.
        """
        command = Command(
            principal=principal, operation="meals.issue_count", key=key, request=request
        )
        recorded, actor, menu = await gather(
            self._journal.recall(command),
            self._actors.get_actor(principal),
            self._menus.load_menu(principal.court, request.canteen, request.date, decide=True),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        meal = [line for line in menu.lines if line.period is request.period]
        lines = sorted(line.dish for line in meal if not line.is_closed)
        job = _job(command, request, lines, now=now)
        days = () if menu.day is None else (menu.day,)
        lapsed = await find_lapsed(self._menus, principal.court, days, now=now)
        try:
            day = kitchen.start_count(request, menu.day, job=job.id, lapsed=lapsed, now=now)
        except errors.MealBusy as refusal:
            raise await unless_ours(self._journal, command, refusal) from None
        told = entry(
            command,
            now=now,
            result=Result(kind="Job", id=job.id),
            changes=(Change.of(day), Change(aggregate=job.aggregate, version=1)),
            job=job.name,
        )
        raced = await self._menus.request_job((day,), job, told)
        if raced is not None:
            return await self._replayed(actor, raced, now=now)
        return Done(value=job)

    async def get_count(
        self,
        principal: Principal,
        canteen: str,
        day: date,
        period: Period,
        *,
        version: int | None,
        now: datetime,
    ) -> KitchenCount:
        """A count, the latest if no version is asked for. Refusals: NotFound."""
        actor, days = await gather(
            self._actors.get_actor(principal),
            self._menus.find_days(principal.court, canteen, [day]),
        )
        permit(actor, PERMITS, "meals.get_count", now=now)
        window = days[0].find_window(period) if days else None
        wanted = version or (window.count if window is not None else 0)
        count = None
        if wanted:
            count = await self._counts.find_count(principal.court, canteen, day, period, wanted)
        if count is None:
            raise NotFound(kind=errors.COUNT)
        return count

    async def _replayed(self, actor: Actor, recorded: Recorded, *, now: datetime) -> Done[Job]:
        """The job as it is now, to whoever may see it."""
        permit_replay(actor, PERMITS, "meals.get_job", now=now)
        stored = await self._menus.find_job(actor.court, recorded.result.id)
        if stored is None:
            raise NotFound(kind=errors.JOB)
        return Done(value=stored, replayed=True, outcome=recorded.result.outcome)


def _job(command: Command, request: IssueKitchenCount, lines: list[str], *, now: datetime) -> Job:
    about = {
        "canteen": request.canteen,
        "date": request.date.isoformat(),
        "period": request.period.value,
        "lines": lines,
    }
    children = children_of(len(lines), a_child=LINES_A_CHILD)
    return new_job(command, "meals.close", children=children, about=about, now=now)
