"""Verification: the seals recomputed one by one, and the journal compared with what they hold.

It goes from the newest seal back, so that every document is vouched for by the one after it, and
names the place of whatever differs: a seal or an entry that was changed, removed, added or put into
another order, and an end that was cut off.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from courtside.kernel.workdays import DAY_BEGINS, business_day, local_instant
from courtside.platform.books import Books
from courtside.platform.clock import Clock
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.database import Database, engine_of
from courtside.platform.dynamo.values import Key
from courtside.platform.messages import JobMessage
from courtside.platform.seal import (
    OVERLAP,
    QUIET,
    SKEW,
    Anchor,
    Anchors,
    Broken,
    Line,
    Seal,
    digest_of,
    digest_of_entry,
    number_of,
    of_bytes,
)
from courtside.platform.signals import Signal, Signals
from courtside.platform.vault import Kept, Vault

JOB = "platform.verify"  # the kind of the message that asks for a court's verification
PATIENCE = timedelta(hours=1)  # until then an entry may still wait for its seal
MOST_TOLD = 20  # findings that are logged one by one
_PAGE = 200


class FindingKind(StrEnum):
    ENTRY_CHANGED = "ENTRY_CHANGED"
    ENTRY_MISSING = "ENTRY_MISSING"
    ENTRY_ADDED = "ENTRY_ADDED"  # it bears a time whose seals were closed without it
    ENTRY_UNSEALED = "ENTRY_UNSEALED"  # this and perhaps more have waited for longer than an hour
    SEALED_TWICE = "SEALED_TWICE"
    SEAL_CHANGED = "SEAL_CHANGED"
    SEAL_MISSING = "SEAL_MISSING"
    SEAL_COVERED = "SEAL_COVERED"  # another version, or a marker of deletion, was put over it
    SEALING_STOPPED = "SEALING_STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong and where; `subject` is an entry's id or a seal's number."""

    kind: FindingKind
    subject: str
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was compared. `pending` entries are too young to have been sealed."""

    court: str
    first: date
    last: date
    as_of: datetime
    seals: int
    entries: int
    pending: int
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Walk:
    """What has been seen so far, from the newest seal back."""

    court: str
    now: datetime
    day: date  # the next to be compared
    head: Seal | None = None
    last: Seal | None = None
    seals: int = 0
    entries: int = 0
    pending: int = 0
    forgotten: list[str] = field(default_factory=list)
    lines: dict[date, list[Line]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def find(self, kind: FindingKind, subject: str | int, says: str = "") -> None:
        self.findings.append(Finding(kind=kind, subject=str(subject), says=says))

    def take(self, seal: Seal) -> None:
        """Keep a seal's lines until their days are compared."""
        self.seals += 1
        for line in seal.lines:
            self.lines.setdefault(business_day(line.at), []).append(line)

    def complete(self, first: date, seal: Seal | None) -> Iterator[date]:
        """Days of which all lines were met, when `seal` was the last (None: when all were)."""
        while self.day >= first and (seal is None or _begin(self.day) > seal.until + SKEW):
            yield self.day
            self.day -= timedelta(days=1)


