"""The API: one ASGI application, on Lambda behind a REST API by way of Mangum."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from courtside.bootstrap import App
from courtside.entrypoints.schema import ERROR_TYPES, schema
from courtside.platform.dynamo.audit import JournalRefusals
from courtside.platform.gql.documents import Preparation, TrustedDocuments
from courtside.platform.gql.incoming import MODERN
from courtside.platform.gql.view import Door, View, Watch
from courtside.platform.identity import Fetch, identity
from courtside.platform.observability import Observer

TEXT_TYPES = [MODERN, "application/json"]


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
    return handler


def handler(event: Any, context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return _mangum()(event, context)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _mangum()  # during the container's start, which has a whole processor
