"""Seals: what has arrived in a court's journal, written down where nobody can change it.

A seal is one document of the vault: id, key and digest of every entry since the seal before, and
that seal's own digest, so that each vouches for all before it. Entries that come into sight late
are found by looking back over an hour that was sealed already; none is sealed twice.

The newest seal vouches for itself in two places: as the first name that the vault lists, and in a
record of the tables (the anchor). Cutting the end off needs both.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from courtside.kernel.workdays import DAY_BEGINS, business_day, local_instant
from courtside.platform.books import Books, Pointer, days
from courtside.platform.dynamo.database import RECORDS, Database, engine_of
from courtside.platform.dynamo.values import Item, Key, from_instant, instant
from courtside.platform.vault import Vault

FORMAT = 1
OVERLAP = timedelta(hours=1)  # how late an entry may come into sight and still be sealed
SKEW = timedelta(minutes=1)  # more than any two servers' clocks differ
QUIET = timedelta(days=1)  # a court without entries is sealed as rarely as this
MOST = 2000  # entries in one seal
STAYS = 10**11  # the second at which an entry leaves that names none
_DIGITS = 10
_LAST = 10**_DIGITS - 1
_PAGE = 20  # seals looked through at a time for those of the overlap


class Broken(ValueError):
    """Not a seal: what stands there was not written by the sealer."""


class Line(NamedTuple):
    """One entry as it was sealed. `expires` is the second at which it may leave the journal."""

    id: str
    at: datetime
    key: Key
    expires: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Entries that came into sight after the seal before, up to about `until`."""

    court: str
    number: int
    since: datetime
    until: datetime
    previous: str
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        return name_of(self.number)

    def to_bytes(self) -> bytes:
        """The one form that is digested and kept."""
        told = {
            "format": FORMAT,
            "court": self.court,
            "number": self.number,
            "since": instant(self.since),
            "until": instant(self.until),
            "previous": self.previous,
            "count": len(self.lines),
            "entries": [
                [line.id, instant(line.at), *line.key, line.expires, line.digest]
                for line in self.lines
            ],
        }
        return _canonical(told)


def of_bytes(data: bytes) -> Seal:
    """The seal of its document, or Broken."""
    try:
        told = json.loads(data)
        if told["format"] != FORMAT or told["count"] != len(told["entries"]):
            raise Broken("another format, or another count")
        return Seal(
            court=told["court"],
            number=int(told["number"]),
            since=from_instant(told["since"]),
            until=from_instant(told["until"]),
            previous=told["previous"],
            lines=tuple(
                Line(identity, from_instant(at), Key(pk, sk), expires, digest)
                for identity, at, pk, sk, expires, digest in told["entries"]
            ),
        )
    except (KeyError, TypeError, ValueError, RecursionError) as wrong:
        raise Broken(str(wrong)) from None


def digest_of_entry(item: Item) -> str:
    """Of an entry's whole stored form, so that no attribute of it can change unseen."""
    return digest_of(_canonical(item))


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def name_of(number: int) -> str:
    """Counting down, so that the vault lists the newest seal first."""
    return f"{_LAST - number:0{_DIGITS}}.json"


def number_of(name: str) -> int:
    """The number behind a name, or Broken."""
    digits = name.removesuffix(".json")
    number = _LAST - int(digits) if digits.isascii() and digits.isdigit() else 0
    if number < 1 or name_of(number) != name:
        raise Broken("no seal's name")
    return number


async def newest(vault: Vault, court: str) -> Seal | None:
    """The head of a court's chain."""
    page = await vault.page(court, most=1)
    return of_bytes(await vault.read(court, page[0])) if page else None


class Anchor(NamedTuple):
    """What the tables remember of the newest seal."""

    number: int
    digest: str


class Anchors:
    """Each court's anchor, one record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, seal: Seal) -> None:
        """Remember the seal as the newest."""
        key = self._key(seal.court)
        told = {"number": str(seal.number), "digest": digest_of(seal.to_bytes())}
        item = {"pk": key.pk, "sk": key.sk, **told}
        stored = {name: {"S": text} for name, text in item.items()}
        await engine_of(self._database).put_many(RECORDS, [stored])

    async def find(self, court: str) -> Anchor | None:
        (item,) = await Books(engine_of(self._database)).get(
            RECORDS, [self._key(court)], consistent=True
        )
        return None if item is None else Anchor(int(item["number"]["S"]), item["digest"]["S"])

    def _key(self, court: str) -> Key:
        return self._database.of(court).key("SEAL", "HEAD")


class Sealer:
    """Seals one court at a time. Of two that seal a court at once, one finds the name taken and
    leaves the rest to its next run."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._books = Books(engine_of(database))
        self._anchors = Anchors(database)
        self._vault = vault

    async def seal(self, court: str, *, since: date, now: datetime) -> int:
        """Seal what has arrived since the last seal, or since the court's first day; how many
        entries that was."""
        sealed = 0
        while True:
            seal = await self._next(court, since=since, now=now)
            if seal is None or not await self._vault.keep(court, seal.name, seal.to_bytes()):
                return sealed
            await self._anchors.put(seal)
            sealed += len(seal.lines)
            if len(seal.lines) < MOST:
                return sealed

    async def _next(self, court: str, *, since: date, now: datetime) -> Seal | None:
        """The seal that follows the newest; None where there is nothing to be said."""
        recent = await self._recent(court)
        head = recent[0] if recent else None
        begins = local_instant(since, DAY_BEGINS) if head is None else head.until
        known = {(line.id, line.key) for seal in recent for line in seal.lines}
        lines = await self._unsealed(court, known, since=begins - OVERLAP, now=now)
        if not lines and (head is None or now - head.until < QUIET):
            return None
        until = lines[-1].at if len(lines) == MOST else now
        return Seal(
            court=court,
            number=1 if head is None else head.number + 1,
            since=begins,
            until=max(until, begins),
            previous="" if head is None else digest_of(head.to_bytes()),
            lines=tuple(lines),
        )

    async def _recent(self, court: str) -> list[Seal]:
        """The newest seals, as many as may hold entries of the overlap; newest first."""
        found: list[Seal] = []
        after = ""
        while page := await self._vault.page(court, after=after, most=_PAGE):
            for kept in page:
                seal = of_bytes(await self._vault.read(court, kept))
                if found and seal.until < found[0].until - OVERLAP - SKEW:
                    return found
                found.append(seal)
            after = page[-1].name
        return found

    async def _unsealed(
        self, court: str, known: set[tuple[str, Key]], *, since: datetime, now: datetime
    ) -> list[Line]:
        """Entries written from `since` on that no seal holds, oldest first, at most MOST.

        One that bears a time to come is sealed when it has come.
        """
        lines: list[Line] = []
        for day in days(business_day(since), business_day(now + SKEW)):
            pointers = await self._books.pointers(court, day, since=since)
            due = (p for p in pointers if p.at <= now + SKEW and (p.id, p.key) not in known)
            new = list(islice(due, MOST - len(lines)))
            items = await self._books.entries(new)
            lines += [_line(p, item) for p, item in zip(new, items, strict=True) if item]
            if len(lines) >= MOST:
                break
        return lines


def _line(pointer: Pointer, item: Item) -> Line:
    return Line(pointer.id, pointer.at, pointer.key, _expires(item), digest_of_entry(item))


def _expires(item: Item) -> int:
    try:
        return int(item["ttl"]["N"])
    except (KeyError, ValueError):
        return STAYS


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode("utf-8", "surrogatepass")
