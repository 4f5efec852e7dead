"""The event queue: facts, handed to the consumers of all modules."""

from collections.abc import Mapping
from typing import Any

from courtside.bootstrap import App
from courtside.platform.container import Container, settings
from courtside.platform.observability import Observer
from courtside.platform.probe import Check, table_checks
from courtside.platform.refused import Refused
from courtside.platform.signals import Signals
from courtside.platform.worker import EventWorker, take_batch

READ = ("records", "journal", "keys")  # the tables that its role may read


class Events:
    """Takes the messages of one batch, each on its own."""

    def __init__(self, app: App, signals: Signals) -> None:
        self._queue = app.foundation.event_queue
        self._signals = signals
        self._worker = EventWorker(
            app.handlers, refused=Refused(app.database), clock=app.clock, signals=signals
        )

    async def take(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event of a queue; the answer names the failed messages."""
        return await take_batch(event, self._worker.take, queue=self._queue, signals=self._signals)


def _build() -> Events:
    from courtside.bootstrap import build

    told = settings()
    return Events(build(told), Observer(stage=told.stage, level=told.log_level))


def _checks() -> Mapping[str, Check]:
    from courtside.bootstrap import foundation

    return table_checks(foundation(settings()).engine, READ)


handler = Container(_build, _checks)
