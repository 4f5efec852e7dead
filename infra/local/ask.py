"""`make ask` and `make upload`: one operation, as a phone or an office sends it.

The operation is named and sent as the trusted document that `graphql/operations` holds; only what
comes back is printed.
"""

import hashlib
import http.client
import json
import os
import re
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from infra.local.callers import caller, running, signed_in, stop
from infra.local.data import DataFolder

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"
WIDTH = 100
_PATIENCE = 60.0  # seconds that a job may take
_LOOK = 0.3
_STEP = re.compile(r"\[(?P<field>\w+)=(?P<value>[^\]]*)\]|(?P<name>[^.\[\]]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody with a token at the running server."""

    url: str
    token: str
    language: str
    hint: str

    def ask(self, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an operation; ends the command with the reason if there is none."""
        body = {"documentId": document_id(operation), "variables": variables}
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept-Language": self.language,
        }
        answer = json.loads(send("POST", f"{self.url}/graphql", headers, json.dumps(body).encode()))
        if answer.get("errors"):
            stop(told(answer["errors"][0], self.hint))
        data: dict[str, Any] = answer["data"]
        return data


def send(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """What the server answers, whatever the status; no proxy stands between a machine and itself.
    Ends the command if nobody answers."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=_PATIENCE)
    try:
        connection.request(method, url.removeprefix(f"http://{place.netloc}"), body, dict(headers))
        return connection.getresponse().read()
    except OSError as fault:
        stop(f"no answer from {place.netloc} ({fault.strerror or fault}); is make run still there?")
    finally:
        connection.close()


def told(error: Mapping[str, Any], hint: str) -> str:
    """The first error of an answer that has no data, in one line."""
    code = error.get("extensions", {}).get("code", "ERROR")
    at = "".join(f".{step}" for step in error.get("path", ())[1:])
    line = f"{code}{at and f' at {at[1:]}'}: {error['message']}"
    return f"{line} {hint}" if code == "NOT_PERMITTED" else line


def document_id(operation: str) -> str:
    """The id by which the API knows an operation; ends the command if there is no such one."""
    known = json.loads((OPERATIONS / "manifest.json").read_text("utf-8"))
    found = {Path(file).stem: digest for digest, file in known.items()}
    if operation not in found:
        alike = [name for name in sorted(found) if operation.lower() in name.lower()]
        stop(f"no operation {operation or 'named'}; OP={'|'.join(alike or sorted(found))}")
    return f"sha256:{found[operation]}"


class _Relaxed(yaml.SafeLoader):
    """JSON, or the same without its quotes: dates and pick-up codes stay text."""


_Relaxed.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("int", r"^-?(?:0|[1-9]\d{0,6})$", "-0123456789"),
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^null$", "n"),
):
    _Relaxed.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), [*_first])


def variables_of(text: str) -> dict[str, Any]:
    """`VARS=` as variables; an input without an idempotency key is given a fresh one."""
    try:
        read = yaml.load(text or "{}", _Relaxed)  # noqa: S506 - a safe loader that guesses less
    except yaml.YAMLError as fault:
        stop(f"VARS cannot be read: {' '.join(str(fault).split())}")
    if not isinstance(read, dict):
        stop("VARS is one object, for example VARS='{input: {date: 2026-03-09}}'")
    given = read.get("input")
    if isinstance(given, dict):
        given.setdefault("idempotencyKey", f"ask-{secrets.token_hex(8)}")
    return read


def picked(data: Any, path: str) -> Any:
    """What stands at `path`: names and numbers between dots, `[name=…]` for the one of a list.

    LookupError names the step that leads nowhere.
    """
    for step in _STEP.finditer(path.removeprefix("data.")):
        try:
            data = _into(data, step)
        except (LookupError, StopIteration, TypeError, ValueError):
            raise LookupError(step[0]) from None
    return data


def _into(data: Any, step: re.Match[str]) -> Any:
    if step["field"]:
        field, value = step["field"], step["value"]
        return next(filter(lambda one: str(one[field]) == value, _list(data)))
    return data[int(step["name"])] if isinstance(data, list) else data[step["name"]]


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError
    return data


