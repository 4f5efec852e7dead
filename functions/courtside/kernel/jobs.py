"""Long work as a parent and its children of at most 20 items, each journalled and repeatable."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from courtside.kernel.journal import Json, aggregate

CHILD_ITEMS = 20


class JobState(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A parent: `cursor` children of `children` are done. Nothing of it is seen by readers until
    its finishing transaction turns the pointer and sets DONE.

    `about` is the JSON that the module needs to run a child; `report` what came of it.
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

    @property
    def name(self) -> str:
        """`<kind>#<id>`, as the journal entry names it to the relay."""
        return f"{self.kind}#{self.id}"

    @property
    def aggregate(self) -> str:
        """Its name in history."""
        return aggregate("Job", self.kind, self.id)

    def child_key(self, n: int) -> str:
        """The idempotency key of child `n`; the finishing step is child number `children`."""
        return f"{self.id}#{n}"


def children_of(items: int) -> int:
    """How many children `items` things need."""
    return -(-items // CHILD_ITEMS)


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
