"""What DynamoDB computes of one item: its conditions, its updates, its size."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from courtside.platform.dynamo.values import (
    AttributeValue,
    Check,
    Item,
    Op,
    Write,
)

MAX_ITEM = 400 * 1024
WRITE_UNIT = 1024
READ_UNIT = 4096
_LONGEST_PK, _LONGEST_SK = 2048, 1024  # bytes
_KEYS = {"pk", "sk"}


class Invalid(Exception):
    """What DynamoDB answers with a ValidationException."""


def holds(check: Check, item: Item | None) -> bool:
    """Whether the stored item (None: there is none) meets the check."""
    found = None if item is None else item.get(check.name)
    if check.op in (Op.EXISTS, Op.ABSENT):
        return (found is None) == (check.op is Op.ABSENT)
    wanted = check.operand()
    if check.op in (Op.EQ, Op.NE):
        same = found is not None and _comparable(found) == _comparable(wanted)
        return same == (check.op is Op.EQ)
    return found is not None and _in_order(check.op, _comparable(found), _comparable(wanted))


def validate(write: Write) -> None:
    """Refuse what DynamoDB refuses before it looks at any item."""
    changes = [*write.set, *write.add, *write.remove]
    kinds = [write.put is not None, write.delete, bool(changes)]
    if sum(kinds) > 1:
        raise Invalid("one of put, delete and update")
    if not any(kinds) and not write.checks:
        raise Invalid("a check without a condition")
    if len(set(changes)) < len(changes):
        raise Invalid("two updates of one attribute overlap")
    if _KEYS & set(changes):
        raise Invalid("an update of the key")
    if any(c.op in _ORDERED and isinstance(c.value, bool) for c in write.checks):
        raise Invalid("booleans have no order")
    validate_key(write.key.pk, write.key.sk)
    if write.put is not None:
        validate_item(write.put)
        if (write.put["pk"], write.put["sk"]) != ({"S": write.key.pk}, {"S": write.key.sk}):
            raise Invalid("the item has another key")


def validate_key(pk: str, sk: str) -> None:
    if not (0 < len(pk.encode()) <= _LONGEST_PK and 0 < len(sk.encode()) <= _LONGEST_SK):
        raise Invalid("a key is empty or too long")


def validate_item(item: Item) -> None:
    if size(item) > MAX_ITEM:
        raise Invalid("Item size has exceeded the maximum allowed size")


def updated(write: Write, item: Item | None) -> Item:
    """The item after `set`, `add` and `remove`; an addition begins at zero."""
    after = dict(item or {"pk": {"S": write.key.pk}, "sk": {"S": write.key.sk}})
    after.update(write.set)
    for name, amount in write.add.items():
        before = after.get(name, {"N": "0"})
        if "N" not in before:
            raise Invalid("an addition to what is no number")
        after[name] = {"N": _number(Decimal(before["N"]) + amount)}
    for name in write.remove:
        after.pop(name, None)
    validate_item(after)
    return after


def size(item: Mapping[str, AttributeValue]) -> int:
    """Bytes of an item as DynamoDB counts them."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def units(size_in_bytes: int, unit: int) -> int:
    """Capacity units of so many bytes: begun units count, and nothing counts as one."""
    return max(1, math.ceil(size_in_bytes / unit))


def _value_size(value: AttributeValue) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S" | "B":
            return len(inner.encode())
        case "N":
            digits = Decimal(inner).normalize().as_tuple()
            return (len(digits.digits) + 1) // 2 + 1 + digits.sign
        case "M":
            return 3 + size(inner) + len(inner)
        case "L":
            return 3 + sum(_value_size(v) + 1 for v in inner)
        case _:
            return 1


_ORDERED = (Op.LT, Op.LE, Op.GT, Op.GE)


def _comparable(value: AttributeValue) -> tuple[str, Any]:
    ((kind, inner),) = value.items()
    return kind, Decimal(inner) if kind == "N" else inner


def _in_order(op: Op, left: tuple[str, Any], right: tuple[str, Any]) -> bool:
    if left[0] != right[0]:
        return False
    match op:
        case Op.LT:
            return bool(left[1] < right[1])
        case Op.LE:
            return bool(left[1] <= right[1])
        case Op.GT:
            return bool(left[1] > right[1])
        case _:
            return bool(left[1] >= right[1])


def _number(value: Decimal) -> str:
    return format(value.normalize() if value else Decimal(0), "f")


def only(item: Item, names: Iterable[str]) -> Item:
    """The item with these attributes alone."""
    return {name: item[name] for name in names if name in item}
