"""A client of the API: posts to the ASGI application, or through Mangum as a REST API does."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from courtside.entrypoints.graphql_http import build_app, lambda_handler
from courtside.platform.dynamo.meter import Meter
from courtside.platform.gql.documents import TrustedDocuments, document_id_of
from courtside.platform.gql.incoming import MODERN
from courtside.platform.gql.view import View
from courtside.platform.observability import Line
from testkit.app import TestApp
from testkit.signals import RecordedSignals
from testkit.tokens import token

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response; `meter` counts what it took, None through Mangum."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    meter: Meter | None = None

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def data(self) -> Any:
        """The data of an answer without errors."""
        assert "errors" not in self.body, self.body
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        """Codes of the response's errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", ())]


class Watched(RecordedSignals):
    """Takes what the view and its audit tell."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.faults: list[BaseException] = []

    def operation(self, line: Line) -> None:
        self.lines.append(line)

    def fault(self, error: BaseException, *, correlation: str) -> None:
        assert correlation
        self.faults.append(error)


@dataclass(slots=True, kw_only=True)
class Client:
    """Sends operations to one view as one signed-in person (or nobody)."""

    view: View
    token: str | None = None
    language: str = "zh-CN"
    accept: str = MODERN

    async def run(self, document: str, variables: Mapping[str, Any] | None = None) -> Answer:
        """Send a document of one's own."""
        return await self.post({"query": document, "variables": dict(variables or {})})

    async def trusted(self, document: str, variables: Mapping[str, Any] | None = None) -> Answer:
        """Send the id of a document's text in its place."""
        sent = {"documentId": document_id_of(document), "variables": dict(variables or {})}
        return await self.post(sent)

    async def post(self, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Send any JSON."""
        return await self.send(json.dumps(body).encode(), headers=headers)

    async def send(
        self, raw: bytes, *, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send any bytes."""
        sent = {**self._headers(), **(headers or {})}
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "headers": [(k.lower().encode(), v.encode()) for k, v in sent.items()],
        }
        exchange = _Exchange(raw)
        await self.view(scope, exchange.receive, exchange.send)
        return exchange.answer(scope["courtside"].meter)

    def through_gateway(
        self, raw: bytes | str, *, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send through Mangum with an event of the REST API, on Mangum's own loop."""
        return gateway(
            lambda_handler(self.view), raw, method, {**self._headers(), **(headers or {})}
        )

    def _headers(self) -> dict[str, str]:
        headers = {"content-type": JSON, "accept": self.accept, "accept-language": self.language}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        return headers


def serve(
    app: TestApp, *, documents: TrustedDocuments | None = None, development: bool = False
) -> tuple[View, Watched]:
    """The API on a test's application as it is deployed, and what it tells."""
    watched = Watched()
    settings = replace(app.app.settings, development=development)
    deployed = replace(app.app, foundation=replace(app.app.foundation, settings=settings))
    return build_app(deployed, watch=watched, documents=documents), watched


def sign_in(app: TestApp, view: View, subject: str, *, court: str, client: str = "web") -> Client:
    """A client of somebody who signed in just now."""
    signed = token(subject, court=court, now=app.clock.now(), client=client)
    return Client(view=view, token=signed)


def gateway(handler: Any, raw: bytes | str, method: str, headers: Mapping[str, str]) -> Answer:
    """One event of API Gateway's REST API through a Lambda handler."""
    answer = handler(rest_event(raw, method=method, headers=headers), LambdaContext())
    body = answer["body"]
    decoded = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
    return Answer(status=answer["statusCode"], headers=answer["headers"], raw=decoded)


class LambdaContext:
    """As much of Lambda's context as is read."""

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def rest_event(raw: bytes | str, *, method: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event that a regional REST API sends."""
    text = raw if isinstance(raw, str) else base64.b64encode(raw).decode()
    return {
        "resource": "/graphql",
        "path": "/graphql",
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "requestId": "c0ffee00-0000-4000-8000-000000000000",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": text,
        "isBase64Encoded": not isinstance(raw, str),
    }


class _Exchange:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._read = False
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = b""

    async def receive(self) -> dict[str, Any]:
        if self._read:
            await asyncio.Event().wait()
        self._read = True
        return {"type": "http.request", "body": self._raw, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self._body += message.get("body", b"")

    def answer(self, meter: Meter) -> Answer:
        return Answer(status=self._status, headers=self._headers, raw=self._body, meter=meter)
