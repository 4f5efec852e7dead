"""The embedded table engine: dynoxide on one SQLite file, as a process of our own.

Where its npm package is not to be had, any other engine serves: set COURTSIDE_DYNAMODB to its
address (DynamoDB Local, or a Docker image of either) and this file is not used but for its tables.
"""

import ctypes
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local.tables import Table, read_tables

ROOT = Path(__file__).parents[2]
BINARY = ROOT / "node_modules" / "@dynoxide" / "linux-x64" / "dynoxide"
STREAM_INDEX = "courtside_stream_order"
STREAM_HOURS = 24  # as long as DynamoDB keeps a stream's records
_STARTED_WITHIN = 10.0
_STOPPED_WITHIN = 5.0
_PR_SET_PDEATHSIG = 1


class EngineMissing(Exception):
    """No embedded engine on this machine; the message says what to do instead."""


class EngineFailed(Exception):
    """The embedded engine did not start or refused its tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEngine:
    """An engine process; `endpoint` is what the settings are given."""

    endpoint: str
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """End the process, by its own id; every acknowledged write is on disk already."""
        self.process.terminate()
        try:
            self.process.wait(_STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_STOPPED_WITHIN)


def start(file: Path, names: Mapping[str, str], *, port: int | None = None) -> RunningEngine:
    """Serve the tables in `file`, creating it and whatever is missing in it.

    `names` are the real names of the logical tables. EngineMissing or EngineFailed.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _serve(file, free_port()).stop()  # lays out the file, so that it can be prepared
    prepare(file)
    engine = _serve(file, port or free_port())
    try:
        create_tables(engine.endpoint, names)
    except BaseException:
        engine.stop()
        raise
    return engine


def prepare(file: Path, *, now: float | None = None) -> int:
    """Keep a stopped engine's stream fast: index its order, drop what is older than a day.

    The engine reads the highest sequence number at every write and has no index for it, so that
    each record would make all later writes slower. Answers how many records went.
    """
    now = time.time() if now is None else now  # noqa: TID251 - rows bear the engine's own time
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            f"CREATE INDEX IF NOT EXISTS {STREAM_INDEX} "
            "ON _stream_records(table_name, CAST(sequence_number AS INTEGER))"
        )
        oldest = int(now) - STREAM_HOURS * 3600
        gone = database.execute("DELETE FROM _stream_records WHERE created_at < ?", (oldest,))
        return gone.rowcount


def create_tables(endpoint: str, names: Mapping[str, str]) -> None:
    """Create the template's tables that the engine at `endpoint` does not have yet."""
    there = set(call(endpoint, "ListTables", {})["TableNames"])
    for table in read_tables().values():
        real = names[table.name]
        if real not in there:
            call(endpoint, "CreateTable", table.create(real))
        _enable_ttl(endpoint, real, table)


def import_exports(source: Path, file: Path, names: Mapping[str, str]) -> None:
    """Make a new `file` from export files (`<real table>/data/*.json.gz`), many at a time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    schema = source / "schema.json"
    schema.write_text(json.dumps([_described(t, names) for t in read_tables().values()]), "utf-8")
    paths = {"--source": source, "--schema": schema, "--output": file}
    command = [str(binary()), "import", *(str(word) for pair in paths.items() for word in pair)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineFailed(f"import: {done.stderr.strip() or done.stdout.strip()}")


def call(endpoint: str, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """One unsigned request to a local engine, for set-up only; EngineFailed if it is refused."""
    where = urlsplit(endpoint)
    connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=10)
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{action}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=0",
        "X-Amz-Date": "20260101T000000Z",
    }
    with closing(connection):
        connection.request("POST", "/", json.dumps(payload), headers)
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise EngineFailed(f"{action}: {body.decode(errors='replace')}")
    found: dict[str, Any] = json.loads(body)
    return found


def binary() -> Path:
    """The engine's program, or EngineMissing."""
    if BINARY.exists() and os.access(BINARY, os.X_OK):
        return BINARY
    raise EngineMissing(
        "the embedded engine (npm @dynoxide/linux-x64) is not installed: run `npm ci`, or start "
        "DynamoDB Local or another engine and set COURTSIDE_DYNAMODB=http://host:port"
    )


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _serve(file: Path, port: int) -> RunningEngine:
    command = [str(binary()), "serve", "--port", str(port), "--db-path", str(file)]
    log = file.with_suffix(".log")
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
    engine = RunningEngine(endpoint=f"http://127.0.0.1:{port}", process=process)
    try:
        _wait_until_it_listens(engine, log)
    except BaseException:
        engine.stop()
        raise
    return engine


def _wait_until_it_listens(engine: RunningEngine, log: Path) -> None:
    """By its own words: an open port might be somebody else's."""
    ends = time.monotonic() + _STARTED_WITHIN
    while time.monotonic() < ends:
        ended = engine.process.poll() is not None
        said = log.read_text("utf-8", "replace").strip()
        if "listening" in said:
            return
        if ended:
            raise EngineFailed(f"the table engine ended: {said.splitlines()[-1:] or 'no word'}")
        time.sleep(0.01)
    raise EngineFailed("the table engine did not answer in time")


def _end_with_parent() -> None:
    """Let no engine outlive us: it would go on holding the file that the next start opens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _enable_ttl(endpoint: str, real: str, table: Table) -> None:
    if table.ttl is None:
        return
    found = call(endpoint, "DescribeTimeToLive", {"TableName": real})["TimeToLiveDescription"]
    if found["TimeToLiveStatus"] == "DISABLED":
        wanted = {"AttributeName": table.ttl, "Enabled": True}
        call(endpoint, "UpdateTimeToLive", {"TableName": real, "TimeToLiveSpecification": wanted})


def _described(table: Table, names: Mapping[str, str]) -> dict[str, Any]:
    """A table as the import's schema file wants it: what DescribeTable would answer."""
    return {"Table": {**table.create(names[table.name]), "TableStatus": "ACTIVE"}}
