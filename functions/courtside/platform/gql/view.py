"""The one HTTP door: strawberry's ASGI view with the body, the statuses and the errors made strict.

It takes POST of `application/json` only, reads the top-level `documentId`, answers
`application/graphql-response+json` (with 4xx for documents that did not execute) to those who ask
for it, and says of a fault nothing but its correlation id.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol, cast

from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.types import ExecutionResult

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Language, Refusal
from courtside.platform.clock import Clock, deadline
from courtside.platform.dynamo.meter import Meter, metered
from courtside.platform.dynamo.tenancy import NOBODY, within
from courtside.platform.gql import incoming
from courtside.platform.gql.context import RefusalLog, RequestContext, Services
from courtside.platform.gql.documents import Preparation, TrustedDocuments
from courtside.platform.gql.execution import Schema, executed
from courtside.platform.gql.incoming import (
    LEGACY,
    MODERN,
    Rejected,
    Rejection,
    language_of,
    media_type_of,
)
from courtside.platform.gql.masking import cause_of, fault, is_fault, say, told
from courtside.platform.identity import Identity, InvalidToken, SignedIn
from courtside.platform.observability import Line
from courtside.platform.signals import Signal

AD_HOC = "ad_hoc"  # the operation name of any document that is not in the manifest
UNREAD = "unread"  # the operation name of a request that came to no document
CORRELATION = "x-correlation-id"


class Watch(Protocol):
    """Where the view tells what happened; `observability.Observer` in a running function."""

    def operation(self, line: Line) -> None: ...

    def fault(self, error: BaseException, *, correlation: str) -> None: ...

    def emit(self, signal: Signal, *, count: int = 1, **facts: str | int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What the view needs of the application. `seconds` is the longest that a request may take."""

    services: Services
    refusals: RefusalLog
    error_types: Mapping[type[Refusal], type[Any]]
    identity: Identity
    documents: TrustedDocuments
    preparation: Preparation
    clock: Clock
    watch: Watch
    seconds: float
    development: bool = False


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and what became of it."""

    began: float
    now: datetime
    language: Language
    media_type: str
    correlation: str
    meter: Meter
    client: SignedIn | None = None
    context: RequestContext | None = None
    operation: str = UNREAD
    outcome: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Adapter(StarletteRequestAdapter):
    """Strawberry's view of a request, and the request itself."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.request = request


