"""A table in memory: items by partition in sort order, indexes that may lag, and a stream."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from infra.local.tables import Index, Table
from infra.memory.items import WRITE_UNIT, Invalid, only, size, units

from courtside.platform.dynamo.values import Item, Key, Query

_LAST = "\U0010ffff"
_Position = tuple[str, Key]  # sort key and, where two items share it, the item's own key


class Entry(NamedTuple):
    """An item as one index holds it, and where it stands there."""

    pk: str
    position: _Position
    item: Item


class Ordered:
    """Items by partition, each partition in order of its sort key."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._partitions: dict[str, list[_Position]] = {}

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def put(self, key: Key, entry: Entry | None) -> None:
        """Put the item's new place (None: it has none any more)."""
        old = self._entries.pop(key, None)
        moves = old is None or entry is None or old[:2] != entry[:2]
        if old is not None and moves:
            self._partitions[old.pk].remove(old.position)
        if entry is not None:
            self._entries[key] = entry
            if moves:
                insort(self._partitions.setdefault(entry.pk, []), entry.position)

    def between(self, query: Query, start: _Position | None) -> Iterator[Item]:
        """The query's items in its order, after `start`."""
        positions = self._partitions.get(query.pk, [])
        low, high = _bounds(query)
        first = bisect_left(positions, (low, Key("", "")))
        last = bisect_right(positions, (high, Key(_LAST, _LAST)))
        if start is not None and query.forward:
            first = max(first, bisect_right(positions, start))
        elif start is not None:
            last = min(last, bisect_left(positions, start))
        found = positions[first:last]
        for _, key in found if query.forward else reversed(found):
            yield self._entries[key].item

    def items(self) -> list[Item]:
        return [entry.item for entry in self._entries.values()]


class MemoryIndex:
    """A secondary index. A change becomes visible at its instant, in the item's own order."""

    def __init__(self, definition: Index) -> None:
        self.definition = definition
        self.ordered = Ordered()
        self._late: list[tuple[float, Key, Entry | None]] = []
        self._due: dict[Key, float] = {}

    def change(self, key: Key, item: Item | None, *, visible: float) -> None:
        due = max(visible, self._due.get(key, 0.0))
        self._due[key] = due
        self._late.append((due, key, self.entry(key, item)))

    def catch_up(self, elapsed: float) -> None:
        """Take in what has become visible by now."""
        waiting = self._late
        self._late = [late for late in waiting if late[0] > elapsed]
        for due, key, entry in waiting:
            if due <= elapsed:
                self.ordered.put(key, entry)

    def entry(self, key: Key, item: Item | None) -> Entry | None:
        """Where the item stands in this index; only items with both of its keys do."""
        if item is None:
            return None
        pk, sk = item.get(self.definition.pk), item.get(self.definition.sk)
        if pk is None or sk is None:
            return None
        if not pk.get("S") or not sk.get("S"):
            raise Invalid(f"{self.definition.name}: an index key is empty or no text")
        return Entry(pk["S"], (sk["S"], key), self._projected(item))

    def units(self, key: Key, old: Item | None, new: Item | None) -> int:
        """Write units of a change: none where nothing of it shows, two moves where keys change."""
        before, after = self.entry(key, old), self.entry(key, new)
        if before == after:
            return 0
        sizes = [units(size(e.item), WRITE_UNIT) for e in (before, after) if e is not None]
        moved = before and after and before[:2] != after[:2]
        return sum(sizes) if moved else max(sizes)

    def _projected(self, item: Item) -> Item:
        if self.definition.included is None:
            return item
        own = {"pk", "sk", self.definition.pk, self.definition.sk}
        return only(item, own | self.definition.included)


class MemoryTable:
    """One table with its indexes and its stream."""

    def __init__(self, definition: Table) -> None:
        self.definition = definition
        self.ordered = Ordered()
        self.indexes = {i.name: MemoryIndex(i) for i in definition.indexes}
        self.records: list[dict[str, Any]] = []

    def get(self, key: Key) -> Item | None:
        entry = self.ordered.get(key)
        return None if entry is None else entry.item

    def put(self, key: Key, item: Item | None, *, at: datetime, visible: Iterable[float]) -> None:
        """Store the item (None: remove it); `visible` says when each index shows it."""
        old = self.get(key)
        self.ordered.put(key, None if item is None else Entry(key.pk, (key.sk, key), item))
        for index, due in zip(self.indexes.values(), visible, strict=True):
            index.change(key, item, visible=due)
        if self.definition.has_stream and old != item:
            self.records.append(self._record(key, old, item, at))

    def change_units(self, key: Key, old: Item | None, new: Item | None, *, times: int) -> int:
        """Write units of a change: the larger of before and after, and what the indexes take."""
        larger = max(size(old or {}), size(new or {}))
        indexes = sum(index.units(key, old, new) for index in self.indexes.values())
        return times * units(larger, WRITE_UNIT) + indexes

    def items(self) -> list[Item]:
        return self.ordered.items()

    def _record(self, key: Key, old: Item | None, new: Item | None, at: datetime) -> dict[str, Any]:
        number = str(len(self.records) + 1)
        kind = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": int(at.timestamp()),
            "Keys": {"pk": {"S": key.pk}, "sk": {"S": key.sk}},
            "SequenceNumber": number.zfill(21),
            "SizeBytes": size(new or {}),
            "StreamViewType": "NEW_IMAGE",
        }
        if new is not None:
            change["NewImage"] = {name: dict(value) for name, value in new.items()}
        return {
            "eventID": f"{self.definition.name}-{number}",
            "eventName": kind,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "local",
            "dynamodb": change,
            "eventSourceARN": f"arn:aws:dynamodb:local:0:table/{self.definition.name}/stream/0",
        }


def _bounds(query: Query) -> tuple[str, str]:
    if query.begins is not None:
        return query.begins, query.begins + _LAST
    return query.low or "", query.high if query.high is not None else _LAST
