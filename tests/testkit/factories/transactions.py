"""Transactions of one court, and an engine that fails them as a script says."""

from collections.abc import Sequence
from typing import Any

from infra.memory.engine import MemoryEngine

from courtside.kernel.errors import Refusal, Text
from courtside.kernel.ledger import Account, AccountId, Movement, Unit
from courtside.platform.dynamo.transaction import Transaction
from courtside.platform.dynamo.values import Check, Key, Read, Write
from testkit.factories.portions import COURT, a_command, a_database, an_entry

STOCK = AccountId("MENU#D1", "PORTIONS")
WALLET = AccountId("WALLET#P1", "YUAN")


class ScriptedEngine(MemoryEngine):
    """Answers its first transactions as the script says: an error before or after the commit."""

    def __init__(self, *script: tuple[str, Exception]) -> None:
        super().__init__()
        self.script = list(script)
        self.sent: list[Sequence[Write]] = []

    async def transact(self, writes: Sequence[Write]) -> None:
        self.sent.append(writes)
        when, failure = self.script.pop(0) if self.script else ("", None)
        if when == "before" and failure:
            raise failure
        await super().transact(writes)
        if failure:
            raise failure


class Closed(Refusal):
    code = "CLOSED"
    text = Text(zh="已截止", en="closed")


def an_account(account: AccountId = STOCK, **known: Any) -> Account:
    return Account(**{"id": account, "unit": Unit.PORTION, "available": 10, **known})


def a_transaction(engine: MemoryEngine, *movements: Movement, **command: Any) -> Transaction:
    entry = an_entry(a_command(**command), engine.clock, *movements)
    return a_database(engine, engine.clock).transaction(entry)


def a_put(sort: str, *, by: str = "test", checks: tuple[Check, ...] = ()) -> Write:
    key = Key(f"{COURT}#CASE", sort)
    put = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
    return Write(table="records", key=key, checks=checks, put=put, by=by)


async def stock(engine: MemoryEngine, available: int, held: int = 0, **more: Any) -> None:
    numbers = {"available": {"N": str(available)}, "held": {"N": str(held)}}
    key = {"pk": {"S": f"{COURT}#{STOCK.partition}"}, "sk": {"S": STOCK.sort}}
    await engine.put_many("records", [{**key, **numbers, **more}])


async def balance(engine: MemoryEngine, account: AccountId = STOCK) -> tuple[int, int] | None:
    place = Key(f"{COURT}#{account.partition}", account.sort)
    (item,) = await engine.get([Read("records", place)])
    return None if item is None else (int(item["available"]["N"]), int(item["held"]["N"]))
