"""Check that every file under `schemas/` is a JSON Schema of the one draft that is used here."""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

ROOT = Path(__file__).resolve().parent.parent / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def problems(root: Path) -> list[str]:
    """One line for each file that is no proper schema."""
    return [line for path in sorted(root.rglob("*.json")) for line in _of(path, root)]


def _of(path: Path, root: Path) -> list[str]:
    name = path.relative_to(root).as_posix()
    try:
        schema = json.loads(path.read_text("utf-8"))
        if schema.get("$schema") != DRAFT:
            return [f"{name}: $schema is not {DRAFT}"]
        Draft202012Validator.check_schema(schema)
    except (ValueError, AttributeError, SchemaError) as wrong:
        return [f"{name}: {str(wrong).splitlines()[0]}"]
    return []


if __name__ == "__main__":
    found = problems(ROOT)
    print(*(f"{line}\n" for line in found), sep="", end="", file=sys.stderr)
    sys.exit(bool(found))
