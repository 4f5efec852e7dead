"""The API: one ASGI application, on Lambda behind a REST API by way of Mangum."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from courtside.bootstrap import App
from courtside.entrypoints.schema import ERROR_TYPES, schema
from courtside.kernel.actor import EVERYBODY
from courtside.platform.dynamo.audit import JournalRefusals
from courtside.platform.gql.documents import Preparation, TrustedDocuments
from courtside.platform.gql.incoming import MODERN
from courtside.platform.gql.view import Door, View, Watch
from courtside.platform.identity import Fetch, identity
from courtside.platform.observability import Observer
from courtside.platform.probe import Check, NotAsExpected, is_probe, probed, table_checks

TEXT_TYPES = [MODERN, "application/json"]
HEADERS = {"accept", "accept-language", "authorization", "content-encoding", "content-type"}


def build_app(
    app: App,
    *,
    watch: Watch | None = None,
    documents: TrustedDocuments | None = None,
    fetch: Fetch | None = None,
) -> View:
    """The ASGI application of `POST /graphql` on one composed App."""
    settings = app.settings
    watch = watch or Observer(stage=settings.stage, level=settings.log_level)
    door = Door(
        services=app.services,
        refusals=JournalRefusals(app.database, watch),
        error_types=ERROR_TYPES,
        identity=identity(settings.issuers, app.foundation.keys, fetch=fetch),
        documents=documents or TrustedDocuments(operations_folder()),
        preparation=Preparation(development=settings.development),
        clock=app.clock,
        watch=watch,
        seconds=settings.deadline,
        development=settings.development,
    )
    return View(schema, door)


def operations_folder() -> Path:
    """The operations: `operations/` beside the package, where a build puts them, or the
    repository's `graphql/operations/`."""
    beside = Path(__file__).parents[2]
    built = beside / "operations"
    return built if built.is_dir() else beside.parent / "graphql" / "operations"


@cache
def _mangum() -> Callable[[Any, Any], dict[str, Any]]:
    from courtside.bootstrap import build
    from courtside.platform.container import settings, settled

    built = lambda_handler(build_app(build(settings())))
    settled()
    return built


def lambda_handler(view: View) -> Callable[[Any, Any], dict[str, Any]]:
    """The handler of REST API events for a view; its answers travel as text."""
    from mangum import Mangum

    handler: Callable[[Any, Any], dict[str, Any]] = Mangum(
        view, lifespan="off", text_mime_types=TEXT_TYPES
    )
    return lambda event, context: handler(_heard(event), context)


def _heard(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with the headers that are read here and no others.

    Mangum reads `host` and `x-forwarded-port` as well, fails on values that it does not expect, and
    its failure would be logged with what the client sent.
    """
    kept = {
        field: {name: v for name, v in (event.get(field) or {}).items() if name.lower() in HEADERS}
        for field in ("headers", "multiValueHeaders")
    }
    return {**event, **kept}


def handler(event: Any, context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    if is_probe(event):
        return asyncio.run(probed(_checks))
    return _mangum()(event, context)


def _checks() -> Mapping[str, Check]:
    from courtside.bootstrap import build
    from courtside.platform.container import settings

    return checks(build(settings()))


def checks(
    app: App, *, documents: TrustedDocuments | None = None, fetch: Fetch | None = None
) -> dict[str, Check]:
    """What the API tries before its first request."""
    base = app.foundation
    documents = documents or TrustedDocuments(operations_folder())
    view = build_app(app, documents=documents, fetch=fetch)

    async def court_key() -> None:
        base.keys.digest(EVERYBODY, "probe", b"")

    async def documents_hold() -> None:
        if not documents.ids:
            raise NotAsExpected
        preparation = Preparation(development=False)
        for one in documents.ids:
            operation = documents.find(one)
            if operation is None or preparation.prepare(schema, operation.text, None).errors:
                raise NotAsExpected

    async def answers() -> None:
        """Without a token, a trusted document is executed and refused by its first field."""
        status, body = await posted(view, {"documentId": documents.id_of("Me")})
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        if status != HTTPStatus.OK or codes != ["NOT_SIGNED_IN"]:
            raise NotAsExpected

    return {
        **table_checks(base.engine, base.settings.tables),
        "court key": court_key,
        "issuers": identity(base.settings.issuers, base.keys, fetch=fetch).try_keys,
        "documents": documents_hold,
        "answer": answers,
    }


async def posted(view: View, body: Mapping[str, Any]) -> tuple[int, Any]:
    """Status and body of one anonymous POST, without a server."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"accept", MODERN.encode())]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers}
    await view({**scope, "query_string": b"", "http_version": "1.1"}, receive, send)
    raw = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(raw)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _mangum()  # during the container's start, which has a whole processor
