"""`make run` as its user sees it: one process beside its engine, killed and started again."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # for a busy machine; nothing here asserts a duration


class Installation:
    """A data folder and the commands on it."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("MAKELEVEL", "NOW", "HOST", "AS", "AT", "NAME", "COURT", "SUBJECT")
        } | {"DATA": str(folder), "PORT": "", "DEMO": "no", "PYTHONPATH": "functions:tests:."}

    @contextmanager
    def running(self, **settings):
        with subprocess.Popen(
            [sys.executable, "-m", "infra.local.run"],
            cwd=ROOT,
            env=self.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                self._wait(process)
                yield process
            finally:
                process.terminate()
                process.wait(PATIENCE)

    def command(self, name, **settings):
        done = subprocess.run(
            [sys.executable, "-m", "infra.local.commands", name],
            cwd=ROOT,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        return (done.stdout or done.stderr).strip()

    def ask(self, document, *, token=None):
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.told('running')['url']}/graphql",
            json.dumps({"query": document}).encode(),
            headers,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return json.load(answer)["data"]

    def told(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def engine(self):
        (child,) = self.told("children")
        return psutil.Process(child["pid"])

    def _wait(self, process):
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            assert process.poll() is None, process.stdout.read()
            if self._server() == process.pid:
                return
            time.sleep(0.05)
        raise AssertionError("it did not start")

    def _server(self):
        return self.told("running")["pid"] if (self.folder / "running.json").exists() else None


@pytest.fixture
def installation(tmp_path):
    return Installation(tmp_path / "data")


class TestRun:
    def test_keeps_its_data_when_it_is_killed(self, installation):
        with installation.running(NOW="2026-03-02T09:00+08:00") as first:
            said = installation.command("court", NAME="东江市中级人民法院")
            engine = installation.engine()
            first.kill()
            first.wait()

        with installation.running():
            token = installation.command("token", AS="administrator")
            me = installation.ask("{me{court{name}}}", token=token)["me"]
            books = installation.command("reconcile")
            seals = installation.command("verify")

        assert said.startswith("C310 东江市中级人民法院")
        assert not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE
        assert me["court"]["name"] == "东江市中级人民法院"
        assert books == "C310: 1 entries, 0 accounts, 0 findings"
        assert seals.startswith("C310: ")
        assert seals.endswith(" 0 findings")

    def test_moves_its_clock_without_a_restart(self, installation):
        with installation.running(NOW="2026-03-02T09:00+08:00"):
            before = installation.ask("{serverNow}")["serverNow"]
            moved = installation.command("clock", AT="2026-03-02T17:30+08:00")
            after = installation.ask("{serverNow}")["serverNow"]
            refused = installation.command("clock", AT="2026-03-02T09:00+08:00")

        assert before.startswith("2026-03-02T09:0")
        assert moved.startswith("2026-03-02 17:30:0")
        assert after.startswith("2026-03-02T17:3")
        assert refused.startswith("!! the clock only moves forward")

    def test_belongs_to_one_server_and_ends_its_engine(self, installation):
        with installation.running() as server:
            second = subprocess.run(
                [sys.executable, "-m", "infra.local.run"],
                cwd=ROOT,
                env=installation.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            engine = installation.engine()

        assert second.returncode == 1
        assert f"in use by process {server.pid}" in second.stderr
        assert server.returncode == 0
        assert not engine.is_running()
        assert not (installation.folder / "running.json").exists()

    def test_idles_in_little_memory(self, installation):
        with installation.running() as server:
            installation.ask("{serverNow}")
            api = psutil.Process(server.pid).memory_info().rss
            engine = installation.engine().memory_info().rss

        assert api < 200e6
        assert api + engine < 400e6
