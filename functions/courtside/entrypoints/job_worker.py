"""The job queue: imports, publishing, closing, and the nightly looks at each court's books; and an
operator's own call, which creates a court."""

from collections.abc import Mapping
from typing import Any

from courtside.bootstrap import App
from courtside.kernel.errors import Refusal
from courtside.platform import reconcile, verify
from courtside.platform.container import Container, settings
from courtside.platform.dynamo.tenancy import within
from courtside.platform.observability import Observer
from courtside.platform.probe import Check, table_checks
from courtside.platform.reconcile import Reconciler
from courtside.platform.signals import Signals
from courtside.platform.verify import Verifier
from courtside.platform.worker import JobWorker, take_batch

READ = ("records", "private", "journal", "keys")  # the tables that its role may read


class Jobs:
    """Takes the messages of one batch, each on its own, and the calls of operators."""

    def __init__(self, app: App, signals: Signals) -> None:
        self._app = app
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
        """The event of a queue; the answer names the failed messages. Or `{"task": "create_court"}`
        (docs/operations.md); the answer says what came of it."""
        if event.get("task") == "create_court":
            return await self._create_court(event)
        return await take_batch(event, self._worker.take, queue=self._queue, signals=self._signals)

    async def _create_court(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        from courtside.modules.people import contracts

        code = str(event["court"])
        wanted = contracts.CreateCourt(
            name=event["name"],
            level=contracts.CourtLevel(event["level"]),
            parent=event.get("parent"),
            administrator_name=event["administrator"],
            administrator_staff_no=event["staff_no"],
            subject=event.get("subject"),
        )
        try:
            with within(code):
                created = await self._app.create_court(code, wanted)
        except Refusal as refused:
            return {"court": code, "refused": refused.code, "message": refused.message("en")}
        return {"court": code, "created": created}


def _build() -> Jobs:
    from courtside.bootstrap import build

    told = settings()
    return Jobs(build(told), Observer(stage=told.stage, level=told.log_level))


def _checks() -> Mapping[str, Check]:
    from courtside.bootstrap import foundation

    return table_checks(foundation(settings()).engine, READ)


handler = Container(_build, _checks)
