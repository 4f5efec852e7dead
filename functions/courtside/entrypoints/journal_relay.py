"""The journal's stream: entries are relayed, and whatever else happens to the journal is told."""

from collections.abc import Mapping
from typing import Any

from courtside.bootstrap import Foundation
from courtside.platform.container import Container, settings
from courtside.platform.dynamo.database import engine_of
from courtside.platform.dynamo.values import Item
from courtside.platform.observability import Observer
from courtside.platform.probe import Check, table_checks
from courtside.platform.relay import Relay
from courtside.platform.signals import Signal, Signals
from courtside.platform.worker import failures

_TIME_TO_LIVE = "dynamodb.amazonaws.com"

READ = ("records",)  # the tables that its role may read


class JournalRelay:
    """Takes the records of one batch; those that failed come again, with all that follow them."""

    def __init__(self, base: Foundation, signals: Signals) -> None:
        self._signals = signals
        self._relay = Relay(
            engine_of(base.database), events=base.event_queue, jobs=base.job_queue, signals=signals
        )

    async def take(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event of a stream; the answer names the failed records by sequence number."""
        entries: dict[str, Item] = {}
        for record in event["Records"]:
            if record["eventName"] == "INSERT":
                entries[str(record["dynamodb"]["SequenceNumber"])] = record["dynamodb"]["NewImage"]
            elif not _has_expired(record):
                self._signals.emit(Signal.JOURNAL_TAMPERED, change=record["eventName"])
        failed = await self._relay.deliver(entries)
        return failures(sorted(failed, key=int))


def _has_expired(record: Mapping[str, Any]) -> bool:
    """Entries leave by their time to live and in no other way."""
    who = record.get("userIdentity") or {}
    removed: bool = record["eventName"] == "REMOVE"
    return removed and who.get("principalId") == _TIME_TO_LIVE


def _build() -> JournalRelay:
    from courtside.bootstrap import foundation

    told = settings()
    return JournalRelay(foundation(told), Observer(stage=told.stage, level=told.log_level))


def _checks() -> Mapping[str, Check]:
    from courtside.bootstrap import foundation

    return table_checks(foundation(settings()).engine, READ)


handler = Container(_build, _checks)
