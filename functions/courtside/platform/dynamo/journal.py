"""Journal entries as stored: their key, their one-kilobyte form, and the read by key.

Partition `<COURT>#J#<client~person>#<operation>#<key>`, sort `E`. The index `day` holds each entry
under `<COURT>#<business day>#<hash 0..7>` / `<at>#<id>` for the sweeper and the seal.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Protocol

from courtside.kernel.actor import Principal
from courtside.kernel.errors import IdempotencyMismatch
from courtside.kernel.journal import (
    Change,
    Command,
    Delivered,
    Entry,
    Fact,
    Notify,
    Recorded,
    Result,
)
from courtside.kernel.ledger import AccountId, Movement
from courtside.kernel.workdays import business_day
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Item, Key, Read, from_instant, instant

JOURNAL = "journal"
SORT = "E"
DAY_INDEX = "day"
DAY_PARTITIONS = 8
RETENTION = timedelta(days=3660)  # ten years; a key is guarded for as long as its entry lives


class Digests(Protocol):
    """HMACs under a court's key; `crypto.py` has them."""

    def digest(self, court: str, purpose: str, data: bytes) -> bytes:
        """32 bytes that only the court's key could have made."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry as read back: what the relay unfolds, the sweeper compares and reconcile sums."""

    id: str
    key: Key
    at: datetime
    principal: Principal
    operation: str
    on_behalf_of: str | None
    depth: int
    changes: tuple[Change, ...]
    movements: tuple[Movement, ...]
    facts: tuple[Fact, ...]
    result: Result
    job: str | None

    def deliveries(self) -> list[Delivered]:
        """The entry's facts as consumers receive them."""
        court = self.principal.court
        return [
            Delivered(court=court, id=f"{self.id}#{n}", at=self.at, depth=self.depth, fact=fact)
            for n, fact in enumerate(self.facts)
        ]


def key_of(command: Command) -> Key:
    """Where the entry of a command stands."""
    parts = (command.court, "J", command.principal.name, command.operation, command.key)
    return Key("#".join(parts), SORT)


def day_partition(court: str, day: date, entry_id: str) -> str:
    return f"{court}#{day.isoformat()}#{zlib.crc32(entry_id.encode()) % DAY_PARTITIONS}"


def day_partitions(court: str, day: date) -> list[str]:
    """All partitions of the day index for one business day."""
    return [f"{court}#{day.isoformat()}#{n}" for n in range(DAY_PARTITIONS)]


def fingerprint(command: Command, digests: Digests) -> str:
    """An HMAC of operation and input, so that the journal betrays nothing personal."""
    text = json.dumps(command.request, default=_canonical, sort_keys=True, ensure_ascii=False)
    data = f"{command.operation}\n{text}".encode("utf-8", "surrogatepass")
    return digests.digest(command.court, "fingerprint", data)[:12].hex()


def to_item(entry: Entry, *, at: datetime, mark: str, depth: int = 0) -> Item:
    """The stored form; `mark` is the command's fingerprint, `depth` how deeply facts caused it."""
    command = entry.command
    key = key_of(command)
    body: dict[str, Any] = {"r": _result(entry.result)}
    if entry.changes:
        body["c"] = {c.aggregate: c.version for c in entry.changes}
    if entry.movements:
        body["m"] = _movements(entry.movements)
    if entry.facts:
        body["x"] = [_fact(f) for f in entry.facts]
    item: dict[str, Any] = {
        "pk": {"S": key.pk},
        "sk": {"S": key.sk},
        "id": {"S": entry.id},
        "dp": {"S": day_partition(command.court, business_day(at), entry.id)},
        "ds": {"S": f"{instant(at)}#{entry.id}"},
        "f": {"S": mark},
        "e": {"S": json.dumps(body, ensure_ascii=False, separators=(",", ":"))},
        "ttl": {"N": str(int((at + RETENTION).timestamp()))},
    }
    if entry.on_behalf_of:
        item["b"] = {"S": entry.on_behalf_of}
    if entry.job:
        item["j"] = {"S": entry.job}
    if depth:
        item["d"] = {"N": str(depth)}
    return item


