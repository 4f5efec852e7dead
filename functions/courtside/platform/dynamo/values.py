"""What is read and written, as values: one engine translates them, the other evaluates them.

Items travel as DynamoDB attribute values (`{"S": "…"}`), as pynamodb's item classes make and take
them. Conditions and additions take plain `str`, `int` and `bool`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple

AttributeValue = Mapping[str, Any]
Item = Mapping[str, AttributeValue]


class Now(Enum):
    """Stands for the instant of the attempt; the transaction fills it in afresh for each."""

    NOW = "now"


NOW: Final = Now.NOW
AT_NOW: Final[AttributeValue] = {"S": NOW}  # that instant as an attribute to be set
Plain = str | int | bool


def instant(at: datetime) -> str:
    """An instant as stored: UTC, microseconds, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Op(StrEnum):
    """Comparisons of a check; all checks of a write must hold."""

    EQ = "="
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EXISTS = "exists"
    ABSENT = "absent"


class Key(NamedTuple):
    """Partition and sort key; the partition begins with the court."""

    pk: str
    sk: str


class Check(NamedTuple):
    """A condition on one attribute; one that is missing fails every comparison but NE, ABSENT."""

    name: str
    op: Op
    value: Plain | Now | None = None

    def operand(self) -> AttributeValue:
        """The value compared with, as an attribute; NOW must have been filled in."""
        if self.value is NOW:
            raise TypeError(f"{self.name}: NOW stands only in writes of a transaction")
        return attribute(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write of a transaction: `put` a whole item, or `set`, `add` and `remove` attributes, or,
    with none of these, only check. `by` names the writer for errors that two writes meet."""

    table: str
    key: Key
    checks: tuple[Check, ...] = ()
    put: Item | None = None
    set: Mapping[str, AttributeValue] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    delete: bool = False
    by: str = ""


class Read(NamedTuple):
    """One item to get."""

    table: str
    key: Key
    consistent: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Items of one partition in order of their sort key, of a table or one of its indexes.

    `begins` limits to a prefix, `low` and `high` to an inclusive range; `start` is the `last` of an
    earlier page. Only a table can be read consistently.
    """

    table: str
    pk: str
    begins: str | None = None
    low: str | None = None
    high: str | None = None
    index: str | None = None
    limit: int | None = None
    forward: bool = True
    consistent: bool = False
    start: Item | None = None


class Slice(NamedTuple):
    """Items of a query and, if more follow, where to go on."""

    items: list[Item]
    last: Item | None


def plain(value: AttributeValue) -> Any:
    """The plain Python value of an attribute: str, int, bool, list, dict or None."""
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return int(inner)
        case "M":
            return {name: plain(v) for name, v in inner.items()}
        case "L":
            return [plain(v) for v in inner]
        case "NULL":
            return None
        case _:
            return inner


def attribute(value: Plain | None) -> AttributeValue:
    """A plain value as an attribute."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"S": value}
