"""The tables as one court sees them: no key leaves here that does not begin with the court."""

import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple, TypeVar

from pynamodb.attributes import Attribute, NumberAttribute, UnicodeAttribute

from courtside.kernel.actor import EVERYBODY
from courtside.kernel.errors import InvalidInput, Text
from courtside.kernel.journal import Entry
from courtside.kernel.paging import MAX_PAGE, Page, PageRequest
from courtside.platform.clock import Clock
from courtside.platform.dynamo import cursors, tenancy
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.journal import Digests, JournalReader
from courtside.platform.dynamo.tenancy import ForeignTenant
from courtside.platform.dynamo.transaction import Transaction
from courtside.platform.dynamo.values import (
    AttributeValue,
    Check,
    Item,
    Key,
    Op,
    Query,
    Read,
    Slice,
    Write,
)

RECORDS = "records"


class _Column(NamedTuple):
    """An attribute of an item class: its name, its stored name, and its way in and out."""

    name: str
    stored: str
    read: Callable[[AttributeValue], Any]
    write: Callable[[Any], AttributeValue]
    required: bool


def _column(name: str, each: Attribute[Any]) -> _Column:
    """Texts and numbers, which nearly all are, go without pynamodb's detours."""
    ways: dict[type, tuple[Callable[[Any], Any], Callable[[Any], AttributeValue]]] = {
        UnicodeAttribute: (itemgetter("S"), lambda value: {"S": value}),
        NumberAttribute: (lambda stored: int(stored["N"]), lambda value: {"N": str(value)}),
    }
    usual = (
        lambda stored: each.deserialize(each.get_value(dict(stored))),
        lambda value: {each.attr_type: each.serialize(value)},
    )
    return _Column(name, each.attr_name, *ways.get(type(each), usual), required=not each.null)


class Record:
    """Base of every item class: the two key attributes. `table` is the logical table name.

    A class declares its attributes as pynamodb's, which know how they are stored. Its instances are
    plain objects with plain values: a screen reads hundreds of them (docs/adr/0044).
    """

    table: ClassVar[str] = RECORDS
    attributes: ClassVar[Mapping[str, Attribute[Any]]] = {
        "pk": UnicodeAttribute(attr_name="pk"),
        "sk": UnicodeAttribute(attr_name="sk"),
    }
    columns: ClassVar[Sequence["_Column"]] = ()

    pk: str
    sk: str

    def __init_subclass__(cls) -> None:
        """Keep the declared attributes aside and leave their defaults in their places."""
        declared = {n: each for n, each in vars(cls).items() if isinstance(each, Attribute)}
        cls.attributes = {**cls.attributes, **declared}
        for name, each in declared.items():
            if callable(each.default):
                raise TypeError(f"{cls.__name__}.{name}: a default is a value, not a function")
            setattr(cls, name, each.default)
        cls.columns = [_column(name, each) for name, each in cls.attributes.items()]

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - self.attributes.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    @property
    def key(self) -> Key:
        return Key(self.pk, self.sk)

    def serialize(self) -> dict[str, AttributeValue]:
        """The item as stored. ValueError names an attribute that must have a value."""
        item = {}
        for column in self.columns:
            value = getattr(self, column.name, None)
            if value is not None:
                item[column.stored] = column.write(value)
            elif column.required:
                raise ValueError(f"{type(self).__name__}.{column.name} must have a value")
        return item


class Versioned(Record):
    """An item class whose writes are guarded by `version`, which begins at 1."""

    version = NumberAttribute()


R = TypeVar("R", bound=Record)


