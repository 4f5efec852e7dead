"""Jobs: the stored parent, its steps as writes for a module's transaction, and the runner."""

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from courtside.kernel.actor import system
from courtside.kernel.errors import Refusal
from courtside.kernel.jobs import Freed, Job, JobState, Work
from courtside.kernel.journal import Change, Command, Fact, Json, Notify, Result, entry
from courtside.kernel.usecase import decides_again
from courtside.platform.clock import Clock, deadline
from courtside.platform.dynamo.database import Database, Versioned, create
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.values import (
    AT_NOW,
    Check,
    Item,
    Key,
    Op,
    Write,
    attribute,
    from_instant,
    instant,
)

SORT = "JOB"
CHILD_SECONDS = 20.0  # for one child with all its decisions and retries
TEXT = 500  # characters of a refusal's sentence that a report keeps


class JobItem(Versioned):
    """`JOBS#<id>` / `JOB`: a parent; its version counts children and the finishing step."""

    kind = UnicodeAttribute()
    state = UnicodeAttribute()
    children = NumberAttribute()
    cursor = NumberAttribute()
    requested_by = UnicodeAttribute()
    at = UnicodeAttribute()
    about = JSONAttribute()
    report = JSONAttribute()
    progressed_at = UnicodeAttribute(null=True)


class JobStuck(Exception):
    """A child or the finishing step returned without its part of the parent: a fault of the work,
    which would otherwise run for ever."""


class JobStore:
    """Parents, for the modules that show progress and for the runner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, court: str, job_id: str) -> Job | None:
        """The parent by its id, one consistent get."""
        item = await self._database.of(court).get(JobItem, f"JOBS#{job_id}", SORT)
        return None if item is None else _job(court, item)

    async def refuse(self, job: Job, refusal: Refusal, freed: Freed, *, now: datetime) -> None:
        """End the job as REFUSED with what the refusal says, let go what it held, and tell whoever
        asked for it.

        Stale if another run has brought the job further meanwhile, or what it held has moved.
        """
        module = job.kind.partition(".")[0]
        command = Command(
            principal=system(job.court, module),
            operation=f"{module}.refuse_job",
            key=job.id,
            request={"job": job.name},
        )
        told = entry(
            command,
            now=now,
            result=Result(kind="Job", id=job.id, outcome={"code": refusal.code}),
            changes=(
                Change(aggregate=job.aggregate, version=_version_after(job)),
                *freed.changes,
            ),
            facts=(_refused(module, job, refusal),),
        )
        transaction = self._database.transaction(told)
        transaction.add(end(job, JobState.REFUSED, _report(refusal)))
        for write in freed.writes:
            transaction.add(write)
        await transaction.commit()


class JobRunner:
    """Runs the children of a job one after another, from where an earlier run stopped."""

    def __init__(self, jobs: JobStore, works: Mapping[str, Work], clock: Clock) -> None:
        self._jobs = jobs
        self._works = works
        self._clock = clock

    async def run(self, court: str, job_id: str, *, until: float | None = None) -> Job | None:
        """Bring the job to its end and return it; one that is ended or missing is left alone.

        After the monotonic second `until` no further child begins, and the job is returned as
        RUNNING. A refusal ends the job; a fault is raised, and the next run goes on from there.
        """
        job = await self._jobs.find(court, job_id)
        while job is not None and job.state is JobState.RUNNING:
            if until is not None and self._clock.monotonic() >= until:
                break
            with deadline(self._clock, CHILD_SECONDS), metered():
                await self._step(job)
            before, job = job, await self._jobs.find(court, job_id)
            if job == before:
                raise JobStuck(job.name)
        return job

    async def _step(self, job: Job) -> None:
        now = self._clock.now()
        try:
            if job.cursor < job.children:
                await self._works[job.kind].run_child(job, job.cursor, now=now)
            else:
                await self._works[job.kind].finish(job, now=now)
        except Refusal as refusal:
            await self._refuse(job, refusal, now=now)

    @decides_again
    async def _refuse(self, job: Job, refusal: Refusal, *, now: datetime) -> None:
        """End the job, unless another run was faster: its step counts, the refusal saw its
        effects."""
        if await self._jobs.find(job.court, job.id) == job:
            freed = await self._works[job.kind].free(job)
            await self._jobs.refuse(job, refusal, freed, now=now)


def begin(job: Job) -> Write:
    """Put a new parent; part of the transaction of the use case that asks for the job."""
    item = JobItem(
        pk=f"{job.court}#JOBS#{job.id}",
        sk=SORT,
        version=job.cursor + 1,
        kind=job.kind,
        state=job.state.value,
        children=job.children,
        cursor=job.cursor,
        requested_by=job.requested_by,
        at=instant(job.at),
        about=dict(job.about),
        report=dict(job.report),
    )
    return create(item, by=f"job {job.name}")


def step(job: Job) -> Write:
    """One child done: part of that child's transaction. Stale if another run did it first."""
    return _advance(job, JobState.RUNNING, cursor=job.cursor + 1)


def end(job: Job, state: JobState, report: Json) -> Write:
    """The job's end, part of the transaction that turns the pointer."""
    told = {"report": attribute(json.dumps(report, ensure_ascii=False))}
    return _advance(job, state, cursor=job.cursor, more=told)


def _advance(job: Job, state: JobState, *, cursor: int, more: Item = MappingProxyType({})) -> Write:
    return Write(
        table=JobItem.table,
        key=Key(f"{job.court}#JOBS#{job.id}", SORT),
        checks=(
            Check("state", Op.EQ, JobState.RUNNING.value),
            Check("cursor", Op.EQ, job.cursor),
        ),
        set={
            "state": attribute(state.value),
            "cursor": attribute(cursor),
            "progressed_at": AT_NOW,
            **more,
        },
        add={"version": 1},
        by=f"job {job.name}",
    )


def _version_after(job: Job) -> int:
    """The parent's version after its next step: it began one above its cursor, and each step added
    one to both."""
    return job.cursor + 2


def _report(refusal: Refusal) -> Json:
    zh, en = refusal.message("zh"), refusal.message("en")
    return {"refused": refusal.code, "zh": zh[:TEXT], "en": en[:TEXT]}


def _refused(module: str, job: Job, refusal: Refusal) -> Fact:
    return Fact(
        name=f"{module}.job_refused.v1",
        aggregate=job.aggregate,
        version=_version_after(job),
        state={"kind": job.kind, "job": job.id, "code": refusal.code},
        notify=(
            Notify(audience=f"person:{job.requested_by}", template="job_refused", key=job.name),
        ),
    )


def _job(court: str, item: JobItem) -> Job:
    return Job(
        court=court,
        id=item.pk.rpartition("#")[2],
        kind=item.kind,
        state=JobState(item.state),
        children=int(item.children),
        cursor=int(item.cursor),
        requested_by=item.requested_by,
        at=from_instant(item.at),
        about=item.about,
        report=item.report,
        progressed_at=None if item.progressed_at is None else from_instant(item.progressed_at),
    )
