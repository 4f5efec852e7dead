"""Z-08: no key without its tenant, no scan, no raw client: by rule, and asserted at run time."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from infra.memory.engine import MemoryEngine

from courtside.kernel.actor import Principal
from courtside.kernel.journal import Command, Delivered, Entry, Fact, Result, entry
from courtside.kernel.paging import PageRequest
from courtside.modules.meals.store.canteens import CanteenStore
from courtside.platform.clock import SystemClock
from courtside.platform.dynamo.database import Database, Record, Tenant
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.tenancy import NOBODY, ForeignTenant, within
from courtside.platform.dynamo.transaction import Transaction
from courtside.platform.dynamo.values import Key, Write
from courtside.platform.messages import of_fact
from courtside.platform.refused import Refused
from courtside.platform.worker import EventWorker, MessageFailed
from testkit.factories.people import COURT, OTHER_COURT, a_court
from testkit.screens import screens

SOURCE = Path(__file__).resolve().parents[2] / "functions" / "courtside"
PARTITIONS = {"pk", "gsi1pk", "gsi2pk"}
NAMES_COURT = re.compile(r"(^|\.|_)court(\.code)?$|^EVERYBODY$|\.pk$")
MODEL_CALLS = {"batch_write", "batch_get", "refresh", "scan", "rate_limited_scan"}
TABLE_CALLS = {"transact", "put_many", "send_request"}
PLATFORM_ONLY = {"engine", "_engine", "engine_of", "all_items", "Query", "Read"}
CLIENTS = {"aiodynamo", "aiohttp", "boto3", "botocore", "http", "httpx", "requests", "socket"}
CLIENTS |= {"urllib3", "urllib.request", "courtside.platform.connections"}
CLIENTS |= {"courtside.platform.dynamo.aio", "courtside.platform.signing"}
OPENING = {"open_connection", "create_connection", "create_datagram_endpoint"}
ENGINE = "platform/dynamo/"
# Who speaks to something outside: the engine; KMS, SQS and the table of keys, which is read before
# there is an engine; S3; the issuers' keys; Lambda. What each may call is bounded by its role.
RAW = {
    "bootstrap.py",
    "entrypoints/pre_traffic.py",
    "platform/connections.py",
    "platform/signing.py",
    "platform/dynamo/aio.py",
    "platform/aws.py",
    "platform/files.py",
    "platform/vault.py",
    "platform/identity.py",
}
INTERFACE = re.compile(r"DynamoDB_\d{8}|^(Scan|ExecuteStatement|PartiQL|ParallelScan)$")


def findings(source: str, file: str) -> list[str]:
    """What in one file of `courtside` breaks the rule."""
    return [f"{file}:{node.lineno}: {what}" for node, what in _all(ast.parse(source), file)]


def _all(tree: ast.Module, file: str) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call(node, file)
        elif isinstance(node, ast.JoinedStr):
            yield from _text(node, file)
        elif isinstance(node, ast.Constant):
            yield from _constant(node, file)
        elif isinstance(node, ast.Attribute | ast.Name):
            yield from _name(node, file)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _import(node, file)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _assigned(node, file)


def _call(node: ast.Call, file: str) -> Iterator[tuple[ast.expr, str]]:
    called = ast.unparse(node.func)
    name = called.rpartition(".")[2]
    yield from _models(node, called, name)
    if name in TABLE_CALLS and not file.startswith("platform/"):
        yield node, f"{called}: only the platform speaks to the engine"
    if name in OPENING and file not in RAW:
        yield node, f"{called}: a connection of its own"
    if name in {"client", "resource"} and _first(node) == "dynamodb" and file not in RAW:
        yield node, f"{called}: a client of its own"
    if not file.startswith(ENGINE):
        yield from _tenants(node, called, name)
        yield from _keys(node, name)


def _models(node: ast.Call, called: str, name: str) -> Iterator[tuple[ast.expr, str]]:
    if name in MODEL_CALLS and "." in called:
        yield node, f"{called}: items are written by a Transaction and read by a Tenant"
    if name == "save" and not node.args:
        yield node, f"{called}: nothing is saved but by a Transaction"
    if called.rpartition(".")[0].endswith("Item") and name in {"get", "query", "update", "delete"}:
        yield node, f"{called}: item classes speak to no table"


def _tenants(node: ast.Call, called: str, name: str) -> Iterator[tuple[ast.expr, str]]:
    if name == "Tenant":
        yield node, f"{called}: a tenant comes from the Database"
    if called.endswith("database.of") and not _is_court(node.args[0]):
        yield node, f"{called}: the tenant is the actor's, from the token"


def _is_court(value: ast.expr) -> bool:
    return NAMES_COURT.search(ast.unparse(value)) is not None


def _name(node: ast.Attribute | ast.Name, file: str) -> Iterator[tuple[ast.expr, str]]:
    name = node.attr if isinstance(node, ast.Attribute) else node.id
    if name in PLATFORM_ONLY and file.startswith("modules/") and "/store" in file:
        yield node, f"{name}: a store reads as a Tenant and writes in a Transaction"


def _constant(node: ast.Constant, file: str) -> Iterator[tuple[ast.expr, str]]:
    if file not in RAW and isinstance(node.value, str) and INTERFACE.search(node.value):
        yield node, f"{node.value}: the engine alone speaks to tables"


def _assigned(node: ast.Assign | ast.AnnAssign, file: str) -> Iterator[tuple[ast.expr, str]]:
    """What is called a partition on its way into a key begins with the court too."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    named = any(isinstance(target, ast.Name) and target.id in PARTITIONS for target in targets)
    if named and node.value is not None and not file.startswith(ENGINE):
        made = isinstance(node.value, ast.JoinedStr | ast.Constant | ast.BinOp)
        if made and not _is_tenants(node.value):
            yield node.value, f"{ast.unparse(node.value)}: a key begins with the court"


