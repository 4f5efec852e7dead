"""Reconciliation: proves that every balance equals the sum of its movements, and that history
agrees with the journal.

It walks the journal from the court's first day, sums the movements by account, and reads the
accounts. Orders go on meanwhile: an account may show any balance that it had about the moment when
it was read; one that shows another is read again, and only what differs then too is a finding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from courtside.kernel.ledger import AccountId
from courtside.kernel.workdays import business_day
from courtside.platform.books import Books, Pointer, days
from courtside.platform.clock import Clock
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.database import RECORDS, Database, engine_of
from courtside.platform.dynamo.journal import StoredEntry
from courtside.platform.dynamo.values import Item, Key
from courtside.platform.messages import JobMessage
from courtside.platform.relay import delivered_mark, history_lines
from courtside.platform.signals import Signal, Signals

PATIENCE = timedelta(minutes=15)  # until then an entry may still be on its way to history
OVERLAP = timedelta(minutes=1)  # how long the index may take to show an entry
SLACK = timedelta(seconds=10)  # longer than any attempt takes between its stamp and its effect
JOB = "platform.reconcile"  # the kind of the message that asks for a court's comparison
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds in which the index follows, before each new look
_ENTRIES = 400  # read at a time


class FindingKind(StrEnum):
    BALANCE_DIFFERS = "BALANCE_DIFFERS"
    ACCOUNT_MISSING = "ACCOUNT_MISSING"
    LINE_MISSING = "LINE_MISSING"
    LINE_DIFFERS = "LINE_DIFFERS"
    ENTRY_UNREADABLE = "ENTRY_UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, where, and what it should be; ids only, never anything personal."""

    kind: FindingKind
    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was compared. `pending` entries are too young to have their history."""

    court: str
    since: date
    as_of: datetime
    entries: int
    accounts: int
    lines: int
    pending: int
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        return not self.findings


class Balance(NamedTuple):
    available: int
    held: int

    def __add__(self, other: "Balance") -> "Balance":  # type: ignore[override]  # no longer tuple
        return Balance(self.available + other.available, self.held + other.held)

    def __str__(self) -> str:
        return f"available {self.available}, held {self.held}"


NOTHING = Balance(0, 0)


@dataclass(slots=True)
class _Sum:
    """One account's movements: summed, and those since shortly before the walk one by one."""

    settled: Balance = NOTHING
    recent: list[tuple[datetime, str, Balance]] = field(default_factory=list)

    def total(self) -> Balance:
        return sum((moved for _, _, moved in self.recent), self.settled)

    def shown(self, at: datetime) -> set[Balance]:
        """The balances that a read at `at` may have seen, in the order of the entries' stamps."""
        balance = self.settled
        seen = {balance}
        for stamp, _, moved in sorted(self.recent):
            if stamp < at - SLACK:
                seen.clear()
            balance += moved
            seen.add(balance)
        return seen


@dataclass(slots=True)
class _Walk:
    """What has been seen so far. `recent` are the ids that a later look would meet again."""

    court: str
    begun: datetime
    entries: int = 0
    lines: int = 0
    pending: int = 0
    sums: dict[AccountId, _Sum] = field(default_factory=dict)
    recent: set[str] = field(default_factory=set)
    suspects: list[StoredEntry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, entry: StoredEntry) -> None:
        """Take an entry's movements into the sums of their accounts."""
        self.entries += 1
        is_recent = entry.at >= self.begun - OVERLAP
        if is_recent:
            self.recent.add(entry.id)
        for m in entry.movements:
            total = self.sums.setdefault(m.account, _Sum())
            moved = Balance((m.opens or 0) + m.available, m.held)
            if is_recent:
                total.recent.append((entry.at, entry.id, moved))
            else:
                total.settled += moved


