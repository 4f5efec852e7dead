"""G-14: an exception of any layer is one constant sentence with a correlation id."""

import json
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any, NewType

import pytest
import strawberry
from graphql import GraphQLError, ValidationRule
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import MaskErrors
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig

from courtside.kernel.errors import Busy, NotFound, Text
from courtside.platform.gql.execution import Schema
from courtside.platform.gql.payloads import Info, Payload, PlainError, mutation, query
from courtside.platform.gql.view import View
from testkit.graphql import Client

CANARY = "张三110101199003077777"
Fragile = NewType("Fragile", str)
Brittle = NewType("Brittle", str)


class Broken(Exception):
    """Says the canary however it is asked."""

    message = CANARY

    def __str__(self) -> str:
        return CANARY

    __repr__ = __str__


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise Broken


class Telling:
    """A value whose repr is the canary."""

    def __repr__(self) -> str:
        return CANARY


def fail(*_: object) -> Any:
    raise Broken(CANARY)


class Colour(Enum):
    RED = "red"


strawberry.enum(Colour)


class Gate(BasePermission):
    message = "closed"

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return bool(fail())


@strawberry.interface
class Shape:
    name: str

    @classmethod
    def resolve_type(cls, value: Any, *_: Any) -> str:
        return str(fail())


@strawberry.type
class Circle(Shape):
    pass


@strawberry.input
class Order:
    note: str = ""

    def __post_init__(self) -> None:
        if self.note == "break":
            fail()


@strawberry.type
class Inner:
    @strawberry.field
    def broken(self) -> str:
        return str(fail())


@strawberry.type
class Done(Payload):
    note: str | None = None


async def load(keys: list[str]) -> list[str]:
    return list(fail(keys))


@strawberry.type
class Query:
    @strawberry.field
    def plain(self) -> str:
        return str(fail())

    @strawberry.field
    async def later(self) -> str:
        return str(fail())

    @strawberry.field
    def graphql(self) -> str:
        raise GraphQLError(CANARY)

    @strawberry.field
    def unspeakable(self) -> str:
        raise Unspeakable

    @strawberry.field
    def group(self) -> str:
        raise ExceptionGroup(CANARY, [Broken(), ValueError(CANARY)])

    @strawberry.field
    def chained(self) -> str:
        try:
            fail()
        except Broken as broken:
            raise ValueError(CANARY) from broken
        return ""

    @strawberry.field
    def recursion(self) -> str:
        raise RecursionError(CANARY)

    @strawberry.field
    def timeout(self) -> str:
        raise TimeoutError(CANARY)

    @strawberry.field
    def number(self) -> int:
        return Telling()  # type: ignore[return-value]

    @strawberry.field
    def colour(self) -> Colour:
        return Telling()  # type: ignore[return-value]

    @strawberry.field
    def missing(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def listed(self) -> list[str]:
        return Telling()  # type: ignore[return-value]

    @strawberry.field
    def inner(self) -> Inner | None:
        return Inner()

    @strawberry.field
    def shape(self) -> Shape:
        return Circle(name="c")

    @strawberry.field(permission_classes=[Gate])
    def gated(self) -> str:
        return ""

    @strawberry.field
    async def loaded(self) -> str:
        return await DataLoader(load_fn=load).load("1")

    @strawberry.field
    def out(self) -> Fragile:
        return Fragile("x")

    @strawberry.field
    def into(self, value: Fragile) -> str:
        return value

    @strawberry.field
    def order(self, given: Order) -> str:
        return given.note

    @strawberry.field
    def defaulted(self, value: Brittle = Brittle("x")) -> str:
        return value

    @strawberry.field
    def unwritable(self) -> Brittle:
        return Telling()  # type: ignore[return-value]

    @query("test.refused", description="-")
    async def refused(self, info: Info) -> str:
        raise NotFound(kind=Text(zh="订单", en="order"))

    @query("test.busy", description="-")
    async def busy(self, info: Info) -> str:
        raise Busy


@strawberry.type
class Mutation:
    @mutation("test.undeclared", refuses=(), description="-")
    async def undeclared(self, info: Info) -> Done:
        fail()
        return Done()

    @mutation("test.audited", refuses=(), description="-")
    async def audited(self, info: Info) -> Done:
        from courtside.kernel.errors import NotPermitted

        raise NotPermitted(operation="test.audited")


SCALARS = {
    Fragile: strawberry.scalar(name="Fragile", serialize=fail, parse_value=fail),
    Brittle: strawberry.scalar(name="Brittle", serialize=lambda it: it, parse_value=fail),
}


def make(kind: type[strawberry.Schema], *extensions: Any) -> Any:
    return kind(
        query=Query,
        mutation=Mutation,
        types=[Circle, PlainError],
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=list(extensions),
    )


FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        name: (f"{{{name}}}", {})
        for name in (
            "plain",
            "later",
            "graphql",
            "unspeakable",
            "group",
            "chained",
            "recursion",
            "timeout",
            "number",
            "colour",
            "missing",
            "listed",
            "gated",
            "loaded",
            "out",
            "unwritable",
        )
    },
    "a nested field": ("{inner{broken}}", {}),
    "an interface": ("{shape{name}}", {}),
    "an input's constructor": ('{order(given:{note:"break"})}', {}),
    "a scalar from a literal": ('{into(value:"x")}', {}),
    "a scalar from a variable": ("query($v:Fragile!){into(value:$v)}", {"v": "x"}),
    "a scalar from a list": ("query($v:Fragile!){into(value:$v)}", {"v": ["x"]}),
    "a scalar's default in a document": ('query($v:Fragile="x"){into(value:$v)}', {}),
    "a second scalar from a literal": ('{defaulted(value:"x")}', {}),
    "a mutation": ("mutation{undeclared{note}}", {}),
    "two fields at once": ("{plain later}", {}),
}


