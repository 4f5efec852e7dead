"""`make new-module` on a copy of the repository: what it lays out passes as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from infra.new_module.__main__ import NotLaidOut, lay_out, main

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("functions", "infra", "graphql", "schemas", "tests/testkit", "tests/conftest.py")
CONTRACTS = ("test_access_patterns.py", "test_event_schemas.py", "test_key_prefixes.py")
FILES = ("pyproject.toml", "template.yaml")


@pytest.fixture
def copy(tmp_path):
    unwanted = shutil.ignore_patterns("__pycache__", "demo")
    for name in COPIED:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=unwanted)
        else:
            shutil.copy(source, target)
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tests" / "contract").mkdir()
    for name in CONTRACTS:
        shutil.copy(ROOT / "tests" / "contract" / name, tmp_path / "tests" / "contract" / name)
    return tmp_path


def run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(("functions", "tests", "."))}
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [str(program), *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class TestNewModule:
    def test_passes_its_own_tests_and_the_linters_right_away(self, copy):
        laid_out = run(copy, "python", "-m", "infra.new_module", "vehicles")

        tests = run(copy, "pytest", "-p", "no:cacheprovider", "tests/unit", "tests/api")
        contracts = run(copy, "pytest", "-p", "no:cacheprovider", "tests/contract")
        walls = run(copy, "lint-imports", "--no-cache")
        style = run(copy, "ruff", "check", "--no-cache", *_of(copy, "vehicles"))
        form = run(copy, "ruff", "format", "--check", "--no-cache", *_of(copy, "vehicles"))

        assert laid_out[0] == 0, laid_out[1]
        assert tests[0] == 0, tests[1]
        assert "11 passed" in tests[1]
        assert contracts[0] == 0, contracts[1]
        assert walls[0] == 0, walls[1]
        assert style[0] == 0, style[1]
        assert form[0] == 0, form[1]

    @pytest.mark.parametrize("name", ["", "Vehicles", "company-cars", "meals", "x"])
    def test_writes_nothing_when_it_refuses(self, copy, name):
        before = _contents(copy)

        with pytest.raises(NotLaidOut):
            lay_out(copy, name)

        assert _contents(copy) == before

    def test_says_why_in_one_line(self, capsys):
        with pytest.raises(SystemExit):
            main("meals", "")

        assert capsys.readouterr().err == "!! meals exists already\n"


def _of(folder, name):
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if name in path.relative_to(folder).as_posix()
    ]


def _contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
