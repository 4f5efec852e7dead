"""`make new-module NAME=vehicles ZH=车辆`: lay out a module that works, with tests and its lines.

Beside the module's own files it writes two lines into `bootstrap.py`, two into `schema.py`, one
word into the tiers of `pyproject.toml`, two rows into the tests' table of permissions, and brings
SDL and manifest up to date.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

LAYOUT = Path(__file__).parent / "layout"
ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"[a-z]{3,30}")
Edit = Callable[[str, str], str]
_BRACES = re.compile(r"\{\{(\w+)\}\}")
_HAN = re.compile(r"[\u4e00-\u9fff]{1,8}")
KNOWN = {  # what one of them is called, of modules that are planned
    "approvals": "审批",
    "assets": "资产",
    "clients": "接入方",
    "requisitions": "领用单",
    "standards": "标准",
    "uniforms": "制服",
    "vehicles": "车辆",
}
DERIVED = ["graphql/schema.graphql", "graphql/operations/manifest.json"]


class NotLaidOut(Exception):
    """Why nothing was written."""


def main(name: str, entity: str, chinese: str) -> None:
    """Lay out the module and say what to read next."""
    try:
        written = lay_out(ROOT, name, entity=entity, chinese=chinese)
    except NotLaidOut as reason:
        _stop(str(reason))
    _tidy(ROOT, written)
    print(*(f"   {path}" for path in (*written, *DERIVED)), sep="\n")
    print(f"== {name} is laid out; `make check test` passes. Now make it yours: CONTRIBUTING.md")


def lay_out(root: Path, name: str, *, entity: str = "", chinese: str = "") -> list[str]:
    """Write everything and return the paths. NotLaidOut before anything is written."""
    if not _NAME.fullmatch(name):
        raise NotLaidOut("a module is a plural noun in small letters: NAME=vehicles")
    package = root / "functions" / "courtside"
    if (package / "modules" / name / "__init__.py").exists():
        raise NotLaidOut(f"{name} exists already")
    words = _words(name, entity or _singular(name), chinese or KNOWN.get(name, ""))
    edits = {path: change(path.read_text("utf-8"), name) for path, change in _edits(root).items()}
    table = root / "tests" / "data" / "permissions.tsv"
    edits[table] = table.read_text("utf-8") + _permitted(table, words)
    files = {root / path: text for path, text in _files(words).items()}
    for path, text in {**files, **edits}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return [path.relative_to(root).as_posix() for path in (*files, *edits)]


def _files(words: Mapping[str, str]) -> dict[str, str]:
    module, entity, entities = words["module"], words["entity"], words["entities"]
    folders = {
        "module": f"functions/courtside/modules/{module}",
        "operations/Add{{Entity}}.graphql": "graphql/operations/office",
        "operations/{{Entities}}.graphql": "graphql/operations/phone",
    }
    renamed = {
        "event.json": f"schemas/events/{module}.{entity}_added.v1.json",
        "tests/test_rules.py": f"tests/unit/modules/{module}/test_rules.py",
        "tests/test_events.py": f"tests/unit/modules/{module}/test_events.py",
        "tests/test_operations.py": f"tests/api/modules/{module}/test_{entities}.py",
        "tests/test_permissions.py": f"tests/api/modules/{module}/test_permissions.py",
        "tests/factory.py": f"tests/testkit/factories/{module}.py",
        "tests/test_store.py": f"tests/store/modules/test_{module}_store.py",
        "tests/simulated.py": f"tests/sim/modules/{module}.py",
    }
    found = {}
    for source in sorted(LAYOUT.rglob("*.txt")):
        inner = source.relative_to(LAYOUT).as_posix().removesuffix(".txt")
        folder = folders.get(inner) or folders.get(inner.partition("/")[0], "")
        path = renamed.get(inner) or f"{folder}/{Path(inner).name}"
        found[_filled(path, words)] = _filled(source.read_text("utf-8"), words)
    return found


def _edits(root: Path) -> dict[Path, Edit]:
    package = root / "functions" / "courtside"
    return {
        package / "bootstrap.py": _wire,
        package / "entrypoints" / "schema.py": _mount,
        root / "pyproject.toml": _tier,
    }


def _permitted(table: Path, words: Mapping[str, str]) -> str:
    """The rows of who may list and add, in the table that the tests hold the code to."""
    roles = table.read_text("utf-8").partition("\n")[0].split("\t")[1:]
    add = ["yes" if role == "LOGISTICS_OFFICER" else "-" for role in roles]
    rows = (
        [words["entitiesCamel"], *("yes" for _ in roles)],
        [f"add{words['Entity']}", *add],
    )
    return "".join("\t".join(row) + "\n" for row in rows)


def _wire(text: str, name: str) -> str:
    added = f"{name} import wiring as {name}_wiring\n"
    text = _after_imports(text, "    from courtside.modules.", added)
    return _replaced(
        text,
        r"\n    yield from \(([^)]*)\)",
        rf"\n    {name} = {name}_wiring.build(base.database, actors=people.people)"
        rf"\n    yield from (\1, {name})",
    )


def _mount(text: str, name: str) -> str:
    text = _after_imports(text, "from courtside.modules.", f"{name} import gql as {name}\n")
    return _replaced(text, r"(\n_MODULES: [^\n]* = \([^)]*?),?\)", rf"\1, {name})")


def _tier(text: str, name: str) -> str:
    """Out of its parentheses if it is foreseen, else beside the other operational modules."""
    foreseen = re.compile(rf'(\n  "[^"\n]*)\({name}\)')
    if foreseen.search(text):
        return foreseen.sub(rf"\1{name}", text)
    return _replaced(text, r'(\n  "meals\b[^"\n]*)(",)', rf"\1 : {name}\2")


def _after_imports(text: str, prefix: str, line: str) -> str:
    """The text with an import added in its alphabetical place among those with the prefix."""
    lines = text.splitlines(keepends=True)
    places = [n for n, each in enumerate(lines) if each.startswith(prefix)]
    if not places:
        raise NotLaidOut(f"no line begins with {prefix!r}")
    before = [n for n in places if lines[n] < prefix + line]
    lines.insert(before[-1] + 1 if before else places[0], prefix + line)
    return "".join(lines)


def _replaced(text: str, pattern: str, by: str) -> str:
    changed, count = re.subn(pattern, by, text, count=1)
    if not count:
        raise NotLaidOut(f"the place to write to was not found: {pattern}")
    return changed


def _words(module: str, entity: str, chinese: str) -> dict[str, str]:
    if not _NAME.fullmatch(entity) or entity == module:
        raise NotLaidOut(f"say what one of them is called: ENTITY=... (not {entity!r})")
    if not _HAN.fullmatch(chinese):
        raise NotLaidOut("say what one of them is called in Chinese: ZH=车辆")
    return {
        "zh": chinese,
        "module": module,
        "Module": module.capitalize(),
        "MODULE": module.upper(),
        "entity": entity,
        "Entity": entity.capitalize(),
        "ENTITY": entity.upper(),
        "entities": module,
        "Entities": module.capitalize(),
        "ENTITIES": module.upper(),
        "entityCamel": entity,
        "entitiesCamel": module,
    }


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name.removesuffix("ies") + "y"
    return name.removesuffix("s")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return _BRACES.sub(lambda match: words[match[1]], text)


def _tidy(root: Path, written: list[str]) -> None:
    """Format what was written, then SDL and manifest, in processes that import the new code."""
    python = sys.executable
    sources = [path for path in written if path.endswith(".py")]
    ruff = str(Path(python).with_name("ruff"))
    for command in (
        [ruff, "check", "-q", "--fix", "--select", "I", *sources],
        [ruff, "format", "-q", *sources],
        [python, "-m", "infra.sdl"],
        [python, "-m", "infra.operations"],
    ):
        subprocess.run(command, cwd=root, check=True)


def _stop(line: str) -> NoReturn:
    print(f"!! {line}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else "",
        os.environ.get("ENTITY") or "",
        os.environ.get("ZH") or "",
    )