class Verifier:
    """Verifies one court at a time. It reads and never mends."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock, signals: Signals) -> None:
        self._books = Books(engine_of(database))
        self._anchors = Anchors(database)
        self._vault = vault
        self._clock = clock
        self._signals = signals

    async def run(self, message: JobMessage) -> None:
        """What a message of `request` asks for; findings are in the metric and the log."""
        report = await self.verify(message.court, first=date.fromisoformat(message.id))
        for finding in report.findings[:MOST_TOLD]:
            kind, place = finding.kind.value, finding.subject
            self._signals.emit(Signal.SEAL_BROKEN, court=report.court, kind=kind, subject=place)
        more = len(report.findings) - MOST_TOLD
        if more > 0:
            self._signals.emit(Signal.SEAL_BROKEN, count=more, court=report.court)

    async def verify(self, court: str, *, first: date, last: date | None = None) -> Report:
        """Compare the entries of the business days `first` to `last` (or today) with their seals,
        and each seal from the newest back to those of `first` with the one after it."""
        now = self._clock.now()
        ends = business_day(now + SKEW) if last is None else last
        walk = _Walk(court=court, now=now, day=ends)
        async for seal in self._seals(walk):
            walk.take(seal)
            for day in walk.complete(first, seal):
                await self._compare(walk, day)
            if walk.day < first:
                break
        for day in walk.complete(first, None):
            await self._compare(walk, day)
        if walk.forgotten:
            told = f"{len(walk.forgotten)} entries"
            walk.find(FindingKind.ENTRY_UNSEALED, min(walk.forgotten), told)
        if walk.head is not None and now - walk.head.until > QUIET + PATIENCE:
            walk.find(FindingKind.SEALING_STOPPED, walk.head.number)
        return Report(
            court=court,
            first=first,
            last=ends,
            as_of=now,
            seals=walk.seals,
            entries=walk.entries,
            pending=walk.pending,
            findings=tuple(walk.findings),
        )

    async def _seals(self, walk: _Walk) -> AsyncIterator[Seal]:
        """The court's seals from the newest back, each compared with what vouches for it."""
        anchor = await self._anchors.find(walk.court)
        expected, vouched = 0 if anchor is None else anchor.number, ""
        after = ""
        while page := await self._vault.page(walk.court, after=after, most=_PAGE):
            for kept in page:
                data = await self._vault.read(walk.court, kept)
                seal = _checked(walk, kept, data)
                number = expected if seal is None else seal.number
                _tell_gap(walk, expected, number)
                _compare_digest(walk, number, data, vouched=vouched, anchor=anchor)
                expected, vouched = number - 1, "" if seal is None else seal.previous
                if seal is not None:
                    walk.head, walk.last = walk.head or seal, seal
                    yield seal
            after = page[-1].name
        if walk.last is None or walk.last.since > walk.now - journal.RETENTION:
            _tell_gap(walk, expected, 0)  # older seals may have left after their entries

    async def _compare(self, walk: _Walk, day: date) -> None:
        """One day's entries with the lines that seals hold of them."""
        lines = walk.lines.pop(day, [])
        walk.entries += len(lines)
        items = await self._books.entries_by_key([line.key for line in lines])
        sealed: set[tuple[str, Key]] = set()
        for line, item in zip(lines, items, strict=True):
            if (line.id, line.key) in sealed:
                walk.find(FindingKind.SEALED_TWICE, line.id)
            sealed.add((line.id, line.key))
            if item is None and line.expires > walk.now.timestamp():
                walk.find(FindingKind.ENTRY_MISSING, line.id)
            if item is not None and digest_of_entry(item) != line.digest:
                walk.find(FindingKind.ENTRY_CHANGED, line.id)
        for pointer in await self._books.pointers(walk.court, day):
            if (pointer.id, pointer.key) not in sealed:
                self._unsealed(walk, pointer.id, pointer.at)

    def _unsealed(self, walk: _Walk, entry_id: str, at: datetime) -> None:
        """An entry that no seal holds: young, forgotten, or put there afterwards."""
        if walk.head is not None and at < walk.head.until - OVERLAP:
            walk.find(FindingKind.ENTRY_ADDED, entry_id)
        elif at < walk.now - PATIENCE:
            walk.forgotten.append(entry_id)
        else:
            walk.pending += 1


def request(court: str, *, first: date) -> JobMessage:
    """The message that asks for the verification of one court from a business day on."""
    return JobMessage(court, JOB, first.isoformat(), depth=0)


def _checked(walk: _Walk, kept: Kept, data: bytes) -> Seal | None:
    """The seal that stands there; None, and told, where there is something else."""
    if kept.touched:
        walk.find(FindingKind.SEAL_COVERED, kept.name)
    try:
        seal, number = of_bytes(data), number_of(kept.name)
    except Broken as wrong:
        walk.find(FindingKind.SEAL_CHANGED, kept.name, str(wrong))
        return None
    if (seal.number, seal.court) == (number, walk.court):
        return seal
    walk.find(FindingKind.SEAL_CHANGED, kept.name, "another seal's place")
    return None


def _tell_gap(walk: _Walk, expected: int, number: int) -> None:
    """Seals from `expected` down to above `number` are not there."""
    if number < expected:
        says = "" if number + 1 == expected else f"to {number + 1}"
        walk.find(FindingKind.SEAL_MISSING, expected, says)


def _compare_digest(
    walk: _Walk, number: int, data: bytes, *, vouched: str, anchor: Anchor | None
) -> None:
    """The document by the digest that the seal after it, or the anchor, holds of it."""
    digest = digest_of(data)
    if vouched and digest != vouched:
        walk.find(FindingKind.SEAL_CHANGED, number, "not what the next seal saw")
    if anchor is not None and anchor.number == number and digest != anchor.digest:
        walk.find(FindingKind.SEAL_CHANGED, number, "not what the anchor saw")


def _begin(day: date) -> datetime:
    return local_instant(day, DAY_BEGINS)
