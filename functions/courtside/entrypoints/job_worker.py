"""The job queue: imports, publishing, closing, and the nightly looks at each court's books."""

from collections.abc import Mapping
from typing import Any

from courtside.bootstrap import App
from courtside.platform import reconcile, verify
from courtside.platform.container import Container, settings
from courtside.platform.observability import Observer
from courtside.platform.probe import Check, table_checks
from courtside.platform.reconcile import Reconciler
from courtside.platform.signals import Signals
from courtside.platform.verify import Verifier
from courtside.platform.worker import JobWorker, take_batch

READ = ("records", "private", "journal", "keys")  # the tables that its role may read


class Jobs:
    """Takes the messages of one batch, each on its own."""

    def __init__(self, app: App, signals: Signals) -> None:
        self._queue = app.foundation.job_queue
        self._signals = signals
        database, vault = app.database, app.foundation.vault
        reconciler = Reconciler(database, clock=app.clock, signals=signals)
        verifier = Verifier(database, vault, clock=app.clock, signals=signals)
        self._worker = JobWorker(
            app.runner,
            self._queue,
            standing={reconcile.JOB: reconciler.run, verify.JOB: verifier.run},
            clock=app.clock,
            signals=signals,
        )

    async def take(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event of a queue; the answer names the failed messages."""
        return await take_batch(event, self._worker.take, queue=self._queue, signals=self._signals)


def _build() -> Jobs:
    from courtside.bootstrap import build

    told = settings()
    return Jobs(build(told), Observer(stage=told.stage, level=told.log_level))


def _checks() -> Mapping[str, Check]:
    from courtside.bootstrap import foundation

    return table_checks(foundation(settings()).engine, READ)


handler = Container(_build, _checks)
