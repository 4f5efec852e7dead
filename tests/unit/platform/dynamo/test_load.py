"""Reading an item class answers what pynamodb's own deserialisation answers."""

import importlib
import json
import pkgutil
from copy import copy
from typing import Any

import pytest
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.models import Model

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
    values = {each.attr_name: dict(STORED[type(each)]) for each in kind.attributes.values()}
    return {**values, "newer": {"S": "x"}}


def by_pynamodb(kind: type[Record], item: dict[str, Any]) -> dict[str, Any]:
    """What pynamodb's own model of the same attributes reads."""
    declared = {name: copy(each) for name, each in kind.attributes.items()}
    model: Any = type(kind.__name__, (Model,), {**declared, "Meta": type("Meta", (), {})})
    record = model()
    record.deserialize({name: dict(value) for name, value in item.items()})
    return {name: getattr(record, name) for name in kind.attributes}


def values_of(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name, None) for name in record.attributes}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
class TestLoad:
    def test_of_a_whole_item(self, kind):
        assert values_of(load(kind, stored(kind))) == by_pynamodb(kind, stored(kind))

    def test_of_keys_alone(self, kind):
        item = {"pk": {"S": "BJ01#A"}, "sk": {"S": "B"}}

        assert values_of(load(kind, item)) == by_pynamodb(kind, item)

    def test_of_nulls(self, kind):
        item = {name: {"NULL": True} for name in stored(kind)}

        assert values_of(load(kind, item)) == by_pynamodb(kind, item)

    def test_is_written_as_it_was_read(self, kind):
        item = {name: value for name, value in stored(kind).items() if name != "newer"}

        assert load(kind, item).serialize() == item


class TestRecord:
    def test_takes_only_what_its_class_declares(self):
        with pytest.raises(TypeError, match="JobItem has no colour"):
            jobs.JobItem(pk="BJ01#A", sk="B", colour="red")

    def test_is_not_written_without_what_it_must_have(self):
        with pytest.raises(ValueError, match=r"JobItem\.version must have a value"):
            jobs.JobItem(pk="BJ01#A", sk="B").serialize()

    def test_has_no_default_that_is_made_anew(self):
        with pytest.raises(TypeError, match=r"Wrong\.days"):
            type("Wrong", (Record,), {"days": JSONAttribute(default=dict)})


def test_the_item_classes_of_all_modules_are_tried():
    assert jobs.JobItem in kinds()
    assert len(kinds()) >= 15


def test_items_share_no_values():
    kind = jobs.JobItem
    first, second = load(kind, stored(kind)), load(kind, stored(kind))

    first.state = "DONE"

    assert second.state == "红烧肉"
