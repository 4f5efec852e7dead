"""Memory: the API's process after its first requests, and an idle `make run` in all."""

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from bench.table import Row

ROOT = Path(__file__).resolve().parents[2]
STARTED_WITHIN = 180.0


def main() -> list[Row]:
    """O-07: the API under 200 MB, everything under 400 MB (proportional set sizes)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "infra.local.run"]
        environment = {**os.environ, "DATA": folder, "PYTHONPATH": "functions:tests:."}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            _ask(_address(process))
            time.sleep(3)
            parts = [process.pid, *(c.pid for c in psutil.Process(process.pid).children(True))]
            sizes = {pid: psutil.Process(pid).memory_full_info().pss / 1e6 for pid in parts}
        finally:
            process.terminate()
            process.wait(20)
    told = ", ".join(f"{size:.0f}" for size in sorted(sizes.values(), reverse=True))
    return [
        Row(name="memory of the API's process", value=sizes[process.pid], bound=200, told="MB"),
        Row(name="memory of an idle make run", value=sum(sizes.values()), bound=400, told=told),
    ]


def _address(process: "subprocess.Popen[str]") -> str:
    """The API's address as it is printed; RuntimeError if none is printed in time."""
    guard = threading.Timer(STARTED_WITHIN, process.kill)
    guard.start()
    try:
        for line in process.stdout or ():
            for word in line.split():
                if word.startswith("http://") and word.rstrip(",").endswith("/graphql"):
                    threading.Thread(target=_drain, args=(process,), daemon=True).start()
                    return word.rstrip(",")
    finally:
        guard.cancel()
    raise RuntimeError("make run printed no address")


def _drain(process: "subprocess.Popen[str]") -> None:
    for _ in process.stdout or ():
        pass


def _ask(address: str) -> None:
    for _ in range(20):
        asked = urllib.request.Request(  # noqa: S310 - the address is our own
            address,
            data=b'{"query":"{ serverNow }"}',
            headers={"Content-Type": "application/json"},
        )
        with suppress(OSError):
            urllib.request.urlopen(asked, timeout=5).read()  # noqa: S310
