"""Facts as the journal holds them, and their schemas."""

import json
from pathlib import Path
from typing import Any

from infra.memory.engine import MemoryEngine
from jsonschema import Draft202012Validator

from courtside.kernel.journal import Fact
from courtside.platform.dynamo.journal import from_item

SCHEMAS = Path(__file__).parents[2] / "schemas" / "events"


def facts(engine: MemoryEngine, name: str = "") -> list[Fact]:
    """Everything that was told (of one name), oldest first."""
    entries = [from_item(r["dynamodb"]["NewImage"]) for r in engine.stream("journal")]
    told = [fact for entry in entries for fact in entry.facts]
    return [fact for fact in told if name in ("", fact.name)]


def schema_errors(fact: Fact) -> list[str]:
    """What is wrong with a fact by `schemas/events/<name>.json`; empty when nothing is."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{fact.name}.json").read_text("utf-8"))
    told = {
        "name": fact.name,
        "aggregate": fact.aggregate,
        "version": fact.version,
        "state": dict(fact.state),
    }
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(told)]
