"""G-15: what people write about people is in no log line, metric, dead letter or journal entry."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.graphql_http import build_app as build_view
from courtside.entrypoints.job_worker import Jobs
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.entrypoints.schema import schema
from courtside.platform.dynamo.engine import EngineFault
from courtside.platform.observability import SERVICE, Observer
from testkit.app import EVENTS, JOBS
from testkit.factories.living import JUDGE, ROOT
from testkit.factories.people import COURT
from testkit.figures import record
from testkit.graphql import Client, sign_in
from testkit.walker import roots, variables

CITIZEN = "110101199003077777"
CANARY = f"张三{CITIZEN}"
ROOTS = roots(schema._schema)
# What our own code may log: names of its operations, codes, numbers, random ids, places in it.
_LONG_DIGITS = re.compile(r"(?<![\w.])\d{15,}(?!\w)")


def canaries(text: str) -> list[str]:
    """Canaries, whole or in part, as they are or escaped."""
    seen = text + json.dumps(text) + text.encode().decode("unicode_escape", "ignore")
    return [part for part in (CITIZEN, "张三", "甲院", CITIZEN[:14]) if part in seen]


def everywhere(given: Any) -> Any:
    """The arguments with the canary for each text that is not an id, a date or the like."""
    if isinstance(given, dict):
        return {
            name: value if name == "idempotencyKey" else everywhere(value)
            for name, value in given.items()
        }
    if isinstance(given, list):
        return [everywhere(one) for one in given]
    return CANARY if isinstance(given, str) else given


@pytest.fixture
def observer(capsys) -> Iterator[Observer]:
    """A container's own, as it is deployed: its lines go to standard output."""
    loggers = logging.Logger.manager.loggerDict
    before = loggers.pop(SERVICE, None)
    yield Observer(stage="test", level="DEBUG")
    loggers.pop(SERVICE, None)
    if before is not None:
        loggers[SERVICE] = before


@pytest.fixture
def deployed(living, observer, monkeypatch):
    """The API and everything behind it with that observer."""
    app = living.court.app
    workers = {EVENTS: Events(app.app, observer).take, JOBS: Jobs(app.app, observer).take}
    relay = JournalRelay(app.app.foundation, observer).take
    monkeypatch.setattr(app.pump, "workers", workers)
    monkeypatch.setattr(app.pump, "_relay", relay)
    return app, build_view(app.app, watch=observer)


async def ask_everything(app, view, seen) -> int:
    """Every root field, with canaries among its arguments and then in all of them."""
    asked = 0
    for who in (ROOT, JUDGE):
        client = sign_in(app, view, who, court=COURT)
        for root in ROOTS:
            given = variables(root, seen)
            await client.run(root.text, _words(root, given))
            await client.run(root.text, everywhere(given))
            asked += 2
    await _malformed(Client(view=view))
    await app.settle()
    return asked


def _words(root: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the canary in free text alone, so that the use case is reached."""
    words = ("name", "site", "filename", "window", "windows", "posts", "staffNo", "subject", "code")

    def fill(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner, name) for inner in value]
        return CANARY if name in words and isinstance(value, str) else value

    return {key: fill(value, key) for key, value in given.items()}


async def _malformed(client: Client) -> None:
    """Canaries where no argument is: the document, the body, the headers, the token."""
    await client.run(f'{{ persons(after: "{CANARY}") {{ {CANARY} }} }}')
    await client.run(f'{{ mealsJob(jobId: "{CANARY}") {{ id }} }}')
    await client.send(f'{{"query": "{CANARY}'.encode())
    await client.post({"documentId": CANARY, "operationName": CANARY, "extensions": {CANARY: 1}})
    header = {"authorization": f"Bearer {CITIZEN}", "x-correlation-id": CITIZEN}
    await client.send(b"{}", headers=header)
    await client.send(b"{}", headers={"cookie": CITIZEN, "user-agent": CITIZEN, "accept": CITIZEN})


class TestLines:
    """G-15."""

    async def test_hold_no_canary(self, deployed, seen, capsys):
        app, view = deployed
        capsys.readouterr()

        asked = await ask_everything(app, view, seen)

        out, err = capsys.readouterr()
        lines = out.splitlines()
        assert canaries(out + err) == []
        assert _LONG_DIGITS.findall(out) == []
        assert len(lines) >= asked
        assert err == ""
        record("G-15", "canaries in log lines", f"0 in {len(lines)}")

    async def test_hold_no_canary_when_everything_fails(self, deployed, seen, capsys, monkeypatch):
        """Exceptions that quote what was asked, from the lowest layer up."""
        app, view = deployed
        capsys.readouterr()

        async def fails(*given: Any) -> Any:
            raise EngineFault(f"{CANARY} {given}")

        for name in ("get", "query", "transact"):
            monkeypatch.setattr(app.engine, name, fails)
        for root in ROOTS:
            client = sign_in(app, view, ROOT, court=COURT)
            answer = await client.run(root.text, _words(root, variables(root, seen)))
            assert canaries(answer.raw.decode()) == []

        out, err = capsys.readouterr()
        assert '"fault"' in out
        assert canaries(out + err) == []

    async def test_of_workers_and_dead_letters_hold_no_canary(self, deployed, capsys):
        app, _ = deployed
        capsys.readouterr()
        for queue in (EVENTS, JOBS):
            await app.queues.queue(queue).send([{"court": COURT, "body": CANARY}])

        await app.settle()

        out, err = capsys.readouterr()
        assert "message_unreadable" in out
        assert canaries(out + err) == []

    async def test_the_journal_and_the_queues_hold_no_canary(self, deployed, seen):
        """Personal data stands in its own records; what is kept for years names random ids."""
        app, view = deployed
        sent: list[str] = []
        for name in (EVENTS, JOBS):
            taken = app.pump.workers[name]
            app.pump.workers[name] = _noting(taken, sent)

        await ask_everything(app, view, seen)

        journal = [json.dumps(item, ensure_ascii=False) for item in app.engine.items("journal")]
        history = [
            json.dumps(item, ensure_ascii=False)
            for item in app.engine.items("records")
            if "#HISTORY#" in item["pk"]["S"]
        ]
        assert [found for text in (*journal, *history, *sent) for found in canaries(text)] == []
        assert min(len(journal), len(history)) > 50
        assert len(sent) >= 5
        record(
            "G-15",
            "canaries in entries, history and messages",
            f"0 in {len(journal + history + sent)}",
        )

    async def test_that_quoted_an_exception_would_hold_one(
        self, deployed, seen, capsys, monkeypatch
    ):
        """The broken twin: the usual line of a fault, with its message."""
        app, view = deployed

        def usual(self: Observer, error: BaseException, *, correlation: str) -> None:
            self._logger.error("fault", extra={"error": str(error), "correlation": correlation})

        async def fails(*given: Any) -> Any:
            raise EngineFault(CANARY)

        monkeypatch.setattr(Observer, "fault", usual)
        monkeypatch.setattr(app.engine, "get", fails)
        await sign_in(app, view, ROOT, court=COURT).run("{ me { roles } }")

        assert canaries(capsys.readouterr().out) != []


def _noting(take: Any, sent: list[str]) -> Any:
    async def noting(event: Any) -> Any:
        sent.extend(message["body"] for message in event["Records"])
        return await take(event)

    return noting
