"""`make new-module` on a copy of the repository: what it lays out passes as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from infra.new_module.__main__ import NotLaidOut, lay_out, main

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("functions", "infra", "graphql", "schemas", "tests/testkit", "tests/sim/modules")
CONTRACTS = (
    "test_access_patterns.py",
    "test_every_mutation.py",
    "test_event_schemas.py",
    "test_key_prefixes.py",
    "test_operations.py",
    "test_sdl.py",
    "test_simulation.py",
    "test_words.py",
)
FILES = (
    *("pyproject.toml", "template.yaml", "tests/data/permissions.tsv"),
    *("tests/conftest.py", "tests/store/conftest.py"),
)
NAME, CHINESE = "parasols", "阳伞"  # nobody will ever want a module of them


@pytest.fixture
def copy(tmp_path):
    unwanted = shutil.ignore_patterns("__pycache__", "demo")
    for name in COPIED:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=unwanted)
    for name in (*FILES, *(f"tests/contract/{each}" for each in CONTRACTS)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(folder, *command, **more):
    path = os.pathsep.join(("functions", "tests", "."))
    environment = {**os.environ, "PYTHONPATH": path, **more}
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
        laid_out = run(copy, "python", "-m", "infra.new_module", NAME, ZH=CHINESE)

        pytest_ = ("pytest", "-p", "no:cacheprovider")
        own = run(copy, *pytest_, "tests/unit", f"tests/api/modules/{NAME}")
        store = run(copy, *pytest_, "tests/store", "-k", "memory")
        contracts = run(
            copy, *pytest_, "tests/contract", "-k", f"{NAME} or Parasol or Words or schema"
        )
        walls = run(copy, "lint-imports", "--no-cache")
        style = run(copy, "ruff", "check", "--no-cache", *_of(copy, NAME))
        form = run(copy, "ruff", "format", "--check", "--no-cache", *_of(copy, NAME))

        done = (laid_out, own, store, contracts, walls, style, form)
        assert [told for code, told in done if code] == []
        assert laid_out[1].count("graphql/schema.graphql\n") == 1

    def test_takes_its_place_in_the_tiers(self, copy):
        lay_out(copy, NAME, chinese=CHINESE)
        lay_out(copy, "assets")

        tiers = (copy / "pyproject.toml").read_text("utf-8")
        assert f" : {NAME}" in tiers
        assert " : assets : " in tiers
        assert "(assets)" not in tiers

    @pytest.mark.parametrize("name", ["", "Parasols", "sun-shades", "meals", "x", "y" * 31])
    def test_writes_nothing_when_it_refuses(self, copy, name):
        before = _contents(copy)

        with pytest.raises(NotLaidOut):
            lay_out(copy, name, chinese=CHINESE)

        assert _contents(copy) == before

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("meals", "!! meals exists already\n"),
            (NAME, "!! say what one of them is called in Chinese: ZH=车辆\n"),
        ],
    )
    def test_says_why_in_one_line(self, capsys, name, told):
        with pytest.raises(SystemExit):
            main(name, "", "")

        assert capsys.readouterr().err == told


def _of(folder, name):
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if name in path.relative_to(folder).as_posix()
    ]


def _contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