class View(GraphQL[RequestContext, None]):
    """The ASGI application behind `POST /graphql`."""

    request_adapter_class = Adapter

    def __init__(self, schema: Schema, door: Door) -> None:
        super().__init__(
            schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=()
        )
        self._strawberry = schema
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocket(scope, receive=receive, send=send).close()
            return
        request = Request(scope, receive)
        with metered() as meter:
            exchange = scope["courtside"] = self._open(request, meter)
            with deadline(self._door.clock, self._seconds(scope)):
                response = await self._answer(request, exchange)
        response.headers[CORRELATION] = exchange.correlation
        response.headers["cache-control"] = "no-store"
        self._tell(exchange, response.status_code)
        await response(scope, receive, send)

    def is_request_allowed(self, request: Any) -> bool:
        return bool(request.method == "POST")

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """The one operation of the body, its document found and permitted."""
        sent = cast("Adapter", request).request
        body = incoming.decode(await incoming.read(sent))
        data = GraphQLRequestData(
            query=_optional(body, "query", str),
            variables=_optional(body, "variables", dict),
            operation_name=_optional(body, "operationName", str),
            extensions=_optional(body, "extensions", dict),
        )
        return self._document(data, _optional(body, "documentId", str), sent.scope["courtside"])

    async def execute_operation(  # type: ignore[override]
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,  # noqa: ARG002
        request_data: GraphQLRequestData,
        context: RequestContext,
        root_value: None,  # noqa: ARG002
        sub_response: Response,
    ) -> ExecutionResult:
        """Run it; with the modern media type a document that did not execute is a 400."""
        exchange: Exchange = request.scope["courtside"]
        query = request_data.query or ""
        name = request_data.operation_name
        prepared = self._door.preparation.prepare(self._strawberry, query, name)
        if prepared.document is None or prepared.errors:
            result = ExecutionResult(data=None, errors=prepared.errors)
        else:
            result = await executed(
                self._strawberry,
                prepared.document,
                variables=request_data.variables,
                context=context,
                operation_name=name,
            )
        if not _executed(result) and exchange.media_type == MODERN:
            sub_response.status_code = HTTPStatus.BAD_REQUEST
        sub_response.media_type = exchange.media_type
        return result

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """The answer's JSON: masked errors, and no `data` for what did not execute."""
        exchange: Exchange = request.scope["courtside"]
        answer: GraphQLHTTPResponse = {"data": result.data} if _executed(result) else {}
        if result.errors:
            answer["errors"] = [self._told(error, exchange) for error in result.errors]
            if not _executed(result):
                exchange.outcome = _code(answer)
        return answer

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        return Response(
            self.encode_json(response_data),
            status_code=sub_response.status_code or HTTPStatus.OK,
            media_type=sub_response.media_type,
        )

    def encode_json(self, data: object) -> bytes:
        """UTF-8 as it is: a Han character is three bytes, not six."""
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()

    def _open(self, request: Request, meter: Meter) -> Exchange:
        door, headers = self._door, request.headers
        return Exchange(
            began=door.clock.monotonic(),
            now=door.clock.now(),
            language=language_of(headers.get("accept-language", "")),
            media_type=media_type_of(headers.get("accept", "")),
            correlation=_correlation(request.scope),
            meter=meter,
        )

    async def _answer(self, request: Request, exchange: Exchange) -> Response:
        """The response to anything that can be sent: 2xx, 4xx, or 500 for a fault."""
        try:
            if not exchange.media_type:
                raise Rejected(incoming.NOT_ACCEPTABLE)  # noqa: TRY301
            exchange.client = await self._sign_in(request, exchange)
            exchange.context = self._context(exchange)
            with within(_court_of(exchange.client)):
                return await self.run(request, exchange.context)
        except Rejected as rejected:
            return self._rejected(exchange, rejected.rejection)
        except HTTPException as refused:
            return self._rejected(exchange, _of_status(refused.status_code))
        except Exception as error:  # noqa: BLE001 - the last resort: nothing of it may be told
            self._door.watch.fault(error, correlation=exchange.correlation)
            exchange.outcome = "INTERNAL"
            errors = [fault(exchange.language, exchange.correlation)]
            return self._error(exchange, HTTPStatus.INTERNAL_SERVER_ERROR, errors)

    def _rejected(self, exchange: Exchange, rejected: Rejection) -> Response:
        exchange.outcome = rejected.code
        message = say(rejected.text, exchange.language)
        errors = [{"message": message, "extensions": {"code": rejected.code}}]
        response = self._error(exchange, rejected.status, errors)
        if rejected.status == HTTPStatus.UNAUTHORIZED:
            response.headers["www-authenticate"] = 'Bearer error="invalid_token"'
        if rejected.status == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["allow"] = "POST"
        return response

    def _error(self, exchange: Exchange, status: int, errors: list[dict[str, Any]]) -> Response:
        body = self.encode_json({"errors": errors})
        return Response(body, status_code=status, media_type=exchange.media_type or LEGACY)

    async def _sign_in(self, request: Request, exchange: Exchange) -> SignedIn | None:
        """Who asks by the bearer token; None without one; 401 for one that is not right."""
        given = request.headers.get("authorization")
        if given is None:
            return None
        scheme, _, token = given.partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise InvalidToken("SCHEME")  # noqa: TRY301
            return await self._door.identity.verify(token.strip(), now=exchange.now)
        except InvalidToken as refused:
            self._door.watch.emit(Signal.TOKEN_REFUSED, reason=refused.reason)
            raise Rejected(incoming.INVALID_TOKEN) from None

    def _context(self, exchange: Exchange) -> RequestContext:
        door, client = self._door, exchange.client
        return RequestContext(
            services=door.services,
            refusals=door.refusals,
            error_types=door.error_types,
            now=exchange.now,
            language=exchange.language,
            correlation=exchange.correlation,
            meter=exchange.meter,
            signed_in=None if client is None else client.principal,
        )

    def _document(
        self, data: GraphQLRequestData, document_id: str | None, exchange: Exchange
    ) -> GraphQLRequestData:
        """The request with its document. Nothing is parsed for those who may not send their own."""
        if document_id is not None:
            if data.query is not None:
                raise Rejected(incoming.TWO_DOCUMENTS)
            operation = self._door.documents.find(document_id)
            if operation is None:
                self._door.watch.emit(Signal.DOCUMENT_REFUSED, reason="UNKNOWN")
                raise Rejected(incoming.UNKNOWN_DOCUMENT)
            exchange.operation = operation.name
            return replace(data, query=operation.text)
        if not data.query:
            raise Rejected(incoming.NO_DOCUMENT)
        if not self._may_send_documents(exchange.client):
            self._door.watch.emit(Signal.DOCUMENT_REFUSED, reason="NOT_TRUSTED")
            raise Rejected(incoming.NOT_TRUSTED)
        exchange.operation = AD_HOC
        return data

    def _may_send_documents(self, client: SignedIn | None) -> bool:
        return self._door.development or (client is not None and client.client.ad_hoc)

    def _told(self, error: GraphQLError, exchange: Exchange) -> dict[str, Any]:
        if is_fault(error):
            self._door.watch.fault(cause_of(error), correlation=exchange.correlation)
            exchange.outcome = "INTERNAL"
        return told(error, exchange.language, exchange.correlation)

    def _seconds(self, scope: Scope) -> float:
        """The settings' deadline, or what Lambda has left less half a second to answer in."""
        context = scope.get("aws.context")
        if context is None:
            return self._door.seconds
        left: float = context.get_remaining_time_in_millis() / 1000 - 0.5
        return min(self._door.seconds, left)

    def _tell(self, exchange: Exchange, status: int) -> None:
        client, context, meter = exchange.client, exchange.context, exchange.meter
        principal: Principal | None = None if client is None else client.principal
        reached = "OK" if context is None else context.outcome
        self._door.watch.operation(
            Line(
                operation=exchange.operation,
                principal="-" if principal is None else principal.name,
                outcome=exchange.outcome or reached,
                status=status,
                milliseconds=(self._door.clock.monotonic() - exchange.began) * 1000,
                calls=meter.calls,
                rounds=meter.rounds,
                attempts=meter.attempts,
                correlation=exchange.correlation,
            )
        )


def _court_of(client: SignedIn | None) -> str:
    return NOBODY if client is None else client.principal.court


def _optional(body: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise Rejected(incoming.WRONG_TYPE)
    return value


def _executed(result: ExecutionResult) -> bool:
    """Whether any field ran: errors of variables come without a path and without data."""
    return result.data is not None or any(error.path for error in result.errors or ())


def _code(answer: GraphQLHTTPResponse) -> str:
    first: Any = (answer.get("errors") or [{}])[0]
    return str(first["extensions"]["code"])


def _of_status(status: int) -> Rejection:
    """What strawberry refuses by itself, in our words."""
    return incoming.METHOD if status == HTTPStatus.METHOD_NOT_ALLOWED else incoming.OPERATION


def _correlation(scope: Scope) -> str:
    """The gateway's request id, or a random one; never the caller's."""
    event = scope.get("aws.event")
    if event is None:
        return secrets.token_hex(8)
    return str(event["requestContext"].get("requestId") or secrets.token_hex(8))
