"""The engine in memory: DynamoDB's rules on virtual time, and its faults from a seed.

Tests run on it, and the demo is made on it; nothing else imports it.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from infra.local.tables import Table, read_tables
from infra.memory.clock import VirtualClock
from infra.memory.items import (
    READ_UNIT,
    Invalid,
    holds,
    only,
    size,
    units,
    updated,
    validate,
    validate_item,
    validate_key,
)
from infra.memory.store import MemoryTable

from courtside.platform.dynamo.engine import (
    MAX_BATCH_GET,
    MAX_BATCH_PUT,
    MAX_TRANSACTION,
    Cancelled,
    EngineFault,
    Reason,
    Throttled,
    Unanswered,
)
from courtside.platform.dynamo.meter import Meter, current
from courtside.platform.dynamo.values import Item, Key, Query, Read, Slice, Write

MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_PAGE_BYTES = 1024 * 1024
_FINE = Reason("None")
_Target = tuple[str, Key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Probabilities of what may go wrong with a call, and durations in seconds.

    `overlap` is how long a transaction holds its items: two that overlap on one conflict.
    `stale` is the probability that an index shows a change late, by up to `lag` seconds.
    `latency` is the longest time that a call takes before and again after it does its work.
    """

    lost_before: float = 0.0
    lost_after: float = 0.0
    throttled: float = 0.0
    overlap: float = 0.0
    stale: float = 0.0
    lag: float = 5.0
    latency: float = 0.0


NO_FAULTS = Faults()


@cache
def _definitions() -> dict[str, Table]:
    return read_tables()


