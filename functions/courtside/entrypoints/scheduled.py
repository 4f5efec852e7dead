"""What the clock asks for: sweeping every few minutes, reconciling every night.

State is right without any of it; a missed or doubled run changes nothing.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from courtside.bootstrap import App
from courtside.kernel.actor import EVERYBODY
from courtside.kernel.workdays import business_day
from courtside.platform.container import Container, settings
from courtside.platform.messages import of_job
from courtside.platform.observability import Observer
from courtside.platform.reconcile import request
from courtside.platform.relay import Relay
from courtside.platform.signals import Signals
from courtside.platform.sweeper import Sweeper

HISTORY_DAYS = timedelta(days=8)  # of history that the nightly run compares; balances it sums whole
_AT_ONCE = 8  # courts swept at the same time


class Scheduled:
    """Takes `{"task": "sweep"}` and `{"task": "reconcile"}`, each for every court."""

    def __init__(self, app: App, signals: Signals) -> None:
        base = app.foundation
        relay = Relay(
            base.database.engine, events=base.event_queue, jobs=base.job_queue, signals=signals
        )
        self._app = app
        self._sweeper = Sweeper(app.database, relay, signals)
        self._tasks = {"sweep": self.sweep, "reconcile": self.reconcile}

    async def take(self, event: Mapping[str, Any]) -> None:
        """The event of a schedule. KeyError for a task that does not exist."""
        await self._tasks[event["task"]]()

    async def sweep(self) -> int:
        """Deliver again what was not delivered, in all courts; how many entries that was."""
        free = asyncio.Semaphore(_AT_ONCE)
        now = self._app.clock.now()

        async def one(court: str, since: date) -> int:
            async with free:
                return await self._sweeper.sweep(court, since=since, now=now)

        courts = await self._courts()
        return sum(await asyncio.gather(*(one(court, day) for court, day in courts.items())))

    async def reconcile(self) -> None:
        """Ask the job worker to compare every court's books, one message each."""
        lines_since = business_day(self._app.clock.now()) - HISTORY_DAYS
        messages = [
            of_job(request(court, since=since, lines_since=max(since, lines_since)))
            for court, since in (await self._courts()).items()
        ]
        await self._app.foundation.job_queue.send(messages)

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


handler = Container(_build)