def shown(value: Any, indent: int = 0) -> str:
    """JSON for people: what fits a line stands on one line, and Han characters as themselves."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(line) + indent <= WIDTH:
        return line
    deeper = indent + 2
    if isinstance(value, list):
        parts = [shown(each, deeper) for each in value]
    else:
        parts = [f"{json.dumps(name)}: {shown(each, deeper)}" for name, each in value.items()]
    inner = f",\n{' ' * deeper}".join(parts)
    opens, closes = "[]" if isinstance(value, list) else "{}"
    return f"{opens}\n{' ' * deeper}{inner}\n{' ' * indent}{closes}"


def present(data: Any) -> None:
    """Print an answer, or the one value that `GET=` asks for, raw."""
    path = os.environ.get("GET")
    if path:
        data = _picked(data, path)
    print(data if isinstance(data, str) else shown(data))


def _picked(data: Any, path: str) -> Any:
    try:
        return picked(data, path)
    except LookupError as missing:
        stop(f"no {missing} where GET={path} looks, in {shown(data)}")


def ask(folder: DataFolder) -> None:
    """Send the operation OP= with VARS= as AS=; UNTIL=path=value asks again until it is so."""
    caller = _caller(folder)
    operation = os.environ.get("OP") or ""
    variables = variables_of(os.environ.get("VARS") or "")
    until = os.environ.get("UNTIL")
    data = caller.ask(operation, variables)
    if until:
        path, _, value = until.rpartition("=")
        ends = time.monotonic() + _PATIENCE
        while str(_picked(data, path)) != value and time.monotonic() < ends:
            time.sleep(_LOOK)
            data = caller.ask(operation, variables)
    present(data)


def upload(folder: DataFolder) -> None:
    """Announce FILE=, put it where the answer says, have it checked, and show what was found.

    A menu names its CANTEEN= (and PORTIONS= where the sheet says no number); without one the file
    is a list of top-ups. The key is the file's: the same file again is the same import.
    """
    file = Path(os.environ.get("FILE") or stop("say which: make -s upload FILE=menu.xlsx"))
    if not file.is_file():
        stop(f"there is no file {file}")
    caller, sheet = _caller(folder), _Sheet.of(file)
    started = sheet.start(caller)
    sheet.put(started["upload"])
    present({sheet.field: sheet.checked(caller, started[sheet.field])})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A file on its way in: a menu, or a list of top-ups."""

    file: Path
    data: bytes
    kind: str
    about: Mapping[str, Any]

    @staticmethod
    def of(file: Path) -> "_Sheet":
        canteen, portions = os.environ.get("CANTEEN"), os.environ.get("PORTIONS")
        about: dict[str, Any] = {"canteenId": canteen} if canteen else {}
        if canteen and portions:
            about["portions"] = int(portions) if portions.isdecimal() else stop("PORTIONS=60")
        kind = "Menu" if canteen else "TopUp"
        return _Sheet(file=file, data=file.read_bytes(), kind=kind, about=about)

    @property
    def field(self) -> str:
        return f"{self.kind[0].lower()}{self.kind[1:]}Import"

    def start(self, caller: Caller) -> dict[str, Any]:
        digest = hashlib.sha256(self.data).hexdigest()
        announced = {
            **self.about,
            "filename": self.file.name,
            "sha256": digest,
            "size": len(self.data),
        }
        key = hashlib.sha256(json.dumps(announced).encode()).hexdigest()[:32]
        return self._do(caller, "Start", {"idempotencyKey": f"upload-{key}", **announced})

    def put(self, where: Mapping[str, Any]) -> None:
        headers = {header["name"]: header["value"] for header in where["headers"]}
        refused = send("PUT", where["url"], headers, self.data).decode()
        if refused:
            stop(refused.strip())

    def checked(self, caller: Caller, found: Mapping[str, Any]) -> dict[str, Any]:
        """The import after its dry run, which is left out for one that was taken already."""
        about = {"importId": found["id"]}
        if found["state"] in ("UPLOADING", "CHECKED", "FAULTY"):
            key = f"check-{secrets.token_hex(8)}"
            self._do(caller, "Check", {"idempotencyKey": key, "importId": found["id"]})
        ends = time.monotonic() + _PATIENCE
        while True:
            told_: dict[str, Any] = caller.ask(f"{self.kind}Import", about)[self.field]
            if told_["state"] not in ("CHECKING", "COMMITTING") or time.monotonic() > ends:
                return self._with_copy(told_)
            time.sleep(_LOOK)

    def _with_copy(self, found: dict[str, Any]) -> dict[str, Any]:
        """The answer, with the annotated copy fetched to stand beside the file."""
        copy = found["annotated"]
        if copy is not None:
            beside = self.file.with_name(f"{self.file.stem}-检查结果.xlsx")
            beside.write_bytes(send("GET", copy["url"], {}))
            found["annotated"] = str(beside)
        return found

    def _do(self, caller: Caller, verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
        operation = f"{verb}{self.kind}Import"
        payload: dict[str, Any]
        (payload,) = caller.ask(operation, {"input": given}).values()
        if payload["errors"]:
            stop(f"{payload['errors'][0]['code']}: {payload['errors'][0]['message']}")
        return payload


def _caller(folder: DataFolder) -> Caller:
    url: str = running(folder)["url"]
    return Caller(
        url=url,
        token=signed_in(folder),
        language=os.environ.get("IN") or "zh",
        hint=f"({caller()}; without AS= it is said who holds which role)",
    )


if __name__ == "__main__":
    {"ask": ask, "upload": upload}[sys.argv[1]](DataFolder.chosen())
