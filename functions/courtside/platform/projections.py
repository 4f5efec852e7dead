"""Read models: the newest version wins, and a fact is counted once, however often it arrives.

For stores of modules whose consumers derive something from facts. Nothing here writes a journal
entry, and nothing that is decided may rest on it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from courtside.platform.dynamo.database import Database, Versioned, engine_of
from courtside.platform.dynamo.engine import Cancelled, EngineFault
from courtside.platform.dynamo.patience import Contended, patiently
from courtside.platform.dynamo.transaction import PASSING
from courtside.platform.dynamo.values import Check, Key, Op, Write

COUNTED = timedelta(days=400)  # far longer than any queue, dead letter or sweep brings a fact back


async def keep_newest(database: Database, record: Versioned) -> bool:
    """Put a read model's item unless the stored one is as new or newer; whether it was put."""
    version = int(record.version)
    while True:
        if await _put(database, record, Check("version", Op.LT, version)) is None:
            return True
        failed = await _put(database, record, Check("pk", Op.ABSENT))
        if failed is None:
            return True
        stored = failed.reasons[0].item
        if stored is not None and int(stored["version"]["N"]) >= version:
            return False


async def count_once(
    database: Database,
    counter: Key,
    *,
    fact: str,
    add: Mapping[str, int],
    now: datetime,
    table: str = "records",
) -> bool:
    """Add to a counter unless this fact was counted there before; whether it was added.

    The counter's item comes into being with its first fact.
    """
    seen = Key(f"{counter.pk}#COUNTED", f"{counter.sk}#{fact}")
    forgotten = str(int((now + COUNTED).timestamp()))
    guard = {"pk": {"S": seen.pk}, "sk": {"S": seen.sk}, "ttl": {"N": forgotten}}
    by = f"counter {counter.pk}"
    absent = (Check("pk", Op.ABSENT),)
    writes = [
        Write(table=table, key=seen, checks=absent, put=guard, by=by),
        Write(table=table, key=counter, add=add, by=by),
    ]
    return await _write(database, writes) is None


async def _put(database: Database, record: Versioned, check: Check) -> Cancelled | None:
    by = f"projection {type(record).__name__}"
    item = record.serialize()
    write = Write(table=record.table, key=record.key, checks=(check,), put=item, by=by)
    return await _write(database, [write])


async def _write(database: Database, writes: Sequence[Write]) -> Cancelled | None:
    """None when it was written, or what the failed conditions were. A lost answer is found as a
    failed condition afterwards: the effect was there."""

    async def attempt() -> Cancelled | None:
        try:
            await engine_of(database).transact(writes)
        except Cancelled as cancelled:
            if any(reason.is_condition for reason in cancelled.reasons):
                return cancelled
            if {reason.code for reason in cancelled.reasons} <= PASSING:
                raise Contended from cancelled
            raise EngineFault(str(cancelled)) from cancelled
        return None

    return await patiently(database.clock, attempt)
