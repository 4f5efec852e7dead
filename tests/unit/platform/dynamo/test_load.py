"""Reading an item class answers what pynamodb's own deserialisation answers."""

import importlib
import json
import pkgutil
from typing import Any

import pytest
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from courtside import modules
from courtside.platform import jobs
from courtside.platform.dynamo.database import Record, load

for found in pkgutil.walk_packages(modules.__path__, "courtside.modules."):
    if ".store" in found.name:
        importlib.import_module(found.name)

STORED = {
    UnicodeAttribute: {"S": "红烧肉"},
    NumberAttribute: {"N": "-1200"},
    BooleanAttribute: {"BOOL": True},
    ListAttribute: {"L": [{"S": "一号窗口"}]},
    JSONAttribute: {"S": json.dumps({"a": [1, None, "茶"]})},
}


def kinds(kind: type[Record] = Record) -> list[type[Record]]:
    below = [one for one in kind.__subclasses__() if one.__module__.startswith("courtside")]
    return below + [deeper for one in below for deeper in kinds(one)]


def stored(kind: type[Record]) -> dict[str, Any]:
    """An item with every attribute of the class, and one that the class does not know."""
    values = {each.attr_name: dict(STORED[type(each)]) for each in kind.get_attributes().values()}
    return {**values, "newer": {"S": "x"}}


def by_pynamodb(kind: type[Record], item: dict[str, Any]) -> dict[str, Any]:
    record = kind()
    record.deserialize({name: dict(value) for name, value in item.items()})
    return record.attribute_values


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
class TestLoad:
    def test_of_a_whole_item(self, kind):
        assert load(kind, stored(kind)).attribute_values == by_pynamodb(kind, stored(kind))

    def test_of_keys_alone(self, kind):
        item = {"pk": {"S": "BJ01#A"}, "sk": {"S": "B"}}

        assert load(kind, item).attribute_values == by_pynamodb(kind, item)

    def test_of_nulls(self, kind):
        item = {name: {"NULL": True} for name in stored(kind)}

        assert load(kind, item).attribute_values == by_pynamodb(kind, item)

    def test_is_written_as_it_was_read(self, kind):
        item = {name: value for name, value in stored(kind).items() if name != "newer"}

        assert load(kind, item).serialize() == item


def test_the_item_classes_of_all_modules_are_tried():
    assert jobs.JobItem in kinds()
    assert len(kinds()) >= 15


def test_items_share_no_values():
    kind = jobs.JobItem
    first, second = load(kind, stored(kind)), load(kind, stored(kind))

    first.state = "DONE"

    assert second.state == "红烧肉"
