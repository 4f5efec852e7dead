"""Write `graphql/schema.graphql` from the code, or with `--check` say whether it differs."""

import difflib
import sys
from pathlib import Path

from strawberry.printer import print_schema

from courtside.entrypoints.schema import schema

SNAPSHOT = Path(__file__).resolve().parent.parent / "graphql" / "schema.graphql"


def sdl() -> str:
    """The schema as the modules declare it now."""
    return print_schema(schema) + "\n"


def difference(snapshot: Path = SNAPSHOT) -> list[str]:
    """Lines of a unified diff from the snapshot to the code; none when they agree."""
    before = snapshot.read_text("utf-8") if snapshot.is_file() else ""
    old, new = before.splitlines(), sdl().splitlines()
    return list(difflib.unified_diff(old, new, "snapshot", "code", lineterm=""))


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        changed = difference()
        if changed:
            print("\n".join(changed), "the schema changed: run `make sdl`", sep="\n")
        return bool(changed)
    SNAPSHOT.write_text(sdl(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
