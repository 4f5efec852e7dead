"""Queues between functions: SQS there, a SQLite file here, with the same promises.

A message is delivered at least once, hidden while somebody works on it, seen again when that
fails, and set aside as a dead letter after its last attempt.
"""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from courtside.platform.clock import Clock
from courtside.platform.settings import Settings

VISIBILITY = 60.0  # seconds that a received message stays hidden
ATTEMPTS = 5  # receives after which a message becomes a dead letter
_SQS_BATCH = 10
_SQS_TRIES = 3
_TABLES = """
CREATE TABLE IF NOT EXISTS message (
  id TEXT PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL,
  visible_at REAL NOT NULL, receives INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS message_due ON message (queue, visible_at);
CREATE TABLE IF NOT EXISTS dead_letter (
  id TEXT PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, receives INTEGER NOT NULL);
"""

Message = Mapping[str, Any]


class Queue(Protocol):
    """A queue as a function knows it: who delivers the messages is the queue's own business."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Keep all messages durably; Undelivered if some could not be (others may have been)."""
        ...

    async def postpone(self, waits: Mapping[str, float]) -> None:
        """Show received messages again in so many seconds, by their receipts."""
        ...


class Queues(Protocol):
    """All queues of an installation that brings its own, by name."""

    def queue(self, name: str) -> Queue: ...


class Undelivered(Exception):
    """A queue did not take everything; the sender tries the whole again."""


class Received(NamedTuple):
    """A message as its worker sees it; `receives` counts this time too."""

    id: str
    body: str
    receives: int

    def record(self) -> dict[str, Any]:
        """The record of a queue event, as a function on Lambda receives it."""
        return {
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }


class LocalQueues:
    """All queues of an embedded installation in one SQLite file, safe across a crash.

    One process works on it at a time (the data folder is locked); another may redrive. Hidden times
    count on the wall clock that moves with `clock`.
    """

    def __init__(self, path: Path | str, clock: Clock) -> None:
        self._clock = clock
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode=WAL")
        self._rows.execute("PRAGMA synchronous=FULL")
        self._rows.executescript(_TABLES)
        self._arrived: dict[str, asyncio.Event] = {}

    def close(self) -> None:
        self._rows.close()

    def queue(self, name: str) -> "LocalQueue":
        return LocalQueue(self, name)

    def put(self, queue: str, messages: Sequence[Message]) -> None:
        now = self._now()
        rows = [(uuid4().hex, queue, json.dumps(m, ensure_ascii=False), now) for m in messages]
        with self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            self._rows.executemany(
                "INSERT INTO message (id, queue, body, visible_at) VALUES (?, ?, ?, ?)", rows
            )
        self._event(queue).set()

    def receive(self, queue: str, *, most: int = 10) -> list[Received]:
        """Up to `most` messages that are due, hidden from now on; exhausted ones become dead."""
        now = self._now()
        with self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            self._bury(queue, now)
            found = self._rows.execute(
                "UPDATE message SET visible_at = ?, receives = receives + 1 WHERE id IN ("
                " SELECT id FROM message WHERE queue = ? AND visible_at <= ?"
                " ORDER BY visible_at LIMIT ?) RETURNING id, body, receives",
                (now + VISIBILITY, queue, now, most),
            ).fetchall()
        return [Received(*row) for row in found]

    def done(self, message: Received) -> None:
        """Forget a message that was worked on."""
        self._rows.execute("DELETE FROM message WHERE id = ?", (message.id,))

    def again(self, receipt: str, *, after: float) -> None:
        """Show a message again in `after` seconds."""
        self._rows.execute(
            "UPDATE message SET visible_at = ? WHERE id = ?", (self._now() + after, receipt)
        )

    def dead_letters(self, queue: str) -> list[Received]:
        rows = self._rows.execute(
            "SELECT id, body, receives FROM dead_letter WHERE queue = ?", (queue,)
        )
        return [Received(*row) for row in rows]

    def redrive(self) -> int:
        """Put every dead letter back into its queue as if it were new; how many there were."""
        with self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            moved = self._rows.execute(
                "INSERT INTO message (id, queue, body, visible_at)"
                " SELECT id, queue, body, ? FROM dead_letter",
                (self._now(),),
            ).rowcount
            self._rows.execute("DELETE FROM dead_letter")
        return moved

    def waiting(self, queue: str) -> int:
        """How many messages are not done yet, hidden ones included."""
        (count,) = self._rows.execute(
            "SELECT COUNT(*) FROM message WHERE queue = ?", (queue,)
        ).fetchone()
        return int(count)

    def show_all(self) -> None:
        """Show everything at once: what an ended process had received it will not finish."""
        self._rows.execute("UPDATE message SET visible_at = ?", (self._now(),))

    async def arrival(self, queue: str, *, at_most: float) -> None:
        """Return when something was put, or after `at_most` seconds."""
        event = self._event(queue)
        try:
            await asyncio.wait_for(event.wait(), at_most)
        except TimeoutError:
            return
        event.clear()

    def _bury(self, queue: str, now: float) -> None:
        spent = (queue, now, ATTEMPTS)
        where = "WHERE queue = ? AND visible_at <= ? AND receives >= ?"
        self._rows.execute(
            f"INSERT INTO dead_letter SELECT id, queue, body, receives FROM message {where}",  # noqa: S608 - a constant
            spent,
        )
        self._rows.execute(f"DELETE FROM message {where}", spent)  # noqa: S608 - a constant

    def _event(self, queue: str) -> asyncio.Event:
        return self._arrived.setdefault(queue, asyncio.Event())

    def _now(self) -> float:
        return self._clock.now().timestamp()


class LocalQueue:
    """One queue of the file, as functions see it."""

    def __init__(self, queues: LocalQueues, name: str) -> None:
        self._queues = queues
        self._name = name

    async def send(self, messages: Sequence[Message]) -> None:
        self._queues.put(self._name, messages)

    async def postpone(self, waits: Mapping[str, float]) -> None:
        for receipt, seconds in waits.items():
            self._queues.again(receipt, after=seconds)


class SqsQueue:
    """A queue of SQS, ten messages a call."""

    def __init__(self, url: str, settings: Settings, client: Any = None) -> None:
        self._url = url
        self._settings = settings
        self._made = client

    @property
    def _client(self) -> Any:
        if self._made is None:
            from courtside.platform import aws

            self._made = aws.sqs(self._settings)
        return self._made

    async def send(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), _SQS_BATCH):
            self._send_batch(messages[start : start + _SQS_BATCH])

    async def postpone(self, waits: Mapping[str, float]) -> None:
        """Undelivered if some keep the queue's usual time."""
        entries = [
            {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": round(seconds)}
            for n, (receipt, seconds) in enumerate(waits.items())
        ]
        for start in range(0, len(entries), _SQS_BATCH):
            part = entries[start : start + _SQS_BATCH]
            answer = self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=part)
            if answer.get("Failed"):
                raise Undelivered(f"{len(answer['Failed'])} of {len(part)} were not postponed")

    def _send_batch(self, messages: Sequence[Message]) -> None:
        left = [
            {"Id": str(n), "MessageBody": json.dumps(message, ensure_ascii=False)}
            for n, message in enumerate(messages)
        ]
        for _ in range(_SQS_TRIES):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=left)
            failed = {failure["Id"] for failure in answer.get("Failed", ())}
            left = [entry for entry in left if entry["Id"] in failed]
            if not left:
                return
        raise Undelivered(f"{len(left)} of {len(messages)} messages were not taken")
