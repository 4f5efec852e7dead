"""Check that every file under `schemas/` is a JSON Schema with an id that tells where it lies."""

import json
import sys
from pathlib import Path

from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for

ROOT = Path(__file__).resolve().parent.parent / "schemas"


def problems(root: Path) -> list[str]:
    """One line for each file that is no proper schema."""
    return [line for path in sorted(root.rglob("*.json")) for line in _of(path, root)]


def _of(path: Path, root: Path) -> list[str]:
    name = path.relative_to(root).as_posix()
    try:
        schema = json.loads(path.read_text("utf-8"))
        kind = validator_for(schema, default=None)
        if kind is None:
            return [f"{name}: says no known $schema"]
        kind.check_schema(schema)
    except (ValueError, SchemaError) as wrong:
        return [f"{name}: {str(wrong).splitlines()[0]}"]
    return []


if __name__ == "__main__":
    found = problems(ROOT)
    print("\n".join(found), file=sys.stderr)
    sys.exit(bool(found))
