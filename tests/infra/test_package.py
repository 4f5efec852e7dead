"""The builder deletes what a function does not need: never outside the folder it fills."""

import subprocess
import sys
from pathlib import Path

import pytest
from infra.package import ROOT


class TestPackage:
    @pytest.mark.parametrize("folder", ["", ".", "/", str(ROOT.parent)])
    def test_refuses_a_folder_that_holds_the_project(self, folder: str) -> None:
        before = sorted(Path(ROOT).iterdir())
        command = [sys.executable, "-m", "infra.package", "api", folder, "--python", "3.13"]

        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

        assert done.returncode == 2
        assert "deleted there" in done.stderr
        assert sorted(Path(ROOT).iterdir()) == before
