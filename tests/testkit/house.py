"""A Courtside without modules: the real foundation on the engine in memory, and a till to use it.

For tests of what happens after a write, which must not depend on what a module decides.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.memory.clock import VirtualClock
from infra.memory.engine import NO_FAULTS, Faults, MemoryEngine
from pynamodb.attributes import NumberAttribute

from courtside.bootstrap import App, foundation
from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.job_worker import Jobs
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.kernel.actor import Principal
from courtside.kernel.jobs import Work
from courtside.kernel.journal import Change, Command, Fact, Recorded, Result, aggregate, entry
from courtside.kernel.ledger import AccountId, Movement
from courtside.kernel.usecase import decides_again
from courtside.platform.dynamo.database import Database, Versioned, replace
from courtside.platform.dynamo.transaction import Guard
from courtside.platform.jobs import JobRunner, JobStore
from courtside.platform.queues import LocalQueues
from courtside.platform.settings import Settings, table_names
from courtside.platform.worker import Handler
from testkit.pump import Pump
from testkit.signals import RecordedSignals

COURT = "C310"
CLERK = Principal(court=COURT, person="CLERK", client="web")


class TillItem(Versioned):
    """A till counts its payments; its account, next to it, holds their sum."""

    payments = NumberAttribute()


class House:
    """Foundation, signals and pump of one test."""

    def __init__(self, folder: Path, *, faults: Faults = NO_FAULTS, seed: int = 0) -> None:
        self.clock = VirtualClock(seed=seed)
        self.engine = MemoryEngine(self.clock, faults=faults, seed=seed)
        self.queues = LocalQueues(":memory:", self.clock)
        self.signals = RecordedSignals()
        self.base = foundation(
            Settings(
                stage="test",
                region="local",
                endpoint="http://127.0.0.1",
                tables=table_names("test"),
                event_queue="events",
                job_queue="jobs",
                local=str(folder),
            ),
            clock=self.clock,
            engine=self.engine,
            queues=self.queues,
        )
        self.tills = Tills(self.database)
        self._seed = seed

    @property
    def database(self) -> Database:
        return self.base.database

    def app(
        self,
        handlers: Mapping[str, Sequence[Handler]] | None = None,
        works: Mapping[str, Work] | None = None,
    ) -> App:
        """An App of no module but these consumers and works."""
        jobs = JobStore(self.database)
        return App(
            foundation=self.base,
            parts={},
            handlers={name: tuple(some) for name, some in (handlers or {}).items()},
            works=works or {},
            jobs=jobs,
            runner=JobRunner(jobs, works or {}, self.clock),
        )

    def pump(self, app: App, *, batch: int = 100) -> Pump:
        """The functions behind the write, joined by stream and queues."""
        return Pump(
            self.engine,
            self.queues,
            relay=JournalRelay(self.base, self.signals).take,
            workers={
                "events": Events(app, self.signals).take,
                "jobs": Jobs(app, self.signals).take,
            },
            seed=self._seed,
            batch=batch,
        )


class Tills:
    """A small use case with all that a journal entry can hold: `pay` into a till."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @decides_again
    async def pay(
        self, till: str, amount: int, *, key: str, principal: Principal = CLERK, job: str = ""
    ) -> Recorded | None:
        """One payment: a version of the till, a movement of its account, a fact."""
        request = {"till": till, "amount": amount}
        command = Command(principal=principal, operation="tills.pay", key=key, request=request)
        recorded = await self._database.journal.recall(command)
        if recorded is not None:
            return recorded
        tenant = self._database.of(principal.court)
        stored = await tenant.get(TillItem, f"TILLS#{till}", "TILL")
        version = 1 if stored is None else int(stored.version) + 1
        key_of_item = tenant.key(f"TILLS#{till}", "TILL")
        item = TillItem(pk=key_of_item.pk, sk=key_of_item.sk, version=version, payments=version)
        opens = 0 if stored is None else None
        told = entry(
            command,
            now=self._database.clock.now(),
            result=Result(kind="Till", id=till, version=version),
            changes=(Change(aggregate=aggregate("Till", till), version=version),),
            movements=(
                Movement(account=account_of(till), available=amount, counter="PAID", opens=opens),
            ),
            facts=(paid(till, amount, version),),
            job=job or None,
        )
        transaction = self._database.transaction(told)
        transaction.add(replace(item, by="till"))
        transaction.move({account_of(till): Guard()})
        return await transaction.commit()


def account_of(till: str) -> AccountId:
    return AccountId(f"TILLS#{till}", "ACCOUNT")


def paid(till: str, amount: int, version: int) -> Fact:
    return Fact(
        name="tills.paid.v1",
        aggregate=aggregate("Till", till),
        version=version,
        state={"till": till, "amount": amount},
    )
