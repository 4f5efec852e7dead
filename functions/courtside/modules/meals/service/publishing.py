"""The job that publishes menus: `meals.publish`.

Its children write lines under a batch that nobody sees; one child turns the pointers of all days at
once; those after it close the accounts of what came off the menu.
"""

from asyncio import gather
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from courtside.kernel.jobs import Freed, Job, child_command
from courtside.kernel.journal import Change, Command, Fact, Journal, Json, aggregate, entry
from courtside.kernel.usecase import decides_again
from courtside.modules.meals import errors, events
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.menus import DayMenu, DraftDay, MenuDay, MenuLine
from courtside.modules.meals.ports import MenuStore
from courtside.modules.meals.rules import menus
from courtside.modules.meals.rules import publishing as rules
from courtside.modules.meals.rules.publishing import LineKey, PublishedDay, PublishFacts, Rest
from courtside.modules.meals.service.works import job_result

LINES, TURN, WITHDRAW = "lines", "turn", "withdraw"


def about(canteen: str, days: Sequence[PublishedDay], facts: PublishFacts) -> Json:
    """What the job needs to know: each day's batch, drafts and rest, and its children in order."""
    told = {each.day.date.isoformat(): _told(each, facts) for each in days}
    lines = {day: each.drafted + len(each.rest) for day, each in zip(told, days, strict=True)}
    rest = {day: len(each.rest) for day, each in zip(told, days, strict=True)}
    children = [
        *_chunks(LINES, lines, rules.LINES_A_CHILD),
        [TURN],
        *_chunks(WITHDRAW, rest, rules.WITHDRAWN_A_CHILD),
    ]
    return {"canteen": canteen, "days": told, "children": children}


class Publishing:
    """Publishes days, each held by the job from its request to the turn."""

    def __init__(self, store: MenuStore, *, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    @decides_again
    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """Write some lines, turn the days, or close some accounts. Refusals: TakenOver."""
        command = child_command(job, n)
        match job.about["children"][n]:
            case [str(kind), str(day), int(at)] if kind == LINES:
                await self._write(command, job, date.fromisoformat(day), at, now=now)
            case [str(kind), str(day), int(at)] if kind == WITHDRAW:
                await self._withdraw(command, job, date.fromisoformat(day), at, now=now)
            case _:
                await self._turn(command, job, now=now)

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Nothing is left to do: the days turned before."""
        command = child_command(job, job.children)
        if await self._journal.recall(command) is None:
            told = entry(command, now=now, result=job_result(job))
            await self._store.turn((), job, {"days": len(job.about["days"])}, told)

    async def free(self, job: Job) -> Freed:
        """The days that have not turned."""
        days = await self._days(job)
        held = [menus.freed(day, job=job.id) for day in days if day.publishing == job.id]
        return self._store.free_days(job.court, held)

    async def _write(
        self, command: Command, job: Job, day: date, at: int, *, now: datetime
    ) -> None:
        """Open, change or mark at most eight lines of one day."""
        recorded, menu, drafted = await gather(
            self._journal.recall(command),
            self._load(job, day),
            self._store.list_draft_lines(job.court, _draft(job, day)),
        )
        if recorded is not None:
            return
        held = _held(menu.day, job)
        until = at + rules.LINES_A_CHILD
        chunk, rest = drafted[at:until], _rest(job, day)
        marked = rest[max(0, at - len(drafted)) : max(0, until - len(drafted))]
        ids = sorted({line.dish for line in chunk})
        dishes = await self._store.find_dishes(job.court, held.canteen, ids)
        planned = rules.plan_lines(held, _by_key(menu), chunk, marked, dishes)
        moved = rules.movements(planned)
        told = entry(command, now=now, result=job_result(job), movements=moved)
        await self._store.publish_lines(held, planned, job, told)

    async def _turn(self, command: Command, job: Job, *, now: datetime) -> None:
        """Turn every day's pointer at once, and let the days go."""
        recorded, days = await gather(self._journal.recall(command), self._days(job))
        if recorded is not None:
            return
        turned = [rules.turned(_held(day, job)) for day in days]
        event = events.MenuPublished(
            aggregate=aggregate("Publishing", job.id),
            version=1,
            canteen=job.about["canteen"],
            days={day.date.isoformat(): day.published for day in turned},
        )
        told = entry(
            command,
            now=now,
            result=job_result(job),
            changes=tuple(Change.of(day) for day in turned),
            facts=(Fact.of(event),),
        )
        await self._store.turn(turned, job, None, told)

    async def _withdraw(
        self, command: Command, job: Job, day: date, at: int, *, now: datetime
    ) -> None:
        """Close the accounts of at most twelve lines that came off with this batch."""
        recorded, menu = await gather(self._journal.recall(command), self._load(job, day))
        if recorded is not None:
            return
        rest = _rest(job, day)[at : at + rules.WITHDRAWN_A_CHILD]
        batch = int(job.about["days"][day.isoformat()]["batch"])
        lines = rules.to_withdraw(_by_key(menu), rest, batch=batch)
        told = entry(command, now=now, result=job_result(job))
        await self._store.withdraw_lines(lines, job, told)

    async def _load(self, job: Job, day: date) -> DayMenu:
        return await self._store.load_menu(job.court, job.about["canteen"], day, decide=True)

    async def _days(self, job: Job) -> list[MenuDay]:
        days = [date.fromisoformat(day) for day in job.about["days"]]
        return await self._store.find_days(job.court, job.about["canteen"], days)


def _told(each: PublishedDay, facts: PublishFacts) -> Json:
    batches = facts.pointers[each.day.date].batches
    return {
        "batch": each.day.batch,
        "drafts": {period.value: batch for period, batch in batches.items()},
        "rest": [[key.period.value, key.dish, stays] for key, stays in each.rest],
    }


def _chunks(kind: str, counts: Mapping[str, int], size: int) -> list[list[str | int]]:
    return [[kind, day, at] for day, count in counts.items() for at in range(0, count, size)]


def _held(day: MenuDay | None, job: Job) -> MenuDay:
    """The day, if the job still holds it."""
    if day is None or day.publishing != job.id:
        raise errors.TakenOver
    return day


def _draft(job: Job, day: date) -> DraftDay:
    """The draft as it was when the publishing was asked for."""
    told = job.about["days"][day.isoformat()]["drafts"]
    batches = {Period(period): str(batch) for period, batch in told.items()}
    return DraftDay(canteen=job.about["canteen"], date=day, batches=batches, version=0)


def _rest(job: Job, day: date) -> list[Rest]:
    told = job.about["days"][day.isoformat()]["rest"]
    return [Rest(LineKey(Period(period), dish), stays) for period, dish, stays in told]


def _by_key(menu: DayMenu) -> dict[LineKey, MenuLine]:
    return {LineKey(line.period, line.dish): line for line in menu.lines}
