"""Writes and queries in DynamoDB's own words. Shapes repeat, so their text is made once."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from courtside.platform.dynamo.values import Op, Query, Write

# The key attributes of each index, as `template.yaml` defines them (a test compares the two).
INDEX_KEYS = {"gsi1": ("gsi1pk", "gsi1sk"), "gsi2": ("gsi2pk", "gsi2sk"), "day": ("dp", "ds")}
_UNARY = {Op.EXISTS: "attribute_exists", Op.ABSENT: "attribute_not_exists"}


class _Shape(NamedTuple):
    """All of a write but its values."""

    checks: tuple[tuple[str, Op], ...]
    set: tuple[str, ...]
    add: tuple[str, ...]
    remove: tuple[str, ...]


class _Expressions(NamedTuple):
    condition: str
    update: str
    names: dict[str, str]


def operation(write: Write, table: str) -> dict[str, Any]:
    """One entry of TransactItems; a failed condition answers with the stored item."""
    shape = _Shape(
        tuple((c.name, c.op) for c in write.checks),
        tuple(write.set),
        tuple(write.add),
        write.remove,
    )
    texts = _expressions(shape)
    request: dict[str, Any] = {"TableName": table}
    if texts.condition:
        request["ConditionExpression"] = texts.condition
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if texts.names:
        request["ExpressionAttributeNames"] = texts.names
    values = _values(write)
    if values:
        request["ExpressionAttributeValues"] = values
    return _named(write, request, texts.update)


def query(query: Query, table: str) -> dict[str, Any]:
    """The payload of Query."""
    pk, sk = ("pk", "sk") if query.index is None else INDEX_KEYS[query.index]
    condition, values = _range(query, sk)
    values[":p"] = {"S": query.pk}
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": f"{pk} = :p{condition}",
        "ExpressionAttributeValues": values,
        "ScanIndexForward": query.forward,
        "ConsistentRead": query.consistent,
        "ReturnConsumedCapacity": "TOTAL",
    }
    optional = {
        "IndexName": query.index,
        "Limit": query.limit,
        "ExclusiveStartKey": query.start,
    }
    return request | {name: value for name, value in optional.items() if value is not None}


def _named(write: Write, request: dict[str, Any], update: str) -> dict[str, Any]:
    if write.put is not None:
        request["Item"] = write.put
        return {"Put": request}
    request["Key"] = {"pk": {"S": write.key.pk}, "sk": {"S": write.key.sk}}
    if write.delete:
        return {"Delete": request}
    if not update:
        return {"ConditionCheck": request}
    request["UpdateExpression"] = update
    return {"Update": request}


def _values(write: Write) -> dict[str, Mapping[str, Any]]:
    """By the position of their mention, which the expressions count alike."""
    found = [c.operand() for c in write.checks if c.op not in _UNARY]
    found += write.set.values()
    found += ({"N": str(amount)} for amount in write.add.values())
    return {f":{n}": value for n, value in enumerate(found)}


@lru_cache(maxsize=1024)
def _expressions(shape: _Shape) -> _Expressions:
    mentioned = [name for name, _ in shape.checks]
    mentioned += [*shape.set, *shape.add, *shape.remove]
    marks = {name: f"#{n}" for n, name in enumerate(dict.fromkeys(mentioned))}
    compared = sum(op not in _UNARY for _, op in shape.checks)
    return _Expressions(
        condition=_condition(shape, marks),
        update=_update(shape, marks, first=compared),
        names={mark: name for name, mark in marks.items()},
    )


def _condition(shape: _Shape, marks: Mapping[str, str]) -> str:
    terms = []
    position = 0
    for name, op in shape.checks:
        if op in _UNARY:
            terms.append(f"{_UNARY[op]}({marks[name]})")
        else:
            terms.append(f"{marks[name]} {op.value} :{position}")
            position += 1
    return " AND ".join(terms)


def _update(shape: _Shape, marks: Mapping[str, str], *, first: int) -> str:
    sets = [f"{marks[name]} = :{first + n}" for n, name in enumerate(shape.set)]
    first += len(sets)
    adds = [f"{marks[name]} :{first + n}" for n, name in enumerate(shape.add)]
    removes = [marks[name] for name in shape.remove]
    clauses = {"SET": sets, "ADD": adds, "REMOVE": removes}
    return " ".join(f"{verb} {', '.join(terms)}" for verb, terms in clauses.items() if terms)


def _range(query: Query, sk: str) -> tuple[str, dict[str, Any]]:
    bounds = {":b": query.begins, ":l": query.low, ":h": query.high}
    given = {mark: {"S": text} for mark, text in bounds.items() if text is not None}
    match tuple(given):
        case ():
            return "", {}
        case (":b",):
            return f" AND begins_with({sk}, :b)", given
        case (":l", ":h"):
            return f" AND {sk} BETWEEN :l AND :h", given
        case (":l",):
            return f" AND {sk} >= :l", given
        case (":h",):
            return f" AND {sk} <= :h", given
        case _:
            raise ValueError("one condition on the sort key: a prefix or a range")
