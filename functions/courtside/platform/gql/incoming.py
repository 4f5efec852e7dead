"""What may come in at the door: the body's bounds and shape, and what the headers ask for.

Everything wrong with a request before any document runs is one of the rejections named here.
"""

import json
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect, Request

from courtside.kernel.errors import Language, NotSignedIn, Text

MODERN = "application/graphql-response+json"
LEGACY = "application/json"
MAX_BODY = 262_144  # bytes; files travel by upload grants, never through here


class Rejection(NamedTuple):
    """One way in which a request is answered before any document runs."""

    status: HTTPStatus
    code: str
    text: Text


class Rejected(Exception):
    """Ends such a request."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.code)
        self.rejection = rejection


def _body(code: str, zh: str, en: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Rejection:
    return Rejection(status, code, Text(zh=zh, en=en))


INVALID_TOKEN = Rejection(HTTPStatus.UNAUTHORIZED, NotSignedIn.code, NotSignedIn.text)
NOT_TRUSTED = _body(
    "DOCUMENT_NOT_TRUSTED",
    "此客户端只能以 documentId 使用已登记的操作。",
    "This client may only use registered operations, by documentId.",
    HTTPStatus.FORBIDDEN,
)
UNKNOWN_DOCUMENT = _body(
    "DOCUMENT_UNKNOWN",
    "没有登记这个 documentId,请更新应用。",
    "No document of that documentId is registered. Update the application.",
    HTTPStatus.NOT_FOUND,
)
TWO_DOCUMENTS = _body(
    "BODY_INVALID", "documentId 与 query 只能给一个。", "Give documentId or query, not both."
)
NO_DOCUMENT = _body(
    "BODY_INVALID", "请求须含 documentId 或 query。", "Expected documentId or query."
)
NOT_JSON = _body("BODY_INVALID", "请求体须是一个 JSON 对象。", "Expected one JSON object.")
BATCH = _body("BATCH", "一次请求只能有一个操作。", "One operation a request.")
WRONG_TYPE = _body(
    "BODY_INVALID", "请求体的字段类型有误。", "A field of the body has the wrong type."
)
TOO_LONG = _body(
    "BODY_TOO_LONG",
    "请求体过大。",
    "The body is too long.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
)
MEDIA_TYPE = _body(
    "MEDIA_TYPE",
    "请以 application/json 提交,不加压缩。",
    "Send application/json, not compressed.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
NOT_ACCEPTABLE = _body(
    "NOT_ACCEPTABLE",
    "只能以 application/json 或 application/graphql-response+json 答复。",
    "Only application/json and application/graphql-response+json are answered.",
    HTTPStatus.NOT_ACCEPTABLE,
)
METHOD = _body(
    "METHOD", "请以 POST 提交。", "Only POST is answered.", HTTPStatus.METHOD_NOT_ALLOWED
)
OPERATION = _body(
    "OPERATION_NAME", "没有这个 operationName。", "No operation of that operationName."
)


def decode(raw: bytes) -> dict[str, Any]:
    """The body's JSON object. Rejected for anything else: other JSON, too deep, not UTF-8, NaN,
    numbers beyond reading, half a surrogate pair."""
    try:
        text = raw.decode()
        found = json.loads(text, parse_constant=_no_constant)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Rejected(NOT_JSON) from None
    if isinstance(found, list):
        raise Rejected(BATCH)
    if not isinstance(found, dict):
        raise Rejected(NOT_JSON)
    return found


@lru_cache(maxsize=256)
def language_of(accepted: str) -> Language:
    """Chinese unless English is preferred to it."""
    weights = {"zh": 0.0, "en": 0.0}
    for part in accepted.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        name = tag[:2]
        if name in weights:
            weights[name] = max(weights[name], _weight(weight))
    return "en" if weights["en"] > weights["zh"] else "zh"


@lru_cache(maxsize=256)
def media_type_of(accepted: str) -> str:
    """The media type to answer with, or nothing if neither is accepted."""
    names = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    if MODERN in names:
        return MODERN
    return LEGACY if names & {LEGACY, "application/*", "*/*", ""} else ""


async def read(request: Request) -> bytes:
    """The body, read no further than its limit."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != LEGACY or request.headers.get("content-encoding", "identity") != "identity":
        raise Rejected(MEDIA_TYPE)
    parts, length = [], 0
    try:
        async for part in request.stream():
            parts.append(part)
            length += len(part)
            if length > MAX_BODY:
                raise Rejected(TOO_LONG)
    except ClientDisconnect:
        raise Rejected(NOT_JSON) from None
    return b"".join(parts)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0
