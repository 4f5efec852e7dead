"""What takes messages off the queues: facts to their consumers, jobs to their runner.

Every message stands alone: a fault makes it come back and in the end a dead letter, without
stopping the others. A refusal is no fault: it is told to the module's officer (platform/refused).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from courtside.kernel.errors import Refusal
from courtside.kernel.jobs import JobState
from courtside.kernel.journal import MAX_DEPTH, Delivered
from courtside.platform.causes import caused_at
from courtside.platform.clock import Clock, deadline
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.tenancy import within
from courtside.platform.jobs import JobRunner
from courtside.platform.messages import JobMessage, Unreadable, of_job, to_fact, to_job
from courtside.platform.queues import Queue
from courtside.platform.refused import Refused
from courtside.platform.signals import Signal, Signals

Handler = Callable[[Delivered, datetime], Awaitable[None]]
Standing = Callable[[JobMessage], Awaitable[None]]
Handlers = Mapping[str, Sequence[Handler]]
T = TypeVar("T")

CONSUMER_SECONDS = 20.0  # for one consumer and fact; the queue hides a message for longer
FIRST_RETRY, RETRY_GROWTH, LONGEST_RETRY = 5.0, 6.0, 1080.0  # seconds: 5, 30, 180, 1080
JOB_SECONDS = 40.0  # after these a long job makes way and goes on with a new message


class MessageFailed(Exception):
    """The message should come again; what went wrong has been signalled."""


class EventWorker:
    """Hands a fact to every consumer of its name, each at least once."""

    def __init__(
        self, handlers: Handlers, *, refused: Refused, clock: Clock, signals: Signals
    ) -> None:
        self._handlers = handlers
        self._refused = refused
        self._clock = clock
        self._signals = signals

    async def take(self, body: str) -> None:
        """Handle one message, or MessageFailed if any consumer of it failed."""
        delivered = _readable(to_fact, body, self._signals)
        if delivered.depth > MAX_DEPTH:
            self._signals.emit(Signal.CHAIN_STOPPED, fact=delivered.fact.name, id=delivered.id)
            return
        handlers = self._handlers.get(delivered.fact.name, ())
        with caused_at(delivered.depth + 1), within(delivered.court):
            handled = [await self._hand(handler, delivered) for handler in handlers]
        if not all(handled):
            raise MessageFailed(delivered.id)

    async def _hand(self, handler: Handler, delivered: Delivered) -> bool:
        module = module_of(handler)
        try:
            with deadline(self._clock, CONSUMER_SECONDS), metered():
                await self._refusing(module, handler, delivered)
        except Exception as fault:  # noqa: BLE001 - the fact's other consumers still get it
            self._signals.emit(
                Signal.CONSUMER_FAILED,
                consumer=module,
                fact=delivered.fact.name,
                id=delivered.id,
                fault=type(fault).__name__,
            )
            return False
        return True

    async def _refusing(self, module: str, handler: Handler, delivered: Delivered) -> None:
        now = self._clock.now()
        try:
            await handler(delivered, now)
        except Refusal as refusal:
            await self._refused.record_consumer(module, delivered, refusal, now=now)
            self._signals.emit(
                Signal.CONSUMER_REFUSED, consumer=module, code=refusal.code, id=delivered.id
            )


class JobWorker:
    """Runs the jobs whose messages arrive; a long one goes on with a message of its own.

    `standing` are kinds of work without a parent, which a message describes whole.
    """

    def __init__(
        self,
        runner: JobRunner,
        queue: Queue,
        *,
        standing: Mapping[str, Standing],
        clock: Clock,
        signals: Signals,
    ) -> None:
        self._runner = runner
        self._queue = queue
        self._standing = standing
        self._clock = clock
        self._signals = signals

    async def take(self, body: str) -> None:
        """Run one job as far as it goes in time, or MessageFailed at a fault."""
        message = _readable(to_job, body, self._signals)
        try:
            with within(message.court):
                await self._run(message)
        except Exception as fault:
            kind = type(fault).__name__
            self._signals.emit(Signal.JOB_FAILED, job=message.kind, id=message.id, fault=kind)
            raise MessageFailed(message.id) from fault

    async def _run(self, message: JobMessage) -> None:
        standing = self._standing.get(message.kind)
        if standing is not None:
            await standing(message)
            return
        until = self._clock.monotonic() + JOB_SECONDS
        with caused_at(message.depth):
            job = await self._runner.run(message.court, message.id, until=until)
        if job is not None and job.state is JobState.REFUSED:
            self._signals.emit(Signal.JOB_REFUSED, job=message.kind, id=message.id)
        if job is not None and job.state is JobState.RUNNING:
            await self._queue.send([of_job(message)])


async def take_batch(
    event: Mapping[str, Any],
    take: Callable[[str], Awaitable[None]],
    *,
    queue: Queue,
    signals: Signals,
) -> dict[str, Any]:
    """Take every message of an event of `queue`; the answer names those that failed, which come
    again after `retry_after` rather than after the queue's usual time."""
    records = event["Records"]
    outcomes = await asyncio.gather(
        *(take(record["body"]) for record in records), return_exceptions=True
    )
    failed = [
        record for record, outcome in zip(records, outcomes, strict=True) if outcome is not None
    ]
    await _postpone(failed, queue, signals)
    return failures([record["messageId"] for record in failed])


def retry_after(receives: int) -> float:
    """Seconds until a message comes again that failed for the `receives`-th time: a hiccup costs
    seconds, an outage of twenty minutes makes no dead letters."""
    return min(FIRST_RETRY * RETRY_GROWTH ** (receives - 1), LONGEST_RETRY)


async def _postpone(failed: Sequence[Mapping[str, Any]], queue: Queue, signals: Signals) -> None:
    waits = {
        record["receiptHandle"]: retry_after(int(record["attributes"]["ApproximateReceiveCount"]))
        for record in failed
    }
    if not waits:
        return
    try:
        await queue.postpone(waits)
    except Exception as fault:  # noqa: BLE001 - the queue shows them again by itself, only later
        signals.emit(Signal.RETRY_DELAYED, count=len(waits), fault=type(fault).__name__)


def failures(identifiers: Sequence[str]) -> dict[str, Any]:
    """The answer by which only these records of a batch are delivered again."""
    return {"batchItemFailures": [{"itemIdentifier": one} for one in identifiers]}


def module_of(handler: Handler) -> str:
    """The module whose consumer this is, by where it is written."""
    _, found, rest = handler.__module__.partition(".modules.")
    return rest.partition(".")[0] if found else "platform"


def _readable(read: Callable[[str], T], body: str, signals: Signals) -> T:
    try:
        return read(body)
    except Unreadable:
        signals.emit(Signal.MESSAGE_UNREADABLE)
        raise
