"""Memory: the API's process after a morning's requests, and an idle `make run` in all."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from infra.local.clock import RunningClock
from infra.local.data import DataFolder
from infra.local.issuer import DevelopmentIssuer
from infra.local.settings import COURTS

from bench.table import Row
from courtside.platform.gql.documents import document_id_of
from testkit.screens import document

ROOT = Path(__file__).resolve().parents[2]
STARTED_WITHIN = 180.0
MORNING = "2026-03-03T07:00+08:00"
JUDGES, PEOPLE_FROM = 60, 200  # of the demo's people, by their numbers: most have not ordered yet


def main() -> list[Row]:
    """O-07: the API under 200 MB, everything under 400 MB (proportional set sizes)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "infra.local.run"]
        environment = {**os.environ, "DATA": folder, "NOW": MORNING, "PYTHONPATH": "functions:."}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            _warm(_address(process), Path(folder))
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


def _warm(address: str, folder: Path) -> None:
    """Mornings of judges: each looks at the first screen and orders lunch; all must be answered."""
    data = DataFolder(folder)
    issuer, clock = DevelopmentIssuer.kept_in(data.issuer), RunningClock(data.clock)
    placed = 0
    for number in range(PEOPLE_FROM, PEOPLE_FROM + JUDGES):
        token = issuer.token(f"{number:04}", court=COURTS[0], now=clock.now(), client="web")
        home = _ask(address, token, "Home", {})["mealsHome"]
        order = _order(home, key=f"bench-{number}")
        answer = _ask(address, token, "PlaceMealOrder", {"input": order})["placeMealOrder"]
        placed += not answer["errors"]
        _ask(address, token, "MyMealOrders", {"from": order["date"], "to": order["date"]})
    if placed < JUDGES // 2:
        raise RuntimeError(f"only {placed} of {JUDGES} orders were placed")


def _order(home: Mapping[str, Any], *, key: str) -> dict[str, Any]:
    """The first meal that can be ordered, of its cheapest two dishes."""
    day, meal = next((d, m) for d in home["days"] for m in d["meals"] if m["isOpen"] and m["lines"])
    cheap = sorted(meal["lines"], key=lambda line: float(line["price"]))[:2]
    return {
        "idempotencyKey": key,
        "canteenId": home["canteen"]["id"],
        "date": day["date"],
        "period": meal["period"],
        "lines": [{"dishId": line["dishId"], "quantity": 1} for line in cheap],
    }


def _ask(address: str, token: str, operation: str, variables: Mapping[str, Any]) -> Any:
    """The data of one trusted document's answer; RuntimeError for anything else."""
    body = {"documentId": document_id_of(document(operation)), "variables": variables}
    asked = urllib.request.Request(  # noqa: S310 - the address is our own
        address,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        told = json.loads(answer.read())
    if "errors" in told:
        raise RuntimeError(f"{operation}: {told['errors']}")
    return told["data"]
