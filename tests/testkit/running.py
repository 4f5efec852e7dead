"""`make run` on a folder of a test's own, started and ended as a person would."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # for a busy machine; no test asserts a duration
_OURS = (
    "DATA",
    "NOW",
    "HOST",
    "PORT",
    "AS",
    "SUBJECT",
    "AT",
    "COURT",
    "CLIENT",
    "GET",
    "IN",
    "DEMO",
)
_OF_MAKE = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS", "PYTHONPATH")


def environment() -> dict[str, str]:
    """A terminal's, without what this test run itself was started with."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS + _OF_MAKE}
    return {**kept, "LC_ALL": "C.UTF-8"}


@contextmanager
def running(command: str, folder: Path) -> Iterator[str]:
    """What `command` says once it serves from `folder`; it ends afterwards, with all it began."""
    out = folder.with_suffix(".log")
    with (
        out.open("w") as log,
        subprocess.Popen(  # noqa: S602 - the command that a README prints
            f"exec {command}",
            shell=True,
            cwd=ROOT,
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield _announced(process, out)
        finally:
            process.terminate()
            process.wait(PATIENCE)
            _wait_until_ended(folder)


def _announced(process: subprocess.Popen[bytes], out: Path) -> str:
    ends = time.monotonic() + PATIENCE
    while "Ctrl-C" not in (said := out.read_text("utf-8")):
        if process.poll() is not None or time.monotonic() > ends:
            raise AssertionError(f"it does not serve: {said}")
        time.sleep(0.1)
    return said.strip()


def _wait_until_ended(folder: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while (folder / "running.json").exists():
        if time.monotonic() > ends:
            raise AssertionError(f"what serves {folder} did not end")
        time.sleep(0.1)
