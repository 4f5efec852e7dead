"""Long work as a parent and its children of at most 20 items, each journalled and repeatable."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from courtside.kernel.actor import system
from courtside.kernel.ids import new_id
from courtside.kernel.journal import Change, Command, Json, aggregate

CHILD_ITEMS = 20
LAPSES_AFTER = timedelta(minutes=15)  # without a step; a late attempt finds its lock gone


class JobState(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A parent: `cursor` children of `children` are done. Nothing of it is seen by readers until
    its finishing transaction turns the pointer and sets DONE.

    `about` is the JSON that the module needs to run a child; `report` what came of it;
    `progressed_at` when its last step was done.
    """

    court: str
    id: str
    kind: str
    state: JobState
    children: int
    cursor: int
    requested_by: str
    at: datetime
    about: Json
    report: Json = field(default_factory=dict)
    progressed_at: datetime | None = None

    @property
    def name(self) -> str:
        """`<kind>#<id>`, as the journal entry names it to the relay."""
        return f"{self.kind}#{self.id}"

    @property
    def aggregate(self) -> str:
        """Its name in history."""
        return aggregate("Job", self.kind, self.id)

    def has_lapsed(self, now: datetime) -> bool:
        """Whether what it holds may be taken over: it has ended, or made no step for a quarter of
        an hour. It may still wake up, and must look first whether it holds its objects."""
        since = self.progressed_at or self.at
        return self.state is not JobState.RUNNING or now - since >= LAPSES_AFTER

    def child_key(self, n: int) -> str:
        """The idempotency key of child `n`; the finishing step is child number `children`."""
        return f"{self.id}#{n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What a job that ends badly gives back: objects at their next version, and the writes that
    make them so, made by the module's own store and opaque to everybody but the platform."""

    changes: tuple[Change, ...] = ()
    writes: tuple[Any, ...] = ()


def children_of(items: int, *, a_child: int = CHILD_ITEMS) -> int:
    """How many children `items` things need."""
    return -(-items // a_child)


def new_job(  # noqa: PLR0913 - each is one part of a job
    command: Command,
    kind: str,
    *,
    children: int,
    about: Json,
    now: datetime,
    cursor: int = 0,
    job_id: str | None = None,
) -> Job:
    """The job that `command` asks for; `cursor` children of it were done by an earlier one."""
    return Job(
        court=command.court,
        id=job_id or new_id(now),
        kind=kind,
        state=JobState.RUNNING,
        children=children,
        cursor=cursor,
        requested_by=command.principal.person,
        at=now,
        about=about,
    )


def child_command(job: Job, n: int, *, request: object = None) -> Command:
    """What child `n` asks for, as the job's module and under the job's key; by what the job is
    about unless it has a `request` of its own."""
    principal = system(job.court, job.kind.partition(".")[0])
    asked = job.about if request is None else request
    return Command(principal=principal, operation=job.kind, key=job.child_key(n), request=asked)


class Work(Protocol):
    """What a module does for one kind of job; both steps are use cases with keys of the job's."""

    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """Child `n`: at most 20 items and the parent's step, in one transaction under
        `job.child_key(n)`. Running it again changes nothing."""
        ...

    async def finish(self, job: Job, *, now: datetime) -> None:
        """Turn the pointer and set the parent DONE (or REFUSED with its report), in one
        transaction under `job.child_key(job.children)`."""
        ...

    async def free(self, job: Job) -> Freed:
        """What the request had locked for the job and the job still holds, to be let go in the
        transaction that ends it as REFUSED."""
        ...
