"""Is an engine atomic at all? Asked before anything is concluded from tests that run on it."""

import asyncio
from typing import NamedTuple

from courtside.platform.dynamo.engine import Cancelled, Engine
from courtside.platform.dynamo.values import Check, Key, Op, Query, Read, Write


class Conserved(NamedTuple):
    """What is left, what was answered as done, and what stands there: of `offered` together."""

    offered: int
    left: int
    done: int
    claims: int

    def __bool__(self) -> bool:
        return self.left == 0 and self.done == self.claims == self.offered


async def contend(engine: Engine, place: str, *, transactions: int, clients: int) -> Conserved:
    """Many clients take from one counter that holds half of what they ask for.

    `place` is a partition that nobody else uses.
    """
    counter = Key(place, "COUNTER")
    offered = transactions // 2
    await engine.put_many(
        "records", [{"pk": {"S": place}, "sk": {"S": "COUNTER"}, "left": {"N": str(offered)}}]
    )

    async def client(first: int) -> int:
        return sum([await _claim(engine, counter, n) for n in range(first, transactions, clients)])

    done = sum(await asyncio.gather(*(client(n) for n in range(clients))))
    (item,) = await engine.get([Read("records", counter)])
    claims = await _count(engine, Query(table="records", pk=f"{place}#CLAIMS", consistent=True))
    return Conserved(offered, int((item or {})["left"]["N"]), done, claims)


async def _claim(engine: Engine, counter: Key, n: int) -> bool:
    claimed = Key(f"{counter.pk}#CLAIMS", f"{n:06}")
    put = {"pk": {"S": claimed.pk}, "sk": {"S": claimed.sk}}
    try:
        await engine.transact(
            [
                Write(table="records", key=claimed, checks=(Check("pk", Op.ABSENT),), put=put),
                Write(
                    table="records",
                    key=counter,
                    checks=(Check("left", Op.GE, 1),),
                    add={"left": -1},
                ),
            ]
        )
    except Cancelled:
        return False
    return True


async def _count(engine: Engine, query: Query) -> int:
    found = await engine.query(query)
    return len(found.items)
