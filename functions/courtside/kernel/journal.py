"""The journal entry: idempotency guard, outbox, audit record and ledger entry at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from courtside.kernel.actor import Principal
from courtside.kernel.ids import new_id
from courtside.kernel.ledger import Movement, net

READ = "Read"  # the kind of the result of a sensitive read's entry
REFUSAL = "Refusal"  # and of a refusal's
MAX_DEPTH = 8  # facts caused by facts: beyond this a loop is assumed, and stopped with an alarm

T = TypeVar("T")
U = TypeVar("U")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One asking of a use case: who, which operation, under which key, with what input.

    The same principal, operation and key name the same effect for ever. `request` is a frozen
    dataclass; its fingerprint (an HMAC under the court's key) tells another request under one key.
    """

    principal: Principal
    operation: str
    key: str
    request: Any

    @property
    def court(self) -> str:
        return self.principal.court


def aggregate(kind: str, *parts: str) -> str:
    """The name under which history keeps an object's versions: `MealOrder:2026-03-02#LUNCH#P…`.

    `kind` is the object's class in its module's contracts, and the kind of its `Result`.
    """
    return f"{kind}:{'#'.join(parts)}"


class Versioned(Protocol):
    """What changes by versions and has a name in the journal: domain objects, and events."""

    @property
    def aggregate(self) -> str: ...

    @property
    def version(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An object that the use case changed, and its version afterwards."""

    aggregate: str
    version: int

    @staticmethod
    def of(changed: Versioned) -> "Change":
        return Change(aggregate=changed.aggregate, version=changed.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """What the inbox should tell somebody: who, by which template, and once under `key`."""

    audience: str
    template: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of what a module's `events.py` declares: past tense, versioned, the public state after.

    A subclass sets `name`, for example `meals.order_placed.v1`; its own fields are JSON values and
    hold no personal data, only random ids.
    """

    name: ClassVar[str]
    aggregate: str
    version: int

    def state(self) -> dict[str, Any]:
        """The public state after the change, by field name."""
        names = (each.name for each in fields(self))
        return {n: getattr(self, n) for n in names if n not in ("aggregate", "version")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event as it stands in the journal; its id is `<entry id>#<n>`."""

    name: str
    aggregate: str
    version: int
    state: Json
    notify: tuple[Notify, ...] = ()

    @staticmethod
    def of(event: Event, *notify: Notify) -> "Fact":
        return Fact(
            name=event.name,
            aggregate=event.aggregate,
            version=event.version,
            state=event.state(),
            notify=notify,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A fact as a consumer receives it, at least once and in any order."""

    court: str
    id: str
    at: datetime
    depth: int
    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a replay needs to answer: which object, at which version, and outcome facts.

    Never the answer itself: a replay loads the object as it is then, under the usual permission.
    """

    kind: str
    id: str
    version: int = 1
    outcome: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One journal entry, written in the same transaction as everything that it tells of.

    `job` names a job (`<kind>#<id>`) that the relay hands to the job worker.
    """

    id: str
    command: Command
    on_behalf_of: str | None
    changes: tuple[Change, ...]
    movements: tuple[Movement, ...]
    facts: tuple[Fact, ...]
    result: Result
    job: str | None = None


def entry(  # noqa: PLR0913 - each is one part of the entry
    command: Command,
    *,
    now: datetime,
    result: Result,
    changes: tuple[Change, ...] = (),
    movements: tuple[Movement, ...] = (),
    facts: tuple[Fact, ...] = (),
    on_behalf_of: str | None = None,
    job: str | None = None,
) -> Entry:
    """A journal entry of `command` with its movements netted; the transaction stamps its time."""
    return Entry(
        id=new_id(now),
        command=command,
        on_behalf_of=on_behalf_of,
        changes=changes,
        movements=net(movements),
        facts=facts,
        result=result,
        job=job,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the journal already holds of a command: it was done, and this came of it."""

    entry_id: str
    at: datetime
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[T]):
    """What a use case answers: the object as it is now, and whether it had been done before.

    `outcome` are the stored outcome facts of the first time.
    """

    value: T
    replayed: bool = False
    outcome: Json = field(default_factory=dict)

    def showing(self, value: U) -> "Done[U]":
        """The same answer with another view of the object."""
        return Done(value=value, replayed=self.replayed, outcome=self.outcome)


class Reads(Protocol):
    """Where looks at other people's sensitive records leave their entry."""

    async def note(
        self, principal: Principal, operation: str, *, seen: Sequence[str], now: datetime
    ) -> None:
        """One entry that names what this request shows, an aggregate each; it must succeed before
        the answer. Nothing for the system itself, or where nothing was shown."""
        ...


class Journal(Protocol):
    """The journal as a use case reads it; writing happens in the store's one transaction."""

    async def recall(self, command: Command) -> Recorded | None:
        """The recorded result of this command, consistently read by its own key, or None.

        IdempotencyMismatch when the key was used for another request.
        """
        ...