def _keys(node: ast.Call, name: str) -> Iterator[tuple[ast.expr, str]]:
    given = [k.value for k in node.keywords if k.arg in PARTITIONS]
    if name == "Key" and node.args:
        given.append(node.args[0])
    for value in given:
        if not _is_tenants(value):
            yield value, f"{ast.unparse(value)}: a key begins with the court"


def _is_tenants(value: ast.expr) -> bool:
    """Whether a partition is `<court>#…`, another key's, or a parameter that was one."""
    if isinstance(value, ast.JoinedStr):
        return _begins_with_court(value)
    text = ast.unparse(value)
    return text == "pk" or text.endswith((".pk", "['pk']['S']"))


def _begins_with_court(text: ast.JoinedStr) -> bool:
    first, *rest = text.values
    return (
        isinstance(first, ast.FormattedValue)
        and NAMES_COURT.search(ast.unparse(first.value)) is not None
        and bool(rest)
        and isinstance(rest[0], ast.Constant)
        and str(rest[0].value).startswith("#")
    )


def _text(node: ast.JoinedStr, file: str) -> Iterator[tuple[ast.expr, str]]:
    allowed = file.startswith("platform/") or "/store" in file
    if not allowed and _begins_with_court(node):
        yield node, f"{ast.unparse(node)}: keys are made in stores"


def _import(node: ast.Import | ast.ImportFrom, file: str) -> Iterator[tuple[ast.stmt, str]]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
        platform = PLATFORM_ONLY & {alias.name for alias in node.names}
        if platform and file.startswith("modules/"):
            yield node, f"{platform}: a store reads as a Tenant and writes in a Transaction"
    if file not in RAW and any(_is_client(name) for name in names):
        yield node, f"{names[0]}: only the platform's own files speak to anything outside"


def _is_client(name: str) -> bool:
    """Whether the name is a client's or inside one; statuses have no connection."""
    within = name.startswith("http.HTTPStatus")
    return not within and any(name == known or name.startswith(f"{known}.") for known in CLIENTS)


def _first(node: ast.Call) -> object:
    first = node.args[0] if node.args else None
    return first.value if isinstance(first, ast.Constant) else None


