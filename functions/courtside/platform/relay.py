"""The relay: what follows from a journal entry, made from the entry alone and harmless repeated.

For each entry its facts go to the event queue and its job to the job queue; it is unfolded into
history lines; last comes its delivered mark, which alone the sweeper looks for. Lines and mark
live in `records`, which has no stream: nothing that is derived comes back to the relay.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from courtside.kernel.journal import MAX_DEPTH, READ
from courtside.kernel.workdays import business_day
from courtside.platform import messages
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.database import RECORDS
from courtside.platform.dynamo.engine import MAX_BATCH_PUT, Engine
from courtside.platform.dynamo.journal import StoredEntry
from courtside.platform.dynamo.values import Item, Key, instant
from courtside.platform.queues import Queue
from courtside.platform.signals import Signal, Signals

DELIVERED = "DELIVERED"
VERSION_DIGITS = 12
_QUEUE_BATCH = 10
_AT_ONCE = 8  # calls under way for one batch of entries

T = TypeVar("T")


@dataclass(slots=True)
class _Batch:
    """Entries on their way, by the caller's handle; a failed one takes no further step."""

    entries: dict[str, StoredEntry] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def whole(self) -> dict[str, StoredEntry]:
        return {h: entry for h, entry in self.entries.items() if h not in self.failed}


class Relay:
    """Delivers journal entries: from the stream, and again from the sweeper."""

    def __init__(self, engine: Engine, *, events: Queue, jobs: Queue, signals: Signals) -> None:
        self._engine = engine
        self._events = events
        self._jobs = jobs
        self._signals = signals
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def deliver(self, items: Mapping[str, Item]) -> frozenset[str]:
        """Deliver stored entries and return the handles of those that failed.

        A failed entry has no delivered mark; delivering it again repeats what was done.
        """
        batch = self._decoded(items)
        await self._each(batch, self._facts, self._events.send, _QUEUE_BATCH)
        await self._each(batch, _job_messages, self._jobs.send, _QUEUE_BATCH)
        await self._each(batch, history_lines, self._put, MAX_BATCH_PUT)
        await self._each(batch, lambda entry: [delivered_mark(entry)], self._put, MAX_BATCH_PUT)
        return frozenset(batch.failed)

    def _decoded(self, items: Mapping[str, Item]) -> _Batch:
        batch = _Batch()
        seen: set[Key] = set()
        for handle, item in items.items():
            try:
                entry = journal.from_item(item)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError):
                self._signals.emit(Signal.ENTRY_UNREADABLE)
                batch.failed.add(handle)
                continue
            if entry.key not in seen:
                batch.entries[handle] = entry
            seen.add(entry.key)
        return batch

    def _facts(self, entry: StoredEntry) -> list[dict[str, Any]]:
        if entry.depth > MAX_DEPTH and (entry.facts or entry.job):
            self._signals.emit(Signal.CHAIN_STOPPED, operation=entry.operation, entry=entry.id)
            return []
        return [messages.of_fact(delivered) for delivered in entry.deliveries()]

    async def _put(self, items: Sequence[Item]) -> None:
        keyed = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        await self._engine.put_many(RECORDS, list(keyed.values()))

    async def _each(
        self,
        batch: _Batch,
        make: Callable[[StoredEntry], Iterable[T]],
        send: Callable[[Sequence[T]], Awaitable[None]],
        size: int,
    ) -> None:
        """Make something of each whole entry and send all of it in as few calls as possible."""
        made = [(handle, one) for handle, entry in batch.whole().items() for one in make(entry)]
        calls = [self._send(batch, part, send) for part in _parts(made, size)]
        await asyncio.gather(*calls)

    async def _send(
        self,
        batch: _Batch,
        part: list[tuple[str, T]],
        send: Callable[[Sequence[T]], Awaitable[None]],
    ) -> None:
        try:
            async with self._free:
                await send([one for _, one in part])
        except Exception as fault:  # noqa: BLE001 - one call's fault is its entries' failure alone
            failed = {handle for handle, _ in part}
            kind = type(fault).__name__
            self._signals.emit(Signal.ENTRY_UNDELIVERED, count=len(failed), fault=kind)
            batch.failed |= failed


def history_lines(entry: StoredEntry) -> list[Item]:
    """One line for each object and each account that the entry changed, and one where an auditor
    looks for whoever acted or was looked at; always the same."""
    return [*_object_lines(entry), *_account_lines(entry), *_audit_lines(entry)]


def delivered_mark(entry: StoredEntry) -> Item:
    """The line that is written last."""
    return _line(mark_key(entry.principal.court, entry.id), {"at": instant(entry.at)})


def mark_key(court: str, entry_id: str) -> Key:
    """Where the delivered mark of an entry stands."""
    return history_key(court, entry_id, DELIVERED)


def history_key(court: str, subject: str, line: str) -> Key:
    """A line under an object, an account or an entry."""
    return Key(f"{court}#HISTORY#{subject}", line)


def _object_lines(entry: StoredEntry) -> Iterator[Item]:
    states = {(fact.aggregate, fact.version): fact.state for fact in entry.facts}
    for change in entry.changes:
        key = history_key(
            entry.principal.court, change.aggregate, f"{change.version:0{VERSION_DIGITS}d}"
        )
        told = _by(entry) | _place(entry)
        state = states.get((change.aggregate, change.version))
        if state is not None:
            told["state"] = _json(state)
        yield _line(key, told)


def _account_lines(entry: StoredEntry) -> Iterator[Item]:
    lines: dict[str, list[list[Any]]] = {}
    for m in entry.movements:
        line = [m.counter, m.available, m.held, m.opens]
        lines.setdefault(str(m.account), []).append(line)
    for account, moved in lines.items():
        key = history_key(entry.principal.court, account, entry.id)
        yield _line(key, _by(entry) | {"moved": _json(moved)})


def _audit_lines(entry: StoredEntry) -> Iterator[Item]:
    """By person and day, and by record seen, in the order of time."""
    court, person = entry.principal.court, entry.principal.person
    told = {"at": instant(entry.at)} | _place(entry)
    sort = f"{instant(entry.at)}#{entry.id}"
    if not entry.principal.is_system:
        day = business_day(entry.at).isoformat()
        yield _line(history_key(court, f"BY:{person}#{day}", sort), told)
    if entry.result.kind == READ:
        for seen in entry.result.outcome.get("seen", ()):
            yield _line(history_key(court, f"SEEN:{seen}", sort), told)


def _place(entry: StoredEntry) -> dict[str, str]:
    """Which entry it is, and where it stands in the court's journal."""
    return {"entry": entry.id, "journal": entry.key.pk.partition("#")[2]}


def _by(entry: StoredEntry) -> dict[str, str]:
    told = {"at": instant(entry.at), "by": entry.principal.name, "operation": entry.operation}
    return told | ({"for": entry.on_behalf_of} if entry.on_behalf_of else {})


def _line(key: Key, told: Mapping[str, str]) -> Item:
    keys = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
    return keys | {name: {"S": text} for name, text in told.items()}


def _job_messages(entry: StoredEntry) -> list[dict[str, Any]]:
    if entry.job is None or entry.depth > MAX_DEPTH:
        return []
    kind, _, job_id = entry.job.partition("#")
    return [
        messages.of_job(
            messages.JobMessage(entry.principal.court, kind, job_id, depth=entry.depth + 1)
        )
    ]


def _parts(made: list[T], size: int) -> Iterator[list[T]]:
    return (made[start : start + size] for start in range(0, len(made), size))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
