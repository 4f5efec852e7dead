"""What the clock asks for: sweeping and sealing every few minutes, reconciling and verifying every
night.

State is right without any of it; a missed or doubled run changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any

from courtside.bootstrap import App
from courtside.kernel.actor import EVERYBODY
from courtside.kernel.workdays import business_day
from courtside.platform import reconcile, verify
from courtside.platform.container import Container, settings
from courtside.platform.dynamo.database import engine_of
from courtside.platform.messages import of_job
from courtside.platform.observability import Observer
from courtside.platform.probe import Check, table_checks
from courtside.platform.relay import Relay
from courtside.platform.seal import Sealer
from courtside.platform.signals import Signal, Signals
from courtside.platform.sweeper import Sweeper

HISTORY_DAYS = timedelta(days=8)  # of history that the nightly run compares; balances it sums whole
VERIFIED_DAYS = timedelta(days=8)  # of the journal that the nightly run compares with its seals
_AT_ONCE = 8  # courts swept or sealed at the same time

READ = ("records", "journal")  # the tables that its role may read


class Scheduled:
    """Takes `{"task": "sweep"}`, "seal", "reconcile" and "verify", each for every court."""

    def __init__(self, app: App, signals: Signals) -> None:
        base = app.foundation
        relay = Relay(
            engine_of(base.database), events=base.event_queue, jobs=base.job_queue, signals=signals
        )
        self._app = app
        self._signals = signals
        self._sweeper = Sweeper(app.database, relay, signals)
        self._sealer = Sealer(app.database, base.vault)
        self._tasks: Mapping[str, Callable[[], Awaitable[object]]] = {
            "sweep": self.sweep,
            "seal": self.seal,
            "reconcile": self.reconcile,
            "verify": self.verify,
        }

    async def take(self, event: Mapping[str, Any]) -> None:
        """The event of a schedule. KeyError for a task that does not exist."""
        await self._tasks[event["task"]]()

    async def sweep(self) -> int:
        """Deliver again what was not delivered, in all courts; how many entries that was."""
        now = self._app.clock.now()

        async def one(court: str, since: date) -> int:
            return await self._sweeper.sweep(court, since=since, now=now)

        return await self._each(one)

    async def seal(self) -> int:
        """Seal what has arrived in the journals of all courts; how many entries that was. A court
        that fails holds no other up, and comes again with the next run."""

        async def one(court: str, since: date) -> int:
            try:
                return await self._sealer.seal(court, since=since, now=self._app.clock.now())
            except Exception as fault:  # noqa: BLE001 - told, and tried again
                self._signals.emit(Signal.SEAL_FAILED, court=court, fault=type(fault).__name__)
                return 0

        return await self._each(one)

    async def reconcile(self) -> None:
        """Ask the job worker to compare every court's books, one message each."""
        lines_since = business_day(self._app.clock.now()) - HISTORY_DAYS
        messages = [
            of_job(reconcile.request(court, since=since, lines_since=max(since, lines_since)))
            for court, since in (await self._courts()).items()
        ]
        await self._app.foundation.job_queue.send(messages)

    async def verify(self) -> None:
        """Ask the job worker to compare every court's journal with its seals, one message each."""
        first = business_day(self._app.clock.now()) - VERIFIED_DAYS
        messages = [
            of_job(verify.request(court, first=max(since, first)))
            for court, since in (await self._courts()).items()
        ]
        await self._app.foundation.job_queue.send(messages)

    async def _each(self, one: Callable[[str, date], Awaitable[int]]) -> int:
        """Do it for all courts, some at a time, and add up what each answers."""
        free = asyncio.Semaphore(_AT_ONCE)

        async def in_turn(court: str, since: date) -> int:
            async with free:
                return await one(court, since)

        courts = await self._courts()
        return sum(await asyncio.gather(*(in_turn(c, day) for c, day in courts.items())))

    async def _courts(self) -> dict[str, date]:
        """Every court's first day; what belongs to no court began with the first of them."""
        courts = await self._app.courts()
        if not courts:
            return {}
        return {EVERYBODY: min(courts.values()), **courts}


def _build() -> Scheduled:
    from courtside.bootstrap import build

    told = settings()
    return Scheduled(build(told), Observer(stage=told.stage, level=told.log_level))


def _checks() -> Mapping[str, Check]:
    from courtside.bootstrap import foundation

    return table_checks(foundation(settings()).engine, READ)


handler = Container(_build, _checks)