class MemoryEngine:
    """The platform's Engine. A call ends when nothing else is ready to run, so that calls made
    together are seen to run together, whatever the order of their first steps."""

    def __init__(
        self, clock: VirtualClock | None = None, *, faults: Faults = NO_FAULTS, seed: int = 0
    ) -> None:
        self.clock = clock or VirtualClock()
        self.faults = faults
        self._chance = random.Random(seed)
        self._tables = {name: MemoryTable(t) for name, t in _definitions().items()}
        self._in_flight: dict[_Target, int] = {}

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        meter = current()
        with meter.call(write=False):
            wanted = {(r.table, r.key) for r in reads}
            if not 0 < len(wanted) <= MAX_BATCH_GET:
                raise EngineFault("a batch gets 1 to 100 items")
            await self._begin()
            found = {target: self._table(target[0]).get(target[1]) for target in wanted}
            consistent = {r.table for r in reads if r.consistent}
            for (table, _), item in found.items():
                full = 1.0 if table in consistent else 0.5
                meter.read_units += full * units(size(item or {}), READ_UNIT)
            await self._end()
        return [_copy(found[r.table, r.key]) for r in reads]

    async def query(self, query: Query) -> Slice:
        meter = current()
        with meter.call(write=False):
            _validate_query(query)
            await self._begin()
            found, read = self._page(query)
            full = 1.0 if query.consistent else 0.5
            meter.read_units += full * units(read, READ_UNIT)
            await self._end()
        return found

    async def transact(self, writes: Sequence[Write]) -> None:
        meter = current()
        with meter.call(write=True):
            self._validate(writes)
            await self._begin()
            await self._alone([(w.table, w.key) for w in writes])
            self._apply(writes, meter)
            await self._end()

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        meter = current()
        with meter.call(write=True):
            keys = [_key_of(item) for item in items]
            if not 0 < len(set(keys)) == len(keys) <= MAX_BATCH_PUT:
                raise EngineFault("a batch puts 1 to 25 different items")
            self._validated(items)
            await self._begin()
            held = self._table(table)
            for key, item in zip(keys, items, strict=True):
                meter.write_units += held.change_units(key, held.get(key), item, times=1)
                self._put(held, key, item)
            await self._end()

    async def close(self) -> None:
        """Nothing to end: what it holds lives as long as the engine."""

    def stream(self, table: str, *, after: int = 0) -> list[dict[str, Any]]:
        """The stream's records, as a Lambda event holds them, without the first `after`."""
        return self._table(table).records[after:]

    def items(self, table: str) -> list[Item]:
        """Everything that a table holds; for assertions and nothing else."""
        return self._table(table).items()

    def dump(self) -> dict[str, list[Item]]:
        """Everything that all tables hold: equal dumps mean that nothing happened between."""
        return {
            name: sorted(table.items(), key=lambda i: (i["pk"]["S"], i["sk"]["S"]))
            for name, table in self._tables.items()
        }

    def restore(self, dump: Mapping[str, Sequence[Item]]) -> None:
        """Hold what another engine's `dump` held; its stream begins after that."""
        for name, items in dump.items():
            held = self._table(name)
            for item in items:
                visible = [0.0 for _ in held.indexes]
                held.put(_key_of(item), item, at=self.clock.now(), visible=visible)
            held.records.clear()

    def expire(self, now: datetime) -> int:
        """Remove what has lived out its TTL, as the table does within days; how many went."""
        gone = 0
        for held in self._tables.values():
            for item in held.items():
                ends = item.get(held.definition.ttl or "")
                if ends is not None and int(ends["N"]) <= now.timestamp():
                    self._put(held, _key_of(item), None)
                    _mark_expired(held)
                    gone += 1
        return gone

    async def _begin(self) -> None:
        await self.clock.sleep(self._chance.uniform(0, self.faults.latency))
        if self._happens(self.faults.lost_before):
            raise Unanswered("the request was lost")
        if self._happens(self.faults.throttled):
            raise Throttled("throttled")

    async def _end(self) -> None:
        if self.faults.latency:
            await self.clock.sleep(self._chance.uniform(0, self.faults.latency))
        if self._happens(self.faults.lost_after):
            raise Unanswered("the answer was lost")

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability

    async def _alone(self, targets: list[_Target]) -> None:
        """Hold the items for the time of a transaction; conflict where another holds one."""
        if not self.faults.overlap:
            return
        taken = [self._in_flight.get(target, 0) > 0 for target in targets]
        if any(taken):
            conflict = Reason("TransactionConflict")
            raise Cancelled([conflict if busy else _FINE for busy in taken])
        for target in targets:
            self._in_flight[target] = 1
        try:
            await self.clock.sleep(self.faults.overlap)
        finally:
            for target in targets:
                del self._in_flight[target]

    def _apply(self, writes: Sequence[Write], meter: Meter) -> None:
        before = [self._table(w.table).get(w.key) for w in writes]
        planned = [self._evaluate(w, item) for w, item in zip(writes, before, strict=True)]
        reasons = [p if isinstance(p, Reason) else _FINE for p in planned]
        if any(reason is not _FINE for reason in reasons):
            raise Cancelled(reasons)
        for write, old, new in zip(writes, before, planned, strict=True):
            held = self._table(write.table)
            after = None if isinstance(new, Reason) else new
            meter.write_units += held.change_units(write.key, old, after, times=2)
            if after is not old:
                self._put(held, write.key, after)

    def _evaluate(self, write: Write, item: Item | None) -> Item | Reason | None:
        """The item after the write, or the reason why it cannot be."""
        if not all(holds(check, item) for check in write.checks):
            return Reason("ConditionalCheckFailed", None if item is None else dict(item))
        if write.delete:
            return None
        if not (write.put or write.set or write.add or write.remove):
            return item
        try:
            after = dict(write.put) if write.put is not None else updated(write, item)
            for index in self._table(write.table).indexes.values():
                index.entry(write.key, after)
        except Invalid:
            return Reason("ValidationError")
        return after

    def _put(self, held: MemoryTable, key: Key, item: Item | None) -> None:
        now = self.clock.monotonic()
        stale = self.faults.stale
        visible = [
            now + self._chance.uniform(0, self.faults.lag) if self._happens(stale) else now
            for _ in held.indexes
        ]
        held.put(key, item, at=self.clock.now(), visible=visible)

    def _page(self, query: Query) -> tuple[Slice, int]:
        """One page and how many bytes were read for it."""
        held = self._table(query.table)
        ordered = held.ordered
        names = {"pk": "pk", "sk": "sk"}
        if query.index is not None:
            index = held.indexes[query.index]
            index.catch_up(self.clock.monotonic())
            ordered, names = index.ordered, {"pk": index.definition.pk, "sk": index.definition.sk}
        start = None
        if query.start is not None:
            start = (query.start[names["sk"]]["S"], _key_of(query.start))
        keys = {"pk", "sk", *names.values()}
        return _cut(ordered.between(query, start), query.limit, keys)

    def _table(self, name: str) -> MemoryTable:
        try:
            return self._tables[name]
        except KeyError:
            raise EngineFault(f"no table {name}") from None

    def _validate(self, writes: Sequence[Write]) -> None:
        if not 0 < len(writes) <= MAX_TRANSACTION:
            raise EngineFault("a transaction has 1 to 100 writes")
        if len({(w.table, w.key) for w in writes}) < len(writes):
            raise EngineFault("a transaction cannot include two operations on one item")
        try:
            for write in writes:
                validate(write)
        except Invalid as invalid:
            raise EngineFault(str(invalid)) from invalid
        if sum(size(w.put or w.set) for w in writes) > MAX_TRANSACTION_BYTES:
            raise EngineFault("a transaction holds at most 4 MB")

    def _validated(self, items: Sequence[Item]) -> None:
        try:
            for item in items:
                validate_key(*_key_of(item))
                validate_item(item)
        except Invalid as invalid:
            raise EngineFault(str(invalid)) from invalid


def _cut(items: Iterator[Item], limit: int | None, keys: set[str]) -> tuple[Slice, int]:
    """The items of one page, up to the limit or 1 MB."""
    found: list[Item] = []
    read = 0
    for item in items:
        read += size(item)
        if found and read > MAX_PAGE_BYTES:
            return Slice(found, only(found[-1], keys)), read - size(item)
        found.append(dict(item))
        if len(found) == limit:
            return Slice(found, only(item, keys)), read
    return Slice(found, None), read


def _copy(item: Item | None) -> Item | None:
    return None if item is None else dict(item)


def _key_of(item: Mapping[str, Any]) -> Key:
    return Key(item["pk"]["S"], item["sk"]["S"])


def _validate_query(query: Query) -> None:
    ranged = query.low is not None or query.high is not None
    if query.begins is not None and ranged:
        raise EngineFault("one condition on the sort key")
    if query.index is not None and query.consistent:
        raise EngineFault("an index cannot be read consistently")
    if query.limit is not None and query.limit < 1:
        raise EngineFault("a limit is at least 1")


def _mark_expired(held: MemoryTable) -> None:
    """TTL removals bear the service's mark, by which a consumer tells them from others."""
    if held.definition.has_stream:
        held.records[-1]["userIdentity"] = {
            "type": "Service",
            "principalId": "dynamodb.amazonaws.com",
        }