class TestRule:
    def test_nothing_of_the_code_breaks_it(self):
        found = [
            line
            for path in SOURCE.rglob("*.py")
            for line in findings(path.read_text("utf-8"), path.relative_to(SOURCE).as_posix())
        ]

        assert found == []

    @pytest.mark.parametrize(
        "planted",
        [
            'OrderItem(pk=f"MEALS#ORDERS#{day}", sk="x")',
            'OrderItem(pk="MEALS#ORDERS", sk="x")',
            'OrderItem(pk=f"{order.diner}#ORDERS", sk="x")',
            'OrderItem(pk=f"{court}MEALS", sk="x")',
            'OrderItem(pk=partition, gsi1pk=f"{court}#CODE#{code}")',
            'OrderItem(pk=f"{court}#A", gsi1pk=f"CODE#{code}")',
            'Key(partition, "x")',
            'Key(f"{person}#A", "x")',
            "OrderItem.query(pk)",
            "OrderItem.get(pk, sk)",
            "item.save()",
            "OrderItem.scan()",
            "model.batch_write()",
            "self._engine.transact(writes)",
            "engine.put_many('records', items)",
            'boto3.client("dynamodb")',
            "from aiodynamo.client import Client",
            "import aiodynamo.client",
            'pk = f"MEALS#ORDERS#{day}"\nfound = tenant.read(pk)',
            'pk = "C999#MEALS"\nkey = Key(pk, "x")',
            'pk = "MEALS#" + day\nitem = OrderItem(pk=pk, sk="x")',
            "found = await self._database.engine.get([key])",
            "found = await self._database._engine.get([key])",
            "from courtside.platform.dynamo.database import Database, engine_of",
            "from courtside.platform.dynamo.values import Query",
            'found = await tenant_of(Query(table="records", pk=pk))',
            'await Tenant("C999", engine, digests).query(OrderItem, partition)',
            'await self._database.of("C999").get(OrderItem, "A", "B")',
            "await self._database.of(request.canteen).get(OrderItem, partition, sort)",
            "import aiohttp",
            "from courtside.platform.connections import Connections",
            "import urllib.request",
            "from http.client import HTTPSConnection",
            "import socket",
            "from courtside.platform.dynamo.aio import DynamoEngine",
            'reader, writer = await asyncio.open_connection("tables", 443)',
            'await self._post({"X-Amz-Target": "DynamoDB_20120810.Scan"})',
            'await self._send("Scan", {})',
        ],
    )
    def test_finds_what_is_planted_in_a_store(self, planted):
        assert len(findings(planted, "modules/meals/store/orders.py")) >= 1

    @pytest.mark.parametrize("file", ["modules/meals/service.py", "modules/meals/gql/orders.py"])
    def test_finds_a_key_that_is_made_outside_a_store(self, file):
        assert len(findings('key = f"{principal.court}#MEALS#{x}"', file)) == 1

    @pytest.mark.parametrize(
        "fine",
        [
            'OrderItem(pk=f"{court}#MEALS#ORDERS#{day}", sk="x")',
            'OrderItem(pk=f"{order.court}#A", gsi1pk=f"{order.court}#CODE#{c}")',
            'Key(f"{EVERYBODY}#COURTS", "x")',
            "Key(item.pk, item.sk)",
            'tenant.get(OrderItem, f"MEALS#ORDERS#{day}", "x")',
            "self._store.save_order(order)",
            "known.get(key)",
            "await self._database.of(court).query(OrderItem, partition)",
            "await self._database.of(job.court).query(OrderItem, partition)",
            'pk = f"{court}#MEALS#{day}"\nitem = OrderItem(pk=pk, sk="x")',
            "_, canteen, day = item.pk.rsplit('#', 2)",
        ],
    )
    def test_leaves_alone_what_is_right(self, fine):
        assert findings(fine, "modules/meals/store/orders.py") == []


class _Digests:
    def digest(self, court: str, purpose: str, data: bytes) -> bytes:
        return bytes(32)


