"""The data folder of an embedded Courtside: who uses it, where things lie, whom it started."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

DEFAULT = ".local"
_END_WITHIN = 5.0  # seconds that a child has before it is killed


class InUse(Exception):
    """Another process runs on the same data folder."""


class DataFolder:
    """Paths of one data folder, and small JSON files in it that appear whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @staticmethod
    def chosen() -> "DataFolder":
        """The folder of `DATA=`, or `.local`."""
        return DataFolder(Path(os.environ.get("DATA") or DEFAULT))

    @property
    def tables(self) -> Path:
        return self.root / "tables.sqlite"

    @property
    def queues(self) -> Path:
        return self.root / "queues.sqlite"

    @property
    def clock(self) -> Path:
        return self.root / "clock.json"

    @property
    def demo(self) -> Path:
        """Until when the demo court has lived; missing where there is no demo."""
        return self.root / "demo.json"

    @property
    def running(self) -> Path:
        """Where the running server says its address and process."""
        return self.root / "running.json"

    @property
    def people(self) -> Path:
        """Who `make token AS=` knows by a name: court and subject."""
        return self.root / "people.json"

    @property
    def issuer(self) -> Path:
        return self.root / "dev_issuer.json"

    @property
    def children(self) -> Path:
        """Processes that were started on this folder, with their start times."""
        return self.root / "children.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; the lock goes with the process, however it ends."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.root / "lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse(self._who()) from None
            yield

    def _who(self) -> str:
        told = read_json(self.running) or {}
        return f"process {told.get('pid', '?')}, {told.get('url', 'starting')}"

    def adopt(self, pid: int) -> None:
        """Remember a child, so that a later run ends it if this one is killed."""
        born = psutil.Process(pid).create_time()
        write_json(self.children, [*(read_json(self.children) or []), {"pid": pid, "born": born}])

    def children_live(self) -> bool:
        """Whether all remembered processes still run."""
        return all(_alive(told) for told in read_json(self.children) or [])

    def end_children(self) -> list[int]:
        """End the remembered processes that still are the ones remembered; answers their ids."""
        found = [child for told in read_json(self.children) or [] if (child := _alive(told))]
        for child in found:
            child.terminate()
        for child in psutil.wait_procs(found, timeout=_END_WITHIN)[1]:
            child.kill()
        self.children.unlink(missing_ok=True)
        return [child.pid for child in found]


def read_json(path: Path) -> Any:
    """The file's value; None if there is no file or it is not JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write_json(path: Path, value: object) -> None:
    """Replace the file in one step."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    draft.replace(path)


def _alive(told: dict[str, Any]) -> psutil.Process | None:
    """The process of that id, if it began when the remembered one did: ids are used again."""
    try:
        process = psutil.Process(int(told["pid"]))
        same = process.create_time() == told["born"]
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
