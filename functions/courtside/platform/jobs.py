"""Jobs: the stored parent, its steps as writes for a module's transaction, and the runner."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from courtside.kernel.jobs import Job, JobState, Work
from courtside.kernel.journal import Json
from courtside.platform.clock import Clock
from courtside.platform.dynamo.database import Database, Versioned, create
from courtside.platform.dynamo.values import (
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


class JobStore:
    """Reads of parents, for the modules that show progress and for the runner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, court: str, job_id: str) -> Job | None:
        """The parent by its id, one consistent get."""
        item = await self._database.of(court).get(JobItem, f"JOBS#{job_id}", SORT)
        return None if item is None else _job(court, item)


class JobRunner:
    """Runs the children of a job one after another, from where an earlier run stopped."""

    def __init__(self, jobs: JobStore, works: Mapping[str, Work], clock: Clock) -> None:
        self._jobs = jobs
        self._works = works
        self._clock = clock

    async def run(self, court: str, job_id: str) -> None:
        """Bring the job to its end; a job that is ended, or was never there, is left alone."""
        job = await self._jobs.find(court, job_id)
        while job is not None and job.state is JobState.RUNNING:
            work = self._works[job.kind]
            if job.cursor < job.children:
                await work.run_child(job, job.cursor, now=self._clock.now())
            else:
                await work.finish(job, now=self._clock.now())
            job = await self._jobs.find(court, job_id)


def begin(job: Job) -> Write:
    """Put a new parent; part of the transaction of the use case that asks for the job."""
    item = JobItem(
        pk=f"{job.court}#JOBS#{job.id}",
        sk=SORT,
        version=1,
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
        set={"state": attribute(state.value), "cursor": attribute(cursor), **more},
        add={"version": 1},
        by=f"job {job.name}",
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
    )
