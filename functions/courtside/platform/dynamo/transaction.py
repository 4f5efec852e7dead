"""The one transaction of a use case: changed items, account movements, and the journal entry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from courtside.kernel.actor import EVERYBODY
from courtside.kernel.errors import Refusal, Stale
from courtside.kernel.journal import Entry, Recorded
from courtside.kernel.ledger import AccountId
from courtside.platform.causes import depth
from courtside.platform.clock import Clock
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.engine import MAX_TRANSACTION, Cancelled, Engine, EngineFault
from courtside.platform.dynamo.meter import current
from courtside.platform.dynamo.patience import Contended, patiently
from courtside.platform.dynamo.values import AT_NOW, NOW, Check, Item, Key, Op, Write, instant

MAX_ITEMS = 25  # larger work is a job's (docs/adr/0004): above it no test passes
# Reasons that pass by themselves: somebody else's transaction overlapped, or the table is busy.
PASSING = {
    "None",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}

Explain = Callable[[Item | None], Exception]


def stale(_: Item | None) -> Exception:
    """The usual explanation of a failed condition: what was decided on has moved."""
    return Stale()


class WrittenTwice(Exception):
    """Two writers of one use case touch the same item, which DynamoDB refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What an account adds to the bound of its movements: further checks, the item with which it
    opens, its limits, and what a failed condition means to the caller.

    A ceiling bounds the balance, which no condition can compute: `held` is what the decision found
    held, and the write needs that no more is held than that.
    """

    checks: tuple[Check, ...] = ()
    opening: Item | None = None
    floor: int = 0
    ceiling: int | None = None
    held: int = 0
    explain: Explain = stale


@dataclass(slots=True)
class _Planned:
    write: Write
    explain: Explain


@dataclass(slots=True)
class _AccountSum:
    available: int = 0
    held: int = 0
    opens: int | None = None


class Transaction:
    """Built by a module's store for one entry, committed once.

    The order of writes is the order in which failures are explained, after the journal's own.
    """

    def __init__(
        self, engine: Engine, clock: Clock, digests: journal.Digests, entry: Entry
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._entry = entry
        self._mark = journal.fingerprint(entry.command, digests)
        self._planned: list[_Planned] = []

    def add(self, write: Write, *, explain: Explain = stale) -> None:
        """One changed or checked item."""
        prefix = f"{self._entry.command.court}#"
        if not write.key.pk.startswith(prefix):
            raise ValueError(f"{write.by or write.table}: a key outside the tenant {prefix}")
        self._planned.append(_Planned(write, explain))

    def publish(self, write: Write, *, explain: Explain = stale) -> None:
        """One item under the reserved tenant: what a court tells all others (design section 5)."""
        if not write.key.pk.startswith(f"{EVERYBODY}#"):
            raise ValueError(f"{write.by or write.table}: not a key of the reserved tenant")
        self._planned.append(_Planned(write, explain))

    def move(self, guards: Mapping[AccountId, Guard], *, table: str = "records") -> None:
        """All movements of the entry, netted to one write an account."""
        for account, total in self._sums().items():
            guard = guards.get(account, Guard())
            explain = guard.explain if total.opens is None else stale
            self.add(self._account_write(table, account, total, guard), explain=explain)

    @property
    def items(self) -> int:
        """How many items it writes or checks, the journal entry among them."""
        return len(self._planned) + 1

    async def commit(self) -> Recorded | None:
        """Write everything or nothing.

        None when this call did it. A Recorded when the journal already held this command (a lost
        answer, a concurrent duplicate). Raises what the first failed condition's `explain` says,
        IdempotencyMismatch, or Busy at the caller's deadline.
        """
        self._refuse_double_touch()
        return await patiently(self._clock, self._attempt)

    async def _attempt(self) -> Recorded | None:
        meter = current()
        meter.attempts += 1
        writes = self._writes(self._clock.now())
        try:
            await self._engine.transact(writes)
        except Cancelled as cancelled:
            return self._explain(cancelled)
        meter.items_written += len(writes)
        return None

    def _explain(self, cancelled: Cancelled) -> Recorded:
        own, *others = cancelled.reasons
        if own.is_condition and own.item is not None:
            return journal.recorded(own.item, self._mark)
        if own.code in PASSING - {"None"}:
            raise Contended  # it may be this command's own earlier attempt, still under way
        for planned, reason in zip(self._planned, others, strict=True):
            if reason.is_condition:
                raise planned.explain(reason.item)
        if {r.code for r in cancelled.reasons} <= PASSING:
            raise Contended
        raise EngineFault(str(cancelled)) from cancelled

    def _writes(self, now: datetime) -> list[Write]:
        item = journal.to_item(self._entry, at=now, mark=self._mark, depth=depth())
        own = Write(
            table=journal.JOURNAL,
            key=journal.key_of(self._entry.command),
            checks=(Check("pk", Op.ABSENT),),
            put=item,
            by="journal",
        )
        return [own, *(_at(p.write, now) for p in self._planned)]

    def _sums(self) -> dict[AccountId, _AccountSum]:
        sums: dict[AccountId, _AccountSum] = {}
        for m in self._entry.movements:
            total = sums.setdefault(m.account, _AccountSum())
            total.available += m.available
            total.held += m.held
            total.opens = m.opens if m.opens is not None else total.opens
        return sums

    def _account_write(
        self, table: str, account: AccountId, total: _AccountSum, guard: Guard
    ) -> Write:
        key = Key(f"{self._entry.command.court}#{account.partition}", account.sort)
        if total.opens is not None:
            opened = {
                **(guard.opening or {}),
                "pk": {"S": key.pk},
                "sk": {"S": key.sk},
                "available": {"N": str(total.opens + total.available)},
                "held": {"N": str(total.held)},
            }
            absent = Check("pk", Op.ABSENT)
            return Write(table=table, key=key, checks=(absent,), put=opened, by=str(account))
        moved = {"available": total.available, "held": total.held}
        return Write(
            table=table,
            key=key,
            checks=(*guard.checks, *_bounds(total, guard)),
            add={name: amount for name, amount in moved.items() if amount},
            by=str(account),
        )

    def _refuse_double_touch(self) -> None:
        seen: dict[tuple[str, Key], _Planned] = {}
        for planned in self._planned:
            write = planned.write
            first = seen.setdefault((write.table, write.key), planned)
            if first is not planned:
                raise WrittenTwice(f"{first.write.by} and {write.by} both touch {write.key}")
        if self.items > MAX_TRANSACTION:
            raise ValueError(f"{self.items} items in one transaction; make it a job")


def _bounds(total: _AccountSum, guard: Guard) -> Iterable[Check]:
    yield Check("pk", Op.EXISTS)
    if total.available < 0:
        yield Check("available", Op.GE, guard.floor - total.available)
    grows = total.available + total.held
    if grows > 0 and guard.ceiling is not None:
        yield Check("held", Op.LE, guard.held)
        yield Check("available", Op.LE, guard.ceiling - guard.held - grows)
    if total.held < 0:
        yield Check("held", Op.GE, -total.held)


def _at(write: Write, now: datetime) -> Write:
    """The write with this attempt's instant where NOW stands."""
    stamped = [name for name, value in write.set.items() if value is AT_NOW]
    if not stamped and all(check.value is not NOW for check in write.checks):
        return write
    text = instant(now)
    checks = tuple(c._replace(value=text) if c.value is NOW else c for c in write.checks)
    put = {name: {"S": text} if name in stamped else value for name, value in write.set.items()}
    return replace(write, checks=checks, set=put)


def refusal(failed: Refusal) -> Explain:
    """An explanation that does not depend on the stored item."""

    def explain(_: Item | None) -> Exception:
        return failed

    return explain
