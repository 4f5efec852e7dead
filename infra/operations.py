"""Write `graphql/operations/manifest.json`, the list of trusted documents, or `--check` it.

Every file holds one operation of its own name that is valid against the schema and within the
limits of the API.
"""

import json
import sys
from pathlib import Path

from graphql import DocumentNode, OperationDefinitionNode

from courtside.entrypoints.schema import schema
from courtside.platform.gql.documents import MANIFEST, Preparation, make_manifest

ROOT = Path(__file__).resolve().parent.parent / "graphql" / "operations"


def manifest(root: Path = ROOT) -> str:
    """The manifest's text as the files are now."""
    return json.dumps(make_manifest(root), indent=2, ensure_ascii=False) + "\n"


def problems(root: Path = ROOT) -> list[str]:
    """One line for each file that is not one valid operation of its own name."""
    preparation = Preparation(development=False)
    found = []
    for file in sorted(root.glob("*/*.graphql")):
        name = file.relative_to(root).as_posix()
        text = file.read_text("utf-8")
        prepared = preparation.prepare(schema, text, file.stem)
        found += [f"{name}: {error.message}" for error in prepared.errors]
        if prepared.document is not None and operation_names(prepared.document) != [file.stem]:
            found.append(f"{name}: holds one operation, named {file.stem}")
    return found


def operation_names(document: DocumentNode) -> list[str]:
    """Names of a document's operations; an unnamed one has the empty name."""
    return [
        "" if node.name is None else node.name.value
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    ]


def main(arguments: list[str]) -> int:
    found = problems()
    written = ROOT / MANIFEST
    if "--check" in arguments:
        if not written.is_file() or written.read_text("utf-8") != manifest():
            found.append(f"{MANIFEST} is not of these files: run `make operations`")
    elif not found:
        written.write_text(manifest(), "utf-8")
    if found:
        print("\n".join(found), file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
