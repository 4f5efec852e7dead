"""Every fact that a module publishes has its JSON Schema, and the two agree."""

import dataclasses
import importlib
import json
from itertools import product
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from courtside.kernel.journal import Event

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas" / "events"
MODULES = sorted(p.parent.name for p in (ROOT / "functions/courtside/modules").glob("*/events.py"))


def events() -> dict[str, type[Event]]:
    for name in MODULES:
        importlib.import_module(f"courtside.modules.{name}.events")
    return {kind.name: kind for kind in _below(Event) if "name" in vars(kind)}


def _below(kind: type[Event]) -> list[type[Event]]:
    found = [one for one in kind.__subclasses__() if one.__module__.startswith("courtside")]
    return found + [deeper for one in found for deeper in _below(one)]


def schema(name: str) -> dict:
    return json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))


EVENTS = events()


def test_every_event_has_its_schema_and_every_schema_its_event():
    files = {path.name.removesuffix(".json") for path in SCHEMAS.glob("*.json")}

    assert files == {*EVENTS, *platform_events()}


def platform_events() -> set[str]:
    """What the platform tells a module's officer: refusals of its consumers and jobs."""
    return {f"{name}.{what}_refused.v1" for name, what in product(MODULES, ("consumer", "job"))} & {
        path.name.removesuffix(".json") for path in SCHEMAS.glob("*_refused.v1.json")
    }


@pytest.mark.parametrize("name", sorted(EVENTS))
class TestEvent:
    def test_is_named_by_module_and_version(self, name):
        module, rest = name.split(".", 1)

        assert EVENTS[name].__module__ == f"courtside.modules.{module}.events"
        assert rest.rpartition(".v")[2].isdigit()

    def test_its_schema_has_the_same_fields(self, name):
        told = schema(name)
        Draft202012Validator.check_schema(told)
        own = {f.name for f in dataclasses.fields(EVENTS[name])} - {"aggregate", "version"}

        state = told["properties"]["state"]
        assert told["properties"]["name"] == {"const": name}
        assert set(state["properties"]) == own
        assert state["additionalProperties"] is False
        assert told["additionalProperties"] is False
