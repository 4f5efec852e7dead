"""What is audited without changing anything: refusals of permission, money, assets and minors, one
entry a code and minute; and looks at other people's sensitive records, one entry a request."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Refusal
from courtside.kernel.ids import short_id
from courtside.kernel.journal import READ, REFUSAL, Command, Result, entry
from courtside.platform.dynamo.database import Database
from courtside.platform.signals import Signal, Signals

OPERATION = "R"


@dataclass(frozen=True, slots=True)
class _Refused:
    """The request of the entry: the same for all refusals that share it."""

    code: str


class JournalRefusals:
    """Writes `R#<code>#<minute>` in a transaction of its own, in the name of who was refused.

    The first of a minute is the entry and names the operation; those after it are only counted. It
    fails closed: without the entry there is no answer but a fault.
    """

    def __init__(self, database: Database, signals: Signals) -> None:
        self._database = database
        self._signals = signals

    async def record(self, principal: Principal, operation: str, refusal: Refusal) -> None:
        now = self._database.clock.now()
        command = Command(
            principal=principal,
            operation=OPERATION,
            key=f"{refusal.code}#{now:%Y%m%dT%H%MZ}",
            request=_Refused(refusal.code),
        )
        result = Result(kind=REFUSAL, id=operation, outcome={"code": refusal.code})
        written = entry(command, now=now, result=result)
        before = await self._database.transaction(written).commit()
        if before is not None:
            self._signals.emit(Signal.REFUSAL_REPEATED, code=refusal.code, operation=operation)


MOST_SEEN = 20  # records that one entry names: it stays within a kilobyte


@dataclass(frozen=True, slots=True)
class _Seen:
    """The request of the entry."""

    ids: tuple[str, ...]


class JournalReads:
    """Writes who saw which records, in transactions of its own and in the name of who saw them.

    One entry a request, or one for every twenty records of a longer page. It fails closed: without
    its entry a record is not shown.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(
        self, principal: Principal, operation: str, *, seen: Sequence[str], now: datetime
    ) -> None:
        if principal.is_system:
            return
        parts = [tuple(seen[n : n + MOST_SEEN]) for n in range(0, len(seen), MOST_SEEN)]
        await gather(*(self._write(principal, operation, part, now) for part in parts))

    async def _write(
        self, principal: Principal, operation: str, seen: tuple[str, ...], now: datetime
    ) -> None:
        command = Command(
            principal=principal, operation=operation, key=short_id(16), request=_Seen(seen)
        )
        result = Result(kind=READ, id=operation, outcome={"seen": list(seen)})
        await self._database.transaction(entry(command, now=now, result=result)).commit()
