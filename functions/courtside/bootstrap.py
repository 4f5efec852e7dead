"""The composition root: settings become an engine, stores, services, and one App.

A module joins by its two lines in `_modules`. Nothing here imports GraphQL: only the API does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from courtside.kernel.actor import system
from courtside.kernel.files import Files
from courtside.kernel.jobs import Work
from courtside.platform.clock import Clock, SystemClock
from courtside.platform.crypto import CourtKeys, court_keys
from courtside.platform.dynamo.audit import JournalReads
from courtside.platform.dynamo.batching import BatchingEngine
from courtside.platform.dynamo.database import Database
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.patience import PatientEngine
from courtside.platform.files import files
from courtside.platform.jobs import JobRunner, JobStore
from courtside.platform.persons import PersonIds
from courtside.platform.queues import LocalQueues, Queue, Queues, SqsQueue
from courtside.platform.settings import Settings
from courtside.platform.vault import Vault, vault
from courtside.platform.worker import Handler

if TYPE_CHECKING:
    from courtside.modules.people.contracts import CreateCourt
    from courtside.platform.gql.context import Services


class Consumers(Protocol):
    """What a module does after others' facts and for its own jobs."""

    @property
    def handlers(self) -> Mapping[str, Handler]: ...

    @property
    def works(self) -> Mapping[str, Work]: ...


class Wired(Protocol):
    """What every module's `wiring.build` answers."""

    @property
    def services(self) -> Mapping[type[Any], object]: ...

    @property
    def consumers(self) -> Consumers | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """All that stands below the modules. Functions that run no use case (the relay) need no more.

    `database` gathers gets that are asked for together; `engine` sends each as it comes.
    """

    settings: Settings
    clock: Clock
    keys: CourtKeys
    engine: Engine
    database: Database
    files: Files
    vault: Vault
    event_queue: Queue
    job_queue: Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything that an entrypoint mounts."""

    foundation: Foundation
    parts: Mapping[type[Any], object]
    handlers: Mapping[str, tuple[Handler, ...]]
    works: Mapping[str, Work]
    jobs: JobStore
    runner: JobRunner

    @property
    def settings(self) -> Settings:
        return self.foundation.settings

    @property
    def clock(self) -> Clock:
        return self.foundation.clock

    @property
    def database(self) -> Database:
        return self.foundation.database

    async def courts(self) -> dict[str, date]:
        """Every court's code with its first business day."""
        from courtside.modules.people.service import People

        people = self.parts[People]
        assert isinstance(people, People)  # noqa: S101 - `parts` is keyed by type
        return {court.code: court.created_on for court in await people.list_courts()}

    async def create_court(self, code: str, request: "CreateCourt") -> bool:
        """Set up a court with its first administrator and its key; whether that was done only now.

        For operators: nobody's token could ask for it. CourtExists (by another request), NotFound
        (the parent), InvalidInput; ValueError when no trusted issuer signs for the court.
        """
        from courtside.modules.people.service import People

        people = self.parts[People]
        assert isinstance(people, People)  # noqa: S101 - `parts` is keyed by type
        done = await people.create_court(
            system(code, "people"), request, key=f"court-{code}", now=self.clock.now()
        )
        return not done.replayed

    @property
    def services(self) -> "Services":
        """The services as the API's request context asks for them; imports GraphQL."""
        from courtside.platform.gql.context import Services

        return Services(self.parts)


def foundation(
    settings: Settings,
    *,
    clock: Clock | None = None,
    engine: Engine | None = None,
    queues: Queues | None = None,
    kept: Files | None = None,
) -> Foundation:
    """Engine, keys, files (`kept`) and queues by the settings, or those that are given."""
    clock = clock or SystemClock()
    engine = PatientEngine(engine or _engine(settings), clock)
    keys = court_keys(settings)
    database = Database(BatchingEngine(engine), clock=clock, digests=keys)
    if settings.local and queues is None:
        queues = LocalQueues(Path(settings.local) / "queues.sqlite", clock)
    return Foundation(
        settings=settings,
        clock=clock,
        keys=keys,
        engine=engine,
        database=database,
        files=kept or files(settings, keys),
        vault=vault(settings),
        event_queue=_queue(settings.event_queue, settings, queues),
        job_queue=_queue(settings.job_queue, settings, queues),
    )


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    engine: Engine | None = None,
    queues: Queues | None = None,
    kept: Files | None = None,
) -> App:
    """The whole application."""
    base = foundation(settings, clock=clock, engine=engine, queues=queues, kept=kept)
    modules = list(_modules(base))
    consumers = [wired.consumers for wired in modules if wired.consumers is not None]
    works = {kind: work for one in consumers for kind, work in one.works.items()}
    jobs = JobStore(base.database)
    return App(
        foundation=base,
        parts={kind: service for wired in modules for kind, service in wired.services.items()},
        handlers=_merged(consumers),
        works=works,
        jobs=jobs,
        runner=JobRunner(jobs, works, base.clock),
    )


def _modules(base: Foundation) -> Iterable[Wired]:
    """Every module's wiring, foundation modules first."""
    from courtside.modules.audit import wiring as audit_wiring
    from courtside.modules.calendar import wiring as calendar_wiring
    from courtside.modules.meals import wiring as meals_wiring
    from courtside.modules.people import wiring as people_wiring

    reads, ids = JournalReads(base.database), PersonIds(base.keys, base.settings.issuers)
    people = people_wiring.build(base.database, ids=ids, reads=reads)
    calendar = calendar_wiring.build(base.database, actors=people.people)
    audit = audit_wiring.build(base.database, actors=people.people, reads=reads)
    meals = meals_wiring.build(
        base.database, people=people.people, calendars=calendar.calendar, files=base.files
    )
    yield from (people, calendar, audit, meals)


def _merged(consumers: Iterable[Consumers]) -> dict[str, tuple[Handler, ...]]:
    merged: dict[str, tuple[Handler, ...]] = {}
    for one in consumers:
        for name, handler in one.handlers.items():
            merged[name] = (*merged.get(name, ()), handler)
    return merged


def _engine(settings: Settings) -> Engine:
    from courtside.platform.dynamo.aio import DynamoEngine

    return DynamoEngine(settings)


def _queue(name: str, settings: Settings, local: Queues | None) -> Queue:
    return SqsQueue(name, settings) if local is None else local.queue(name)