def _entry(court: str) -> Entry:
    who = Principal(court=court, person="P", client="web")
    command = Command(principal=who, operation="test.do", key="k", request={})
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return entry(command, now=now, result=Result(kind="Test", id="1"))


class TestAtRunTime:
    @pytest.mark.parametrize("court", ["", "#", "A#B", "BJ01#J"])
    def test_there_is_no_tenant_but_a_court(self, court):
        with pytest.raises(ValueError, match="court"):
            Tenant(court, MemoryEngine(), _Digests())

    @pytest.mark.parametrize("pk", ["GD02#MEALS", "BJ01", "BJ011#MEALS", "MEALS#BJ01#", "", "_#X"])
    def test_a_transaction_takes_no_key_of_another_tenant(self, pk):
        transaction = Transaction(MemoryEngine(), SystemClock(), _Digests(), _entry("BJ01"))

        with pytest.raises(ValueError, match="outside the tenant BJ01#"):
            transaction.add(Write(table="records", key=Key(pk, "x"), put={}))

    @pytest.mark.parametrize("read", ["get", "query", "query_mixed", "page"])
    async def test_a_tenant_reads_no_key_of_another(self, monkeypatch, read):
        tenant = Tenant("BJ01", MemoryEngine(), _Digests())
        mistaken = lambda _, partition, sort: Key(f"GD02#{partition}", sort)  # noqa: E731
        monkeypatch.setattr(Tenant, "key", mistaken)
        asked = {
            "get": lambda: tenant.get(Record, "MEALS", "x"),
            "query": lambda: tenant.query(Record, "MEALS"),
            "query_mixed": lambda: tenant.query_mixed({"": Record}, "MEALS"),
            "page": lambda: tenant.page(Record, "MEALS", PageRequest(first=10)),
        }

        with metered() as meter, pytest.raises(ForeignTenant):
            await asked[read]()

        assert meter.calls == 0

    async def test_work_for_one_court_opens_no_other_s_tables(self):
        database = Database(MemoryEngine(), clock=SystemClock(), digests=_Digests())

        with within("BJ01"):
            database.of("BJ01")
            with pytest.raises(ForeignTenant):
                database.of("GD02")
            with pytest.raises(ForeignTenant):
                database.transaction(_entry("GD02"))
        with within(NOBODY), pytest.raises(ForeignTenant):
            database.of("BJ01")

    async def test_a_service_that_takes_the_court_from_its_input_is_stopped_at_the_door(
        self, app, court, monkeypatch
    ):
        """The broken twin of a service: it asks another court's canteens for the caller's."""
        await a_court(app, code=OTHER_COURT)
        await court.somebody(staff_no="J1")
        before = app.engine.dump()
        honest = CanteenStore.list_canteens

        async def curious(store, _):
            return await honest(store, OTHER_COURT)

        monkeypatch.setattr(CanteenStore, "list_canteens", curious)
        served = screens(app)
        answer = await served.of("J1", court=COURT).show("Canteens")

        assert answer.codes == ["INTERNAL"]
        assert {type(fault) for fault in served.watched.faults} == {ForeignTenant}
        assert app.engine.dump() == before

    async def test_a_consumer_works_for_the_court_of_its_fact(self, app, court):
        """The broken twin of a consumer: it reaches for the first court it finds."""
        tried = []

        async def curious(delivered, now):
            app.app.database.of(COURT)
            tried.append("own")
            app.app.database.of(OTHER_COURT)
            tried.append("other")

        worker = EventWorker(
            {"people.unit_added.v1": [curious]},
            refused=Refused(app.app.database),
            clock=app.clock,
            signals=app.signals,
        )
        fact = Fact(name="people.unit_added.v1", aggregate="Unit:1", version=1, state={})
        told = Delivered(court=COURT, id="E#0", at=app.clock.now(), depth=0, fact=fact)

        with pytest.raises(MessageFailed):
            await worker.take(json.dumps(of_fact(told)))

        assert tried == ["own"]
