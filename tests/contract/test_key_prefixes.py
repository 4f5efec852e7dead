"""Z-08: no key without its tenant, no scan, no raw client: by rule, and asserted at run time."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from courtside.kernel.actor import Principal
from courtside.kernel.journal import Command, Result, entry
from courtside.platform.clock import SystemClock
from courtside.platform.dynamo.database import Tenant
from courtside.platform.dynamo.transaction import Transaction
from courtside.platform.dynamo.values import Key, Write
from testkit.engine import MemoryEngine

SOURCE = Path(__file__).resolve().parents[2] / "functions" / "courtside"
PARTITIONS = {"pk", "gsi1pk", "gsi2pk"}
COURT = re.compile(r"(^|\.|_)court(\.code)?$|^EVERYBODY$|\.pk$")
MODEL_CALLS = {"batch_write", "batch_get", "refresh", "scan", "rate_limited_scan"}
TABLE_CALLS = {"transact", "put_many", "send_request"}
CLIENTS = {"aiodynamo"}
# The one engine, and the keys that are read before there is an engine.
ENGINE = "platform/dynamo/"
RAW = {"platform/dynamo/aio.py", "platform/crypto.py"}


def findings(source: str, file: str) -> list[str]:
    """What in one file of `courtside` breaks the rule."""
    return [f"{file}:{node.lineno}: {what}" for node, what in _all(ast.parse(source), file)]


def _all(tree: ast.Module, file: str) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call(node, file)
        elif isinstance(node, ast.JoinedStr):
            yield from _text(node, file)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _import(node, file)


def _call(node: ast.Call, file: str) -> Iterator[tuple[ast.expr, str]]:
    called = ast.unparse(node.func)
    name = called.rpartition(".")[2]
    if name in MODEL_CALLS and "." in called:
        yield node, f"{called}: items are written by a Transaction and read by a Tenant"
    if name == "save" and not node.args:
        yield node, f"{called}: nothing is saved but by a Transaction"
    if called.rpartition(".")[0].endswith("Item") and name in {"get", "query", "update", "delete"}:
        yield node, f"{called}: item classes speak to no table"
    if name in TABLE_CALLS and not file.startswith("platform/"):
        yield node, f"{called}: only the platform speaks to the engine"
    if name in {"client", "resource"} and _first(node) == "dynamodb" and file not in RAW:
        yield node, f"{called}: a client of its own"
    if not file.startswith(ENGINE):
        yield from _keys(node, name)


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
        and COURT.search(ast.unparse(first.value)) is not None
        and bool(rest)
        and isinstance(rest[0], ast.Constant)
        and str(rest[0].value).startswith("#")
    )


def _text(node: ast.JoinedStr, file: str) -> Iterator[tuple[ast.expr, str]]:
    allowed = file.startswith("platform/") or "/store" in file
    if not allowed and _begins_with_court(node):
        yield node, f"{ast.unparse(node)}: keys are made in stores"


def _import(node: ast.Import | ast.ImportFrom, file: str) -> Iterator[tuple[ast.stmt, str]]:
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    if file not in RAW and any(name.partition(".")[0] in CLIENTS for name in names):
        yield node, f"{names[0]}: the engine alone speaks to tables"


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
        ],
    )
    def test_leaves_alone_what_is_right(self, fine):
        assert findings(fine, "modules/meals/store/orders.py") == []


class _Digests:
    def digest(self, court: str, purpose: str, data: bytes) -> bytes:
        return bytes(32)


class TestAtRunTime:
    @pytest.mark.parametrize("court", ["", "#", "A#B", "BJ01#J"])
    def test_there_is_no_tenant_but_a_court(self, court):
        with pytest.raises(ValueError, match="court"):
            Tenant(court, MemoryEngine(), _Digests())

    @pytest.mark.parametrize("pk", ["GD02#MEALS", "BJ01", "BJ011#MEALS", "MEALS#BJ01#", "", "_#X"])
    def test_a_transaction_takes_no_key_of_another_tenant(self, pk):
        who = Principal(court="BJ01", person="P", client="web")
        command = Command(principal=who, operation="test.do", key="k", request={})
        now = datetime(2026, 3, 2, tzinfo=UTC)
        written = entry(command, now=now, result=Result(kind="Test", id="1"))
        transaction = Transaction(MemoryEngine(), SystemClock(), _Digests(), written)

        with pytest.raises(ValueError, match="outside the tenant BJ01#"):
            transaction.add(Write(table="records", key=Key(pk, "x"), put={}))
