"""Cold start by the real runtime client, against a plain hello-world of the same stack."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from infra.local.engine import call, start
from infra.local.issuer import DevelopmentIssuer

from bench.runtime_api import FUNCTION, OPENED_KEY, Answer, first_answer
from bench.table import Row, printed
from courtside.bootstrap import build
from courtside.kernel.actor import Principal, system
from courtside.kernel.journal import Change, Command, Fact, Result, entry
from courtside.modules.people.contracts import CourtLevel, CreateCourt
from courtside.modules.people.service import People
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.messages import JobMessage, of_fact, of_job
from courtside.platform.queues import Received
from courtside.platform.settings import Settings, table_names

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".bench" / "packages"
PYTHON = f"3.{sys.version_info.minor}"
ROUNDS = 7


def rest_event(body: Mapping[str, Any], *, token: str = "") -> dict[str, Any]:
    """A POST /graphql as a regional REST API hands it over."""
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return {
        "resource": "/graphql",
        "path": "/graphql",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/graphql",
            "httpMethod": "POST",
            "path": "/prod/graphql",
            "stage": "prod",
            "requestId": "bench",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def built(name: str, lock: str, *, plain: bool = False) -> Path:
    """A function's package for this machine, made as for Lambda; `plain` as `sam build` does."""
    folder = BUILT / name
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "infra.package", lock, str(folder), "--python", PYTHON]
    subprocess.run([*command, *(["--plain"] if plain else [])], cwd=ROOT, check=True)
    return folder


def fastest(*measures: Callable[[], Answer]) -> list[Answer]:
    """The fastest answer of each, taken in turns so that the machine's load meets all alike."""
    found = [[measure()] for measure in measures]
    for _ in range(ROUNDS):
        for answers, measure in zip(found, measures, strict=True):
            answers.append(measure())
    return [min(answers, key=lambda answer: answer.milliseconds) for answers in found]


def hello(environment: Mapping[str, str]) -> Callable[[], Answer]:
    """The floor: untrimmed, without bytecode; like ours it reads from the table."""
    package = built("hello", "api", plain=True)
    shutil.rmtree(package / "courtside")
    shutil.copy(Path(__file__).parent / "hello" / "hello.py", package)
    event = rest_event({"query": "{ hello }"})
    return lambda: first_answer("hello.handler", event, package=package, environment=environment)


def rows() -> list[Row]:
    """The API over the floor at most 0.5, every other function at most 0.3."""
    packages = {"api": built("api", "api"), "functions": built("functions", "functions")}
    with _outside() as environment:
        measures = [hello(environment)]
        for name in BOUNDS:
            package = packages["api" if name == "graphql_http" else "functions"]
            measures.append(partial(_started, name, package, environment))
        floor, *answers = fastest(*measures)
    _check_floor(floor)
    found = []
    for (name, bound), answer in zip(BOUNDS.items(), answers, strict=True):
        _check(name, answer)
        shown = f"{answer.milliseconds:.0f} of {floor.milliseconds:.0f} ms"
        told = f"{shown}; in CPU {_cpu(answer, floor):.2f}"
        value = answer.milliseconds / floor.milliseconds
        found.append(Row(name=f"cold start, {name}", value=value, bound=bound, told=told))
    return [*found, *(_weight(name, package) for name, package in packages.items())]


def _cpu(answer: Answer, floor: Answer) -> float:
    """The same ratio in CPU, which a busy machine disturbs less."""
    return answer.cpu / floor.cpu


def _weight(name: str, package: Path) -> Row:
    """O-07: what is unpacked; Lambda takes 250 MB."""
    size = sum(f.stat().st_size for f in package.rglob("*") if f.is_file()) / 1e6
    return Row(name=f"package, {name}", value=size, bound=100, told="MB unpacked")


BOUNDS = {
    "graphql_http": 0.5,
    "journal_relay": 0.3,
    "event_worker": 0.3,
    "job_worker": 0.3,
    "scheduled": 0.3,
}
COURT = "BENCH"
SUBJECT = "A1"
_ISSUER = DevelopmentIssuer.new()


def _started(name: str, package: Path, environment: Mapping[str, str]) -> Answer:
    handler = f"courtside.entrypoints.{name}.handler"
    return first_answer(handler, EVENTS[name](), package=package, environment=environment)


