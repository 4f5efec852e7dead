"""Partitions of several item classes, read as one court's."""

import pytest
from infra.memory.engine import MemoryEngine
from pynamodb.attributes import UnicodeAttribute

from courtside.platform.dynamo.database import Record
from testkit.factories.portions import a_database


class Head(Record):
    title = UnicodeAttribute()


class Line(Record):
    dish = UnicodeAttribute()


KINDS = {"HEAD": Head, "LINE#": Line, "LINE#NOTE#": Head}


@pytest.fixture
async def tenant():
    engine = MemoryEngine()
    items = [
        Head(pk="C310#MENU", sk="HEAD", title="午餐"),
        Line(pk="C310#MENU", sk="LINE#1", dish="米饭"),
        Head(pk="C310#MENU", sk="LINE#NOTE#1", title="少盐"),
        Line(pk="C320#MENU", sk="LINE#1", dish="红烧肉"),
    ]
    await engine.put_many("records", [item.serialize() for item in items])
    return a_database(engine, engine.clock).of("C310")


class TestQueryMixed:
    async def test_tells_classes_by_the_longest_key_that_fits(self, tenant):
        head, line, note = await tenant.query_mixed(KINDS, "MENU", consistent=True)

        assert (type(head), head.title) == (Head, "午餐")
        assert (type(line), line.dish) == (Line, "米饭")
        assert (type(note), note.title) == (Head, "少盐")

    async def test_guesses_no_class(self, tenant):
        with pytest.raises(LookupError):
            await tenant.query_mixed({"HEAD": Head}, "MENU")