class Reconciler:
    """Compares one court's books at a time. It reads and never mends."""

    def __init__(self, database: Database, *, clock: Clock, signals: Signals) -> None:
        self._database = database
        self._books = Books(engine_of(database))
        self._clock = clock
        self._signals = signals

    async def run(self, message: JobMessage) -> None:
        """What a message of `request` asks for; findings are in the metric and the log."""
        since, _, lines_since = message.id.partition("/")
        await self.reconcile(
            message.court,
            since=date.fromisoformat(since),
            lines_since=date.fromisoformat(lines_since),
        )

    async def reconcile(
        self, court: str, *, since: date, lines_since: date | None = None
    ) -> Report:
        """Compare all books since the court's first day; history only of days from `lines_since`
        on. Each finding counts in the metric."""
        walk = _Walk(court=court, begun=self._clock.now())
        for day in days(since, business_day(walk.begun)):
            pointers = await self._books.pointers(court, day)
            await self._read(walk, pointers, lines=lines_since is None or day >= lines_since)
        await self._compare_lines_again(walk)
        await self._compare_balances(walk)
        if walk.findings:
            self._signals.emit(
                Signal.RECONCILIATION_MISMATCH, count=len(walk.findings), court=court
            )
        return Report(
            court=court,
            since=since,
            as_of=walk.begun,
            entries=walk.entries,
            accounts=len(walk.sums),
            lines=walk.lines,
            pending=walk.pending,
            findings=tuple(walk.findings),
        )

    async def _read(self, walk: _Walk, pointers: Sequence[Pointer], *, lines: bool) -> None:
        for start in range(0, len(pointers), _ENTRIES):
            part = pointers[start : start + _ENTRIES]
            entries = _decoded(walk, part, await self._books.entries(part))
            for entry in entries:
                walk.add(entry)
            if lines:
                walk.suspects += await self._with_wrong_lines(walk, entries)

    async def _with_wrong_lines(
        self, walk: _Walk, entries: Sequence[StoredEntry]
    ) -> list[StoredEntry]:
        expected = [(entry, line) for entry in entries for line in _lines(entry)]
        walk.lines += len(expected)
        keys = [_key(line) for _, line in expected]
        found = await self._books.get(RECORDS, list(dict.fromkeys(keys)), consistent=False)
        stored = dict(zip(dict.fromkeys(keys), found, strict=True))
        wrong = {e.id: e for e, line in expected if stored[_key(line)] != line}
        return list(wrong.values())

    async def _compare_lines_again(self, walk: _Walk) -> None:
        """Consistently this time; a young entry without its mark is on its way, not wrong."""
        for entry in walk.suspects:
            expected = _lines(entry)
            keys = [_key(line) for line in expected]
            found = await self._books.get(RECORDS, keys, consistent=True)
            if found[-1] is None and entry.at > self._clock.now() - PATIENCE:
                walk.pending += 1
                continue
            walk.findings += _line_findings(expected, found)

    async def _compare_balances(self, walk: _Walk) -> None:
        differing = await self._differing(walk, list(walk.sums), pause=0)
        for pause in PAUSES:
            if differing:
                differing = await self._differing(walk, list(differing), pause=pause)
        walk.findings += [_balance_finding(walk, a, found) for a, found in differing.items()]

    async def _differing(
        self, walk: _Walk, accounts: Sequence[AccountId], *, pause: float
    ) -> dict[AccountId, Balance | None]:
        """Those of the accounts that show a balance which they never had, with that balance."""
        at = self._clock.now()
        tenant = self._database.of(walk.court)
        keys = [tenant.key(account.partition, account.sort) for account in accounts]
        items = await self._books.get(RECORDS, keys, consistent=True)
        if pause:
            await self._clock.sleep(pause)
            await self._catch_up(walk)
        return {
            account: found
            for account, found in zip(accounts, map(_balance, items), strict=True)
            if found not in walk.sums[account].shown(at)
        }

    async def _catch_up(self, walk: _Walk) -> None:
        """Take in the entries that were written, or came into sight, since the last look."""
        since = walk.begun - OVERLAP
        for day in days(business_day(since), business_day(self._clock.now())):
            new = [
                pointer
                for pointer in await self._books.pointers(walk.court, day, since=since)
                if pointer.id not in walk.recent
            ]
            for entry in _decoded(walk, new, await self._books.entries(new)):
                walk.add(entry)


def request(court: str, *, since: date, lines_since: date) -> JobMessage:
    """The message that asks for the comparison of one court's books."""
    days_told = f"{since.isoformat()}/{lines_since.isoformat()}"
    return JobMessage(court, JOB, days_told, depth=0)


def _decoded(
    walk: _Walk, pointers: Iterable[Pointer], items: Iterable[Item | None]
) -> list[StoredEntry]:
    entries = []
    for pointer, item in zip(pointers, items, strict=True):
        if item is None:
            continue  # its retention has ended; the index lets it go a moment later
        try:
            entries.append(journal.from_item(item))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            walk.recent.add(pointer.id)
            walk.findings.append(
                Finding(
                    kind=FindingKind.ENTRY_UNREADABLE,
                    subject=pointer.id,
                    expected="a journal entry",
                    found="something else",
                )
            )
    return entries


def _lines(entry: StoredEntry) -> list[Item]:
    return [*history_lines(entry), delivered_mark(entry)]


def _line_findings(expected: Sequence[Item], found: Sequence[Item | None]) -> list[Finding]:
    return [
        Finding(
            kind=FindingKind.LINE_MISSING if line is None else FindingKind.LINE_DIFFERS,
            subject="|".join(_key(wanted)),
            expected=_told(wanted),
            found=_told(line),
        )
        for wanted, line in zip(expected, found, strict=True)
        if wanted != line
    ]


def _balance_finding(walk: _Walk, account: AccountId, found: Balance | None) -> Finding:
    kind = FindingKind.ACCOUNT_MISSING if found is None else FindingKind.BALANCE_DIFFERS
    expected = str(walk.sums[account].total())
    return Finding(kind=kind, subject=str(account), expected=expected, found=str(found))


def _balance(item: Item | None) -> Balance | None:
    if item is None:
        return None
    available, held = item.get("available", {}).get("N", 0), item.get("held", {}).get("N", 0)
    return Balance(int(available), int(held))


def _key(item: Item) -> Key:
    return Key(item["pk"]["S"], item["sk"]["S"])


def _told(item: Item | None) -> str:
    if item is None:
        return "nothing"
    return ", ".join(f"{name} {value.get('S')}" for name, value in sorted(item.items()))