def from_item(item: Item) -> StoredEntry:
    """An entry read back, whole."""
    pk = item["pk"]["S"]
    court, _, name, operation, _ = pk.split("#", 4)
    client, _, person = name.partition("~")
    body = json.loads(item["e"]["S"])
    return StoredEntry(
        id=item["id"]["S"],
        key=Key(pk, item["sk"]["S"]),
        at=_at(item),
        principal=Principal(court=court, person=person, client=client),
        operation=operation,
        on_behalf_of=item["b"]["S"] if "b" in item else None,
        depth=int(item["d"]["N"]) if "d" in item else 0,
        changes=tuple(Change(aggregate=a, version=v) for a, v in body.get("c", {}).items()),
        movements=tuple(_read_movements(body.get("m", {}))),
        facts=tuple(_read_fact(f) for f in body.get("x", ())),
        result=_read_result(body["r"]),
        job=item["j"]["S"] if "j" in item else None,
    )


def recorded(item: Item, mark: str) -> Recorded:
    """The stored result behind a command, or IdempotencyMismatch if it was of another request."""
    if item["f"]["S"] != mark:
        raise IdempotencyMismatch
    result = _read_result(json.loads(item["e"]["S"])["r"])
    return Recorded(entry_id=item["id"]["S"], at=_at(item), result=result)


class JournalReader:
    """`recall` of every use case: one consistent get of the command's own key."""

    def __init__(self, engine: Engine, digests: Digests) -> None:
        self._engine = engine
        self._digests = digests

    async def recall(self, command: Command) -> Recorded | None:
        (item,) = await self._engine.get([Read(JOURNAL, key_of(command))])
        return None if item is None else recorded(item, fingerprint(command, self._digests))


def _at(item: Item) -> datetime:
    return from_instant(item["ds"]["S"].partition("#")[0])


def _result(result: Result) -> list[Any]:
    fields: list[Any] = [result.kind, result.id, result.version]
    return [*fields, dict(result.outcome)] if result.outcome else fields


def _read_result(stored: list[Any]) -> Result:
    kind, identity, version, *rest = stored
    return Result(kind=kind, id=identity, version=version, outcome=rest[0] if rest else {})


def _movements(movements: tuple[Movement, ...]) -> dict[str, dict[str, list[list[Any]]]]:
    """Grouped by partition, since an order's portions share theirs."""
    grouped: dict[str, dict[str, list[list[Any]]]] = {}
    for m in movements:
        line: list[Any] = [m.counter, m.available, m.held]
        if m.opens is not None:
            line.append(m.opens)
        grouped.setdefault(m.account.partition, {}).setdefault(m.account.sort, []).append(line)
    return grouped


def _read_movements(stored: Mapping[str, Mapping[str, list[list[Any]]]]) -> list[Movement]:
    return [
        Movement(
            account=AccountId(partition, sort),
            counter=counter,
            available=available,
            held=held,
            opens=rest[0] if rest else None,
        )
        for partition, accounts in stored.items()
        for sort, lines in accounts.items()
        for counter, available, held, *rest in lines
    ]


def _fact(fact: Fact) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "n": fact.name,
        "a": fact.aggregate,
        "v": fact.version,
        "s": dict(fact.state),
    }
    if fact.notify:
        stored["t"] = [[n.audience, n.template, n.key] for n in fact.notify]
    return stored


def _read_fact(stored: Mapping[str, Any]) -> Fact:
    notify = tuple(Notify(audience=a, template=t, key=k) for a, t, k in stored.get("t", ()))
    return Fact(
        name=stored["n"],
        aggregate=stored["a"],
        version=stored["v"],
        state=stored["s"],
        notify=notify,
    )


def _canonical(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")
