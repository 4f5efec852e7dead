"""The engine in memory against the embedded one, on random single-operation transactions."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infra.memory.engine import MemoryEngine

from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.engine import Cancelled, Engine, EngineFault
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.values import Check, Key, Op, Query, Read, Write, attribute

NAMES = ["n", "s", "b", "gsi1pk", "gsi1sk"]
SORTS = ["1", "2", "3"]
_partitions = itertools.count(1)

plain = st.one_of(st.integers(-3, 12), st.sampled_from(["", "a", "b", "中", "10"]), st.booleans())
values = st.dictionaries(st.sampled_from(NAMES[:3]), plain.map(attribute), max_size=3)
indexed = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(["x", "y"]).map(attribute) for name in NAMES[3:]}
)
attributes = st.builds(lambda a, b: {**a, **b}, values, indexed)


@st.composite
def checks(draw: st.DrawFn) -> Check:
    op = draw(st.sampled_from(list(Op)))
    name = draw(st.sampled_from([*NAMES, "pk"]))
    if op in (Op.EXISTS, Op.ABSENT):
        return Check(name, op)
    ordered = op in (Op.LT, Op.LE, Op.GT, Op.GE)
    value = draw(plain.filter(lambda v: not (ordered and isinstance(v, bool))))
    return Check(name, op, value)


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """What a write does besides checking; often nothing that DynamoDB would refuse."""
    kind = draw(st.sampled_from(["put", "update", "update", "delete", "check"]))
    if kind == "put":
        return {"put": draw(attributes)}
    if kind == "delete":
        return {"delete": True}
    if kind == "check":
        return {}
    names = draw(st.permutations(NAMES))
    cut = draw(st.integers(1, 4))
    pool = draw(attributes)
    return {
        "set": {name: pool[name] for name in names[:cut] if name in pool},
        "add": dict.fromkeys(
            [n for n in names[cut:4] if n in ("n", "s")], draw(st.integers(-5, 5))
        ),
        "remove": tuple(n for n in names[4:] if draw(st.booleans())),
    }


operations = st.lists(
    st.tuples(st.sampled_from(SORTS), st.lists(checks(), max_size=3), changes()),
    min_size=1,
    max_size=25,
)


def a_write(place: str, sort: str, checked: Sequence[Check], change: dict[str, Any]) -> Write:
    key = Key(place, sort)
    made = dict(change)
    if "put" in made:
        made["put"] = {"pk": {"S": place}, "sk": {"S": sort}, **made["put"]}
    return Write(table="records", key=key, checks=tuple(checked), **made)


async def outcome(engine: Engine, write: Write) -> Any:
    """What came of it, in words that both engines share."""
    with metered() as meter:
        try:
            await engine.transact([write])
        except Cancelled as cancelled:
            (reason,) = cancelled.reasons
            return ("condition", reason.item) if reason.is_condition else "invalid"
        except EngineFault:
            return "invalid"
    return ("done", meter.write_units)


async def contents(engine: Engine, place: str) -> Any:
    items = await engine.get([Read("records", Key(place, sort)) for sort in SORTS])
    shown = [await engine.query(Query(table="records", pk=x, index="gsi1")) for x in ("x", "y")]
    mine = [[(i["gsi1sk"], i["sk"]) for i in page.items if i["pk"]["S"] == place] for page in shown]
    return items, [sorted(page, key=str) for page in mine]


@pytest.mark.usefixtures("endpoint")
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=operations)
async def test_both_engines_agree(embedded: DynamoEngine, steps: Any) -> None:
    memory = MemoryEngine()
    place = f"F{next(_partitions)}#FUZZ"

    for sort, checked, change in steps:
        write = a_write(place, sort, checked, change)

        assert await outcome(memory, write) == await outcome(embedded, write), write

    assert await contents(memory, place) == await contents(embedded, place)
    for sort in SORTS:  # leave the shared indexes as they were
        await embedded.transact([Write(table="records", key=Key(place, sort), delete=True)])