@pytest.fixture
def fragile(served, web) -> Client:
    """A client of a schema in which everything breaks."""
    web.view = View(make(Schema), served[0]._door)
    return web


def broken_rule(*_: object) -> Any:
    class Rule(ValidationRule):
        def enter_field(self, *_: object) -> None:
            fail()

    return Rule


class TestFaults:
    """G-14."""

    @pytest.mark.parametrize("name", FIELDS)
    async def test_says_nothing_of_a_fault(self, fragile, watched, name):
        text, variables = FIELDS[name]

        answer = await fragile.run(text, variables)

        assert CANARY not in answer.raw.decode()
        assert set(answer.codes) == {"INTERNAL"}
        said = {error["extensions"]["correlation"] for error in answer.body["errors"]}
        assert said == {answer.headers["x-correlation-id"]}
        assert watched.faults
        assert watched.lines[-1].outcome == "INTERNAL"

    @pytest.mark.parametrize(
        "layer", ["identity", "documents", "preparation", "clock-free context", "audit"]
    )
    async def test_says_nothing_of_a_fault_around_the_document(
        self, fragile, watched, monkeypatch, layer
    ):
        door = fragile.view._door
        sent: Callable[[], Any] = lambda: fragile.run("{inner{__typename}}")  # noqa: E731
        if layer == "identity":
            monkeypatch.setattr(type(door.identity), "verify", fail)
        elif layer == "documents":
            monkeypatch.setattr(type(door.documents), "find", fail)
            sent = lambda: fragile.trusted("x")  # noqa: E731
        elif layer == "preparation":
            door.preparation._rules = (*door.preparation._rules, broken_rule())
        elif layer == "audit":
            fragile.view = View(fragile.view.schema, replace(door, refusals=_FailingAudit()))
            sent = lambda: fragile.run("mutation{audited{note errors{code}}}")  # noqa: E731
        else:
            monkeypatch.setattr(View, "_context", fail)

        answer = await sent()

        assert CANARY not in answer.raw.decode()
        assert answer.codes == ["INTERNAL"]
        assert len(watched.faults) == 1

    async def test_answers_500_where_the_answer_cannot_be_written(self, fragile):
        answer = await fragile.run("{unwritable}")

        assert (answer.status, answer.codes) == (500, ["INTERNAL"])

    async def test_the_usual_masking_lets_the_canary_through(self, served):
        """The broken twin: strawberry's own view with MaskErrors."""
        told = []
        for text, variables in FIELDS.values():
            stock = GraphQL(make(strawberry.Schema, MaskErrors))
            body = json.dumps({"query": text, "variables": variables}).encode()
            told.append(await _post(stock, body))

        assert any(CANARY in answer for answer in told)


class _FailingAudit:
    async def record(self, *_: object) -> None:
        fail()


async def _post(view: GraphQL[Any, Any], body: bytes) -> str:
    parts: list[bytes] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        parts.append(message.get("body", b""))

    try:
        await view(scope, receive, send)
    except Exception as escaped:  # noqa: BLE001 - a stock server prints it
        return str(escaped)
    return json.dumps(json.loads(b"".join(parts) or b"{}"), ensure_ascii=False)


class TestWhatMayBeSaid:
    async def test_tells_a_refusal_of_a_query_in_the_callers_language(self, fragile):
        fragile.language = "en"

        answer = await fragile.run("{refused}")

        assert answer.status == 200
        assert answer.body["errors"] == [
            {
                "message": "No such order.",
                "extensions": {"code": "NOT_FOUND"},
                "path": ["refused"],
            }
        ]

    async def test_asks_to_try_again_when_busy(self, fragile):
        answer = await fragile.run("{busy}")

        assert answer.codes == ["BUSY"]
        assert "idempotencyKey" in answer.body["errors"][0]["message"]

    async def test_names_the_variable_that_cannot_be_used(self, web):
        text = "query($a:Boolean!){serverNow @include(if:$a)}"

        answer = await web.run(text, {"a": "yes"})

        assert answer.codes == ["BAD_INPUT"]
        assert "$a" in answer.body["errors"][0]["message"]
