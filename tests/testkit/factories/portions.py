"""The smallest use case there is: take portions of one dish. And the ways to get it wrong.

Each seller answers None (taken now), a Recorded (taken before, under this key), SoldOut or Busy.
"""

import hmac
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Busy
from courtside.kernel.journal import Command, Entry, Recorded, Result, entry
from courtside.kernel.ledger import Account, AccountId, Movement, Unit, move
from courtside.platform.clock import Clock
from courtside.platform.dynamo.database import Database
from courtside.platform.dynamo.engine import Cancelled, Engine, Throttled, Unanswered
from courtside.platform.dynamo.journal import JOURNAL
from courtside.platform.dynamo.transaction import Guard
from courtside.platform.dynamo.values import Check, Item, Key, Op, Read, Write

COURT = "C310"


class SoldOut(Exception):
    """Nothing of the dish is left."""


class FixedDigests:
    """HMACs under a key that every test knows."""

    def digest(self, court: str, purpose: str, data: bytes) -> bytes:
        return hmac.digest(f"{court}/{purpose}".encode(), data, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakePortion:
    """The request."""

    dish: str
    amount: int = 1


def a_database(engine: Engine, clock: Clock) -> Database:
    return Database(engine, clock=clock, digests=FixedDigests())


def a_command(
    key: str = "key-0001", *, person: str = "P1", court: str = COURT, request: object = None
) -> Command:
    principal = Principal(court=court, person=person, client="phone")
    asked = TakePortion(dish="D1") if request is None else request
    return Command(principal=principal, operation="meals.take", key=key, request=asked)


def an_entry(command: Command, clock: Clock, *movements: Movement) -> Entry:
    result = Result(kind="Portion", id=command.key)
    return entry(command, now=clock.now(), result=result, movements=movements)


class Portions:
    """The right way: one transaction of the journal's guard and the account's bound."""

    def __init__(self, engine: Engine, clock: Clock, *, dish: str = "D1") -> None:
        self.engine = engine
        self.clock = clock
        self.database = a_database(engine, clock)
        self.account = AccountId(f"MENU#{dish}", "PORTIONS")
        self.key = Key(f"{COURT}#MENU#{dish}", "PORTIONS")

    async def offer(self, amount: int) -> None:
        left = {"available": {"N": str(amount)}, "held": {"N": "0"}}
        await self.engine.put_many("records", [_with_key(self.key, left)])

    async def left(self) -> int:
        (item,) = await self.engine.get([Read("records", self.key)])
        return int((item or {})["available"]["N"])

    async def take(self, person: str, key: str) -> Recorded | None:
        request = TakePortion(dish=self.account.partition)
        command = a_command(key, person=person, request=request)
        known = Account(id=self.account, unit=Unit.PORTION, available=10**6)
        taken = move(known, -1, counter="SOLD")
        transaction = self.database.transaction(an_entry(command, self.clock, taken))
        transaction.move({self.account: Guard(explain=_sold_out)})
        return await transaction.commit()


class RewrittenPortions(Portions):
    """Broken: reads what is left, and writes one less."""

    async def take(self, person: str, key: str) -> Recorded | None:
        left = await self.left()
        if left < 1:
            raise SoldOut
        await self.offer(left - 1)
        return None


class UnguardedPortions(Portions):
    """Broken: a conditional update that is sent again when no answer comes, as a client library
    does by itself, without anything that tells the second time from the first."""

    async def take(self, person: str, key: str) -> Recorded | None:
        one = Write(
            table="records",
            key=self.key,
            checks=(Check("available", Op.GE, 1),),
            add={"available": -1},
        )
        for _ in range(9):
            try:
                await self.engine.transact([one])
            except Cancelled as cancelled:
                if cancelled.reasons[0].is_condition:
                    raise SoldOut from None
            except (Unanswered, Throttled):
                continue
            else:
                return None
        raise Busy


class Outcome(NamedTuple):
    """What one asking came to: taken, sold out, or unknown (it may have happened)."""

    key: str
    answer: str


async def asked(seller: Portions, person: str, key: str) -> Outcome:
    try:
        await seller.take(person, key)
    except SoldOut:
        return Outcome(key, "sold out")
    except (Busy, Throttled, Unanswered):
        return Outcome(key, "unknown")
    return Outcome(key, "taken")


class Verdict(NamedTuple):
    """What is wrong between the answers and the books; all zero when nothing is."""

    oversold: int
    lost: int
    doubled: int
    refused_falsely: int


def judge(outcomes: list[Outcome], *, offered: int, left: int) -> Verdict:
    """Compare the answers with what is left. An unknown one may have happened or not."""
    counts = Counter(outcome.answer for outcome in outcomes)
    gone = offered - left
    return Verdict(
        oversold=max(0, counts["taken"] - offered) + max(0, -left),
        lost=max(0, counts["taken"] - gone),
        doubled=max(0, gone - counts["taken"] - counts["unknown"]),
        refused_falsely=counts["sold out"] if left > 0 else 0,
    )


async def entries(seller: Portions, keys: list[tuple[str, str]]) -> int:
    """How many of these askings stand in the journal."""
    found: list[Item | None] = []
    for start in range(0, len(keys), 100):
        part = [a_command(key, person=person) for person, key in keys[start : start + 100]]
        places = [Key(f"{c.court}#J#{c.principal.name}#{c.operation}#{c.key}", "E") for c in part]
        found += await seller.engine.get([Read(JOURNAL, place) for place in places])
    return sum(item is not None for item in found)


def _sold_out(_: Item | None) -> Exception:
    return SoldOut()


def _with_key(key: Key, item: Item) -> Item:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}, **item}