def _check_floor(answer: Answer) -> None:
    if json.loads(answer.body["body"]) != {"data": {"hello": "world"}}:
        raise RuntimeError(f"the hello-world answered {answer.body}")


def _check(name: str, answer: Answer) -> None:
    """The work was done: no measured refusal."""
    if name == "graphql_http":
        body = json.loads(answer.body["body"])
        if body != {"data": {"units": []}}:
            raise RuntimeError(f"the API answered {body}\n{answer.log}")
    elif answer.body not in ({"batchItemFailures": []}, None):
        raise RuntimeError(f"{name} answered {answer.body}\n{answer.log}")


@contextmanager
def _outside() -> Iterator[dict[str, str]]:
    """An engine with the tables, a court with its key and an administrator, and queues."""
    names = table_names("bench")
    with tempfile.TemporaryDirectory() as folder:
        engine = start(Path(folder) / "engine.sqlite", names)
        try:
            _seed(Path(folder), engine.endpoint, names)
            yield {
                "COURTSIDE_STAGE": "bench",
                "COURTSIDE_DYNAMODB": engine.endpoint,
                "COURTSIDE_ISSUERS": json.dumps([_ISSUER.settings([COURT])]),
                "COURTSIDE_EVENT_QUEUE": "https://sqs.invalid/events",
                "COURTSIDE_JOB_QUEUE": "https://sqs.invalid/jobs",
                "COURTSIDE_COURT_KEY": FUNCTION,
            }
        finally:
            engine.stop()


def _seed(folder: Path, endpoint: str, names: Mapping[str, str]) -> None:
    """A court with its administrator, and its key as KMS will open it."""
    wrapped = {"pk": {"S": f"{COURT}#KEYS"}, "sk": {"S": "COURT"}, "wrapped": {"B": "AAAA"}}
    call(endpoint, "PutItem", {"TableName": names["keys"], "Item": wrapped})
    greeting = {"pk": {"S": f"{COURT}#HELLO"}, "sk": {"S": "world"}}
    call(endpoint, "PutItem", {"TableName": names["records"], "Item": greeting})
    (folder / "keys").mkdir()
    (folder / "keys" / f"{COURT}.key").write_bytes(OPENED_KEY)
    asyncio.run(_found_court(folder, endpoint, names))


async def _found_court(folder: Path, endpoint: str, names: Mapping[str, str]) -> None:
    settings = Settings(
        stage="bench",
        region="cn-north-1",
        endpoint=endpoint,
        tables=names,
        issuers=(_ISSUER.settings([COURT]),),
        local=str(folder),
    )
    engine = DynamoEngine(settings)
    app = build(settings, engine=engine)
    request = CreateCourt(
        name="测试法院",
        level=CourtLevel.BASIC,
        administrator_name="管理员",
        administrator_staff_no=SUBJECT,
    )
    people = cast("People", app.parts[People])
    principal = system(COURT, "people")
    await people.create_court(principal, request, key="bench-court", now=app.clock.now())
    await engine.close()


def _stream_event() -> dict[str, Any]:
    principal = Principal(court=COURT, person="P", client="bench")
    command = Command(principal=principal, operation="bench.write", key="k" * 8, request=None)
    fact = Fact(name="bench.written.v1", aggregate="BENCH#1", version=1, state={})
    written = entry(
        command,
        now=_AT,
        result=Result(kind="Bench", id="1"),
        changes=(Change(aggregate="BENCH#1", version=1),),
        facts=(fact,),
    )
    image = journal.to_item(written, at=_AT, mark="0")
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": image}}
    return {"Records": [record]}


def _queue_event(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"Records": [Received("1", json.dumps(message), 1).record()]}


def _fact_event() -> dict[str, Any]:
    stored = journal.from_item(_stream_event()["Records"][0]["dynamodb"]["NewImage"])
    return _queue_event(of_fact(stored.deliveries()[0]))


_AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
EVENTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "graphql_http": lambda: rest_event(
        {"query": "{ units { id } }"},
        token=_ISSUER.token(SUBJECT, court=COURT, now=datetime.now(UTC)),  # noqa: TID251 - as theirs
    ),
    "journal_relay": _stream_event,
    "event_worker": _fact_event,
    "job_worker": lambda: _queue_event(of_job(JobMessage(COURT, "bench", "none", 0))),
    "scheduled": lambda: {"task": "sweep"},
}


if __name__ == "__main__":
    sys.exit(not printed(rows()))
