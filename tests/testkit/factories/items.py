"""Items and writes of the simplest kind, and how to read them back."""

from dataclasses import replace
from typing import Any

from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.values import Check, Item, Key, Query, Read, Write, attribute


def an_item(key: Key, **values: str | int | bool) -> Item:
    return {
        "pk": {"S": key.pk},
        "sk": {"S": key.sk},
        **{name: attribute(value) for name, value in values.items()},
    }


def a_put(key: Key, *checks: Check, table: str = "records", **values: str | int | bool) -> Write:
    return Write(table=table, key=key, checks=checks, put=an_item(key, **values))


def a_change(key: Key, *checks: Check, **change: Any) -> Write:
    return Write(table="records", key=key, checks=checks, **change)


async def read(engine: Engine, *keys: Key) -> list[Item | None]:
    return await engine.get([Read("records", key) for key in keys])


async def every_page(engine: Engine, query: Query) -> list[list[Item]]:
    found = await engine.query(query)
    pages = [found.items]
    while found.last is not None:
        found = await engine.query(replace(query, start=found.last))
        pages.append(found.items)
    return pages
