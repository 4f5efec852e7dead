"""What AWS does between functions, done here: the stream, the queues and the schedule.

Every pump hands the real entrypoint's function an event of the real shape and heeds its answer.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from infra.local.data import read_json, write_json

from courtside.platform.clock import Clock
from courtside.platform.queues import LocalQueues

Event = Mapping[str, Any]
Handle = Callable[[Event], Awaitable[Mapping[str, Any] | None]]

_BATCH = 100
_STREAM_IDLE = 0.2  # seconds between two looks at a stream with nothing new
_SHARDS_KNOWN_FOR = 50  # looks, until new shards are asked for
_QUEUE_IDLE = 1.0  # a message that becomes visible again is seen after this long at most
_RETRY = 1.0
STREAM_ATTEMPTS = 5  # then a record is left to the sweeper, as the event source mapping would


class StreamRefused(Exception):
    """The engine refused a call about its stream."""


class Stream:
    """A table's stream at a local engine, read shard by shard in order."""

    def __init__(self, endpoint: str, table: str) -> None:
        self._endpoint = endpoint
        self._table = table
        self._session: aiohttp.ClientSession | None = None
        self._shards: list[dict[str, str]] = []
        self._looks = 0

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def after(self, seen: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
        """The next records of each shard after the sequence number seen there."""
        if self._looks % _SHARDS_KNOWN_FOR == 0:
            self._shards = await self._described()
        self._looks += 1
        found = {}
        for shard in self._shards:
            records = await self._records(shard, seen.get(shard["ShardId"]))
            if records:
                found[shard["ShardId"]] = records
        return found

    async def _described(self) -> list[dict[str, str]]:
        (stream,) = (await self._call("ListStreams", {"TableName": self._table}))["Streams"]
        where = {"StreamArn": stream["StreamArn"]}
        told = await self._call("DescribeStream", where)
        return [{**where, "ShardId": s["ShardId"]} for s in told["StreamDescription"]["Shards"]]

    async def _records(self, shard: Mapping[str, str], seen: str | None) -> list[dict[str, Any]]:
        start: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if seen is not None:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": seen}
        try:
            at = await self._call("GetShardIterator", {**shard, **start})
        except StreamRefused:  # what was seen last has been trimmed since
            at = await self._call(
                "GetShardIterator", {**shard, "ShardIteratorType": "TRIM_HORIZON"}
            )
        asked = {"ShardIterator": at["ShardIterator"], "Limit": _BATCH}
        records: list[dict[str, Any]] = (await self._call("GetRecords", asked))["Records"]
        return records

    async def _call(self, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDBStreams_20120810.{action}",
            "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/"
            "aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
            "X-Amz-Date": "20260101T000000Z",
        }
        body = json.dumps(payload)
        async with self._session.post(self._endpoint, data=body, headers=headers) as answer:
            text = await answer.text()
            if not answer.ok:
                raise StreamRefused(f"{action}: {text}")
            told: dict[str, Any] = json.loads(text)
            return told


class StreamPump:
    """Hands a stream's records to the relay, in order, from where an earlier run stopped.

    A failed record holds its shard back and is tried again, with all that follow it, a few times.
    """

    def __init__(self, stream: Stream, checkpoint: Path, handle: Handle) -> None:
        self._stream = stream
        self._checkpoint = checkpoint
        self._handle = handle
        self._seen: dict[str, str] = read_json(checkpoint) or {}
        self._attempts = 0

    async def run(self) -> None:
        """Pump until cancelled."""
        while True:
            if not await self.step():
                await asyncio.sleep(_STREAM_IDLE if not self._attempts else _RETRY)

    async def step(self) -> bool:
        """One batch of each shard; whether anything was taken."""
        moved = False
        for shard, records in (await self._stream.after(self._seen)).items():
            answer = await self._handle({"Records": records})
            last = self._last_done(records, _failed(answer))
            if last is not None:
                self._seen[shard] = last
                moved = True
        if moved:
            write_json(self._checkpoint, self._seen)
        return moved

    def _last_done(self, records: list[dict[str, Any]], failed: set[str]) -> str | None:
        numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
        first = next((n for n, number in enumerate(numbers) if number in failed), len(numbers))
        if first == 0 and self._attempts + 1 < STREAM_ATTEMPTS:
            self._attempts += 1
            return None
        self._attempts = 0
        return numbers[max(first, 1) - 1]


class QueuePump:
    """Hands a queue's messages to its worker; when what failed is shown again, the worker says."""

    def __init__(self, queues: LocalQueues, name: str, handle: Handle) -> None:
        self._queues = queues
        self._name = name
        self._handle = handle

    async def run(self) -> None:
        """Pump until cancelled."""
        while True:
            if not await self.step():
                await self._queues.arrival(self._name, at_most=_QUEUE_IDLE)

    async def step(self) -> bool:
        """One batch; whether there was any."""
        batch = self._queues.receive(self._name)
        if not batch:
            return False
        failed = _failed(await self._handle({"Records": [message.record() for message in batch]}))
        for message in batch:
            if message.id not in failed:
                self._queues.done(message)
        return True


class Schedule:
    """Runs what is due by the clock, which may jump: once after a jump, however far."""

    def __init__(
        self, clock: Clock, every: Mapping[str, timedelta], handle: Handle, *, look: float = 1.0
    ) -> None:
        self._clock = clock
        self._every = every
        self._handle = handle
        self._look = look
        self._due = {task: clock.now() + wait for task, wait in every.items()}

    async def run(self) -> None:
        """Look every second until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(self._look)

    async def step(self) -> None:
        now = self._clock.now()
        for task in [task for task, due in self._due.items() if due <= now]:
            self._due[task] = now + self._every[task]
            await self._handle({"task": task})


def _failed(answer: Mapping[str, Any] | None) -> set[str]:
    failures = (answer or {}).get("batchItemFailures", ())
    return {str(failure["itemIdentifier"]) for failure in failures}
