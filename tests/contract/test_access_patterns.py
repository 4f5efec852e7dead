"""Each module's README lists exactly the methods of its stores."""

import ast
import re
from pathlib import Path

import pytest

MODULES = Path(__file__).resolve().parents[2] / "functions" / "courtside" / "modules"
NAMES = sorted(path.parent.name for path in MODULES.glob("*/ports.py"))
_METHOD = re.compile(r"`([a-z_]+)`")


def store_methods(source: str) -> set[str]:
    """Methods of the Protocols whose name ends with Store."""
    return {
        method.name
        for kind in ast.parse(source).body
        if isinstance(kind, ast.ClassDef) and kind.name.endswith("Store")
        for method in kind.body
        if isinstance(method, ast.AsyncFunctionDef | ast.FunctionDef)
    }


def undocumented(source: str) -> list[str]:
    """Methods of stores without a docstring, which names their pattern."""
    return [
        f"{kind.name}.{method.name}"
        for kind in ast.parse(source).body
        if isinstance(kind, ast.ClassDef) and kind.name.endswith("Store")
        for method in kind.body
        if isinstance(method, ast.AsyncFunctionDef) and not ast.get_docstring(method)
    ]


def listed_methods(readme: str) -> set[str]:
    """What stands in the table's first column under "Access patterns"."""
    section = readme.partition("## Access patterns")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in _METHOD.findall(row)}


@pytest.mark.parametrize("name", NAMES)
class TestAccessPatterns:
    def test_the_table_is_of_the_ports(self, name):
        ports = (MODULES / name / "ports.py").read_text("utf-8")
        readme = (MODULES / name / "README.md").read_text("utf-8")

        assert listed_methods(readme) == store_methods(ports)

    def test_each_method_names_its_pattern(self, name):
        assert undocumented((MODULES / name / "ports.py").read_text("utf-8")) == []


class TestReading:
    def test_finds_methods_and_rows(self):
        ports = 'class XStore(Protocol):\n    async def find_a(self) -> None:\n        "get"\n'
        table = "| method | pattern |\n|---|---|\n| `find_a` | get `P` |"
        readme = f"## Access patterns\n\n{table}\n## Events\n| `other` |"

        assert store_methods(ports) == listed_methods(readme) == {"find_a"}
        assert undocumented(ports.replace('"get"', "...")) == ["XStore.find_a"]