class Tenant:
    """One court's view of the tables. Keys are made here and nowhere else, and none is read that
    does not begin with the court."""

    def __init__(self, court: str, engine: Engine, digests: Digests) -> None:
        if not court or "#" in court:
            raise ValueError("a tenant is a court's code")
        self.court = court
        self._prefix = f"{court}#"
        self._engine = engine
        self._digests = digests

    def key(self, partition: str, sort: str) -> Key:
        """A key of this court: `<COURT>#<partition>` / `<sort>`."""
        return Key(f"{self.court}#{partition}", sort)

    async def get(self, kind: type[R], partition: str, sort: str) -> R | None:
        """One item, consistently read; gets asked for together travel together."""
        (found,) = await self.get_many(kind, [(partition, sort)])
        return found

    async def get_many(
        self, kind: type[R], keys: Sequence[tuple[str, str]], *, consistent: bool = True
    ) -> list[R | None]:
        """Items in the order asked, None where there is none."""
        return await self.get_mixed([(kind, p, s) for p, s in keys], consistent=consistent)

    async def get_mixed(
        self, wanted: Sequence[tuple[type[Record], str, str]], *, consistent: bool = True
    ) -> list[Any]:
        """Items of several classes in the order asked, None where there is none."""
        if not wanted:
            return []
        reads = [Read(kind.table, self.key(p, s), consistent) for kind, p, s in wanted]
        for read in reads:
            self._refuse_others(read.key.pk)
        items = await self._engine.get(reads)
        return [
            None if item is None else load(kind, item)
            for (kind, _, _), item in zip(wanted, items, strict=True)
        ]

    async def query(  # noqa: PLR0913 - each is one part of a DynamoDB query
        self,
        kind: type[R],
        partition: str,
        *,
        begins: str | None = None,
        low: str | None = None,
        high: str | None = None,
        index: str | None = None,
        consistent: bool = False,
        forward: bool = True,
    ) -> list[R]:
        """All items of a partition or a range of it, page after page."""
        query = Query(
            table=kind.table,
            pk=self.key(partition, "").pk,
            begins=begins,
            low=low,
            high=high,
            index=index,
            consistent=consistent,
            forward=forward,
        )
        return [load(kind, item) for item in await self._all(query)]

    async def query_mixed(
        self, kinds: Mapping[str, type[Record]], partition: str, *, consistent: bool = False
    ) -> list[Record]:
        """All items of a partition in which several item classes live together: each by the key of
        `kinds` with which its sort key begins, the longest that fits. LookupError if none does."""
        tables = {kind.table for kind in kinds.values()}
        (table,) = tables
        query = Query(table=table, pk=self.key(partition, "").pk, consistent=consistent)
        return [load(_kind_of(item, kinds), item) for item in await self._all(query)]

    async def page(
        self,
        kind: type[R],
        partition: str,
        request: PageRequest,
        *,
        begins: str | None = None,
        forward: bool = True,
    ) -> Page[R]:
        """One page of a partition, at most 100 items, with a cursor for each."""
        if not 1 <= request.first <= MAX_PAGE:
            reason = Text(zh="每页 1 到 100 条", en="1 to 100 a page")
            raise InvalidInput(field="first", reason=reason, path=("first",))
        pk = self.key(partition, "").pk
        self._refuse_others(pk)
        scope = f"{kind.table}\n{pk}\n{begins or ''}"
        secret = self._digests.digest(self.court, "cursors", b"")
        start = None
        if request.after is not None:
            sort = cursors.decode(scope, request.after, secret=secret)
            start = {"pk": {"S": pk}, "sk": {"S": sort}}
        found = await self._engine.query(
            Query(
                table=kind.table,
                pk=pk,
                begins=begins,
                limit=request.first + 1,  # one more tells whether anything follows
                forward=forward,
                start=start,
            )
        )
        shown = found.items[: request.first]
        marks = [cursors.encode(scope, i["sk"]["S"], secret=secret) for i in shown]
        more = len(found.items) > len(shown) or found.last is not None
        return Page(items=[load(kind, item) for item in shown], cursors=marks, more=more)

    async def _all(self, query: Query) -> list[Item]:
        self._refuse_others(query.pk)
        return [item async for item in all_items(self._engine, query)]

    def _refuse_others(self, pk: str) -> None:
        if not pk.startswith(self._prefix):
            raise ForeignTenant(f"a tenant {self.court} was asked for {pk.partition('#')[0]}")


class Database:
    """What a store is given: tenants to read, transactions to write, the journal to recall."""

    def __init__(self, engine: Engine, *, clock: Clock, digests: Digests) -> None:
        self._engine = engine
        self.clock = clock
        self.digests = digests
        self.journal = JournalReader(engine, digests)

    def of(self, court: str) -> Tenant:
        """The tables as `court` may see them; ForeignTenant while another court is worked for."""
        tenancy.check(court)
        return Tenant(court, self._engine, self.digests)

    def everybody(self) -> Tenant:
        """What belongs to no court and may be read by all."""
        return Tenant(EVERYBODY, self._engine, self.digests)

    def transaction(self, entry: Entry) -> Transaction:
        """The one transaction of a use case; ForeignTenant as with `of`."""
        tenancy.check(entry.command.court)
        return Transaction(self._engine, self.clock, self.digests, entry)


def engine_of(database: Database) -> Engine:
    """The engine below, for the platform's own work on what is derived; no module asks for it."""
    return database._engine  # noqa: SLF001 - the one door to it


def _kind_of(item: Item, kinds: Mapping[str, type[Record]]) -> type[Record]:
    sort = item["sk"]["S"]
    fitting = [prefix for prefix in kinds if sort.startswith(prefix)]
    if not fitting:
        raise LookupError("an item of no known class")
    return kinds[max(fitting, key=len)]


async def all_items(engine: Engine, query: Query) -> AsyncIterator[Item]:
    """Every item of a query, across its 1 MB pages."""
    found: Slice = await engine.query(query)
    while True:
        for item in found.items:
            yield item
        if found.last is None:
            return
        found = await engine.query(dataclasses.replace(query, start=found.last))


def load(kind: type[R], item: Item) -> R:
    """A record of stored attribute values; those that the class does not know are left out."""
    record = kind.__new__(kind)
    values = record.__dict__
    for name, stored, read, _, _ in kind.columns:
        value = item.get(stored)
        if value is not None and "NULL" not in value:
            values[name] = read(value)
    return record


def create(record: Record, *, by: str) -> Write:
    """Put an item that must not exist yet."""
    absent = (Check("pk", Op.ABSENT),)
    return Write(table=record.table, key=record.key, checks=absent, put=record.serialize(), by=by)


def replace(record: Versioned, *, by: str) -> Write:
    """Put the next version of an item: the stored one must be exactly one version behind.

    Version 1 must not exist yet.
    """
    if record.version == 1:
        return create(record, by=by)
    checks = (Check("version", Op.EQ, int(record.version) - 1),)
    return Write(table=record.table, key=record.key, checks=checks, put=record.serialize(), by=by)
