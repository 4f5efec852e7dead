"""The short way of plain fields answers what the long way answers, and is taken."""

import dataclasses
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from courtside.kernel.workdays import ZONE
from courtside.platform.gql.execution import READER, PlainFieldsExecutor, Schema
from courtside.platform.gql.scalars import SCALARS, Yuan


class Meal(Enum):
    LUNCH = "lunch"


strawberry.enum(Meal)


@strawberry.type
class Dish:
    dish_id: strawberry.ID
    name: str
    left: int
    price: Yuan
    note: str | None
    tags: list[str]
    grid: list[list[int | None]] | None
    meal: Meal
    on: date
    at: datetime
    is_open: bool
    renamed: str = strawberry.field(name="called")
    inner: "Dish | None" = None

    @strawberry.field
    def computed(self) -> str:
        return self.name * 2


DISH = Dish(
    dish_id=strawberry.ID("d1"),
    name="红烧肉",
    left=3,
    price=Yuan(1250),
    note=None,
    tags=["a", "b"],
    grid=[[1, None], []],
    meal=Meal.LUNCH,
    on=date(2026, 3, 2),
    at=datetime(2026, 3, 2, 9, 30, tzinfo=ZONE),
    is_open=True,
    renamed="r",
)


def changed(**fields: Any) -> Dish:
    return dataclasses.replace(DISH, **fields)


class Telling:
    def __repr__(self) -> str:
        return "telling"


VALUES = {
    "all as declared": DISH,
    "nested": changed(inner=DISH),
    "a text that is a number": changed(name=5),
    "a missing text": changed(name=None),
    "an object for a text": changed(name=Telling()),
    "a number beyond 32 bits": changed(left=2**40),
    "a text for a number": changed(left="x"),
    "a fraction for a number": changed(left=1.5),
    "a decimal for a number": changed(left=Decimal(2)),
    "a missing number": changed(left=None),
    "a note": changed(note="n"),
    "an object for a note": changed(note=Telling()),
    "no list": changed(tags=None),
    "a text for a list": changed(tags="ab"),
    "a tuple for a list": changed(tags=("a", "b")),
    "a generator for a list": changed(tags=(tag for tag in "ab")),
    "a gap in a list": changed(tags=["a", None]),
    "a wrong item in a list": changed(tags=["a", Telling()]),
    "no grid": changed(grid=None),
    "a wrong cell": changed(grid=[[1, "x"]]),
    "an enum by value": changed(meal="lunch"),
    "an enum that is none": changed(meal="dinner"),
    "a text for a date": changed(on="2026-03-02"),
    "a text for an instant": changed(at="x"),
    "a text for a truth": changed(is_open="yes"),
    "fault inside": changed(inner=changed(name=None)),
    "faults side by side": changed(name=None, left=None),
}

TEXT = """{dish{...D inner{...D}}}
fragment D on Dish{
  __typename dishId name other:name left price note tags grid meal on at isOpen called computed
}"""


def answer(kind: type[strawberry.Schema], value: Dish) -> dict[str, Any]:
    @strawberry.type
    class Query:
        @strawberry.field
        def dish(self) -> Dish | None:
            return dataclasses.replace(value)

    scalars: Any = {**SCALARS}
    schema = kind(query=Query, config=StrawberryConfig(scalar_map=scalars))
    result = schema.execute_sync(TEXT)
    errors = [(e.message, e.path, e.locations) for e in result.errors or ()]
    return {"data": result.data, "errors": errors}


class Silent(strawberry.Schema):
    def process_errors(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize("name", [name for name in VALUES if "generator" not in name])
def test_answers_what_the_servers_own_executor_answers(name):
    assert answer(Schema, VALUES[name]) == answer(Silent, VALUES[name])


def test_a_generator_is_read_once():
    assert answer(Schema, VALUES["a generator for a list"])["data"]["dish"]["tags"] == ["a", "b"]


class TestPlainFields:
    @pytest.fixture
    def infos(self, monkeypatch) -> list[str]:
        """Names of the fields that took the long way."""
        names: list[str] = []
        build = PlainFieldsExecutor.build_resolve_info

        def counted(self, definition, nodes, parent, path):
            names.append(nodes[0].name.value)
            return build(self, definition, nodes, parent, path)

        monkeypatch.setattr(PlainFieldsExecutor, "build_resolve_info", counted)
        return names

    def test_take_the_short_way(self, infos):
        answer(Schema, DISH)

        assert sorted(infos) == ["__typename", "computed", "dish", "inner"]

    def test_are_those_without_a_resolver(self):
        from courtside.entrypoints.schema import schema

        query = schema._schema.query_type
        payload = schema._schema.type_map["PlainError"]

        assert not any(READER in field.extensions for field in query.fields.values())
        assert all(READER in field.extensions for field in payload.fields.values())
