"""What may stand where, and what each function may import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from infra.rules.expanded import read

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
SHAPE = {
    "__init__",
    "consumers",
    "contracts",
    "errors",
    "events",
    "gql",
    "ports",
    "rules",
    "service",
    "store",
    "wiring",
}
MODULES = sorted(
    p for p in (FUNCTIONS / "courtside" / "modules").iterdir() if p.is_dir() and p.name[0] != "_"
)
ENTRYPOINTS = {p.stem for p in (FUNCTIONS / "courtside" / "entrypoints").glob("*.py")}
ENTRYPOINTS -= {"__init__", "schema"}
HEAVY = ("strawberry", "graphql", "mangum", "starlette", "jwt")
LONGEST = 400


def sources(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*.py") if "__pycache__" not in p.parts]


def imports_tests(node: ast.Import | ast.ImportFrom) -> bool:
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return any(name.partition(".")[0] in {"bench", "sim", "testkit", "tests"} for name in names)


def imported_by(entrypoint: str) -> set[str]:
    """Top-level packages loaded by importing an entrypoint in a process of its own."""
    program = f"import courtside.entrypoints.{entrypoint}, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(FUNCTIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


class TestLayout:
    def test_the_contract_holds_no_python(self):
        found = [*sources(ROOT / "graphql"), *sources(ROOT / "schemas")]

        assert found == []

    def test_functions_holds_the_one_package(self):
        found = {p.name for p in FUNCTIONS.iterdir() if not p.name.startswith((".", "__"))}

        assert {name for name in found if not name.endswith(".egg-info")} == {"courtside"}

    @pytest.mark.parametrize("module", MODULES, ids=lambda p: p.name)
    def test_a_module_has_the_usual_files_and_no_others(self, module):
        found = {
            p.stem for p in module.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()
        }

        assert found <= SHAPE
        assert SHAPE - found <= {"consumers"}
        assert (module / "README.md").is_file()

    def test_no_file_is_longer_than_can_be_read_at_once(self):
        long = [
            f"{p.relative_to(FUNCTIONS)}: {count}"
            for p in sources(FUNCTIONS)
            if (count := len(p.read_text("utf-8").splitlines())) > LONGEST
        ]

        assert long == []

    def test_nothing_that_runs_imports_the_tests(self):
        """`make run` works without the folder `tests`."""
        importing = [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for path in [*sources(FUNCTIONS), *sources(ROOT / "infra")]
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom) and imports_tests(node)
        ]

        assert importing == []

    def test_no_folder_is_named_like_a_library_at_the_root(self):
        assert not {"graphql", "platform"} & {p.name for p in FUNCTIONS.iterdir()}


class TestImports:
    @pytest.mark.parametrize("entrypoint", sorted(ENTRYPOINTS - {"graphql_http"}))
    def test_only_the_api_imports_graphql(self, entrypoint):
        assert imported_by(entrypoint).isdisjoint(HEAVY)

    def test_the_api_does(self):
        """That the test above can fail."""
        assert {"strawberry", "graphql"} <= imported_by("graphql_http")

    def test_entrypoints_are_those_of_the_template(self):
        resources = read()["Resources"].values()
        functions = [r for r in resources if r["Type"] == "AWS::Serverless::Function"]
        handlers = {function["Properties"]["Handler"] for function in functions}

        assert handlers == {f"courtside.entrypoints.{name}.handler" for name in ENTRYPOINTS}
