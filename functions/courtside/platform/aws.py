"""KMS, SQS and the table of keys over their JSON interface, without an SDK.

A container needs them for a handful of calls before its first answer, and importing and building
boto3's clients takes longer than everything else in a cold start (docs/adr/0040). The classes
answer what boto3's clients answer, as far as it is asked for here. Each call blocks.
"""

import base64
import http.client
import json
import os
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from courtside.platform.settings import Settings
from courtside.platform.signing import Credentials, Signer

_CONTENT_TYPES = {"kms": "application/x-amz-json-1.1"}
_USUAL_TYPE = "application/x-amz-json-1.0"
_CONNECT = 1.0  # seconds
_READ = 5.0
_TRIES = 3
_PAUSE = 0.05  # seconds before the second try, twice that before the third


class AwsRefused(Exception):
    """A service refused a call; `code` is its exception's name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unreachable(Exception):
    """A service gave no usable answer, however often it was asked."""


class _Later(Exception):
    """The service is busy or failed: asked again, it may answer."""


class JsonService:
    """One service of one region; `prefix` names its interface in `X-Amz-Target`."""

    def __init__(self, name: str, prefix: str, *, region: str, endpoint: str) -> None:
        self._name = name
        self._prefix = prefix
        self._where = urlsplit(endpoint)
        self._signer = Signer(
            name,
            region=region,
            host=self._where.netloc,
            credentials=Credentials.of_environment(),
        )
        self._connection: http.client.HTTPConnection | None = None

    def call(self, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one call. AwsRefused, or Unreachable after the third try."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        failure: Exception | None = None
        for attempt in range(_TRIES):
            time.sleep(_PAUSE * attempt)
            try:
                return _accepted(*self._send(action, body))
            except (OSError, http.client.HTTPException, _Later) as failed:
                self.close()
                failure = failed
        raise Unreachable(f"{self._name} {action}") from failure

    def _send(self, action: str, body: bytes) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = _connect(self._where.scheme, self._where.netloc)
        target = f"{self._prefix}.{action}"
        kind = _CONTENT_TYPES.get(self._name, _USUAL_TYPE)
        at = datetime.now(UTC)  # noqa: TID251 - a signature's time
        headers = self._signer.signed(target, body, kind=kind, at=at)
        self._connection.request("POST", "/", body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """End the connection; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Kms:
    """Data keys, opened and made."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def decrypt(
        self,
        *,
        CiphertextBlob: bytes,  # noqa: N803 - as the service names them
        KeyId: str,  # noqa: N803
        EncryptionContext: Mapping[str, str],  # noqa: N803
    ) -> dict[str, Any]:
        answer = self._service.call(
            "Decrypt",
            {
                "CiphertextBlob": base64.b64encode(CiphertextBlob).decode(),
                "KeyId": KeyId,
                "EncryptionContext": dict(EncryptionContext),
            },
        )
        return {**answer, "Plaintext": base64.b64decode(answer["Plaintext"])}

    def generate_data_key_without_plaintext(self, **asked: Any) -> dict[str, Any]:
        answer = self._service.call("GenerateDataKeyWithoutPlaintext", asked)
        return {**answer, "CiphertextBlob": base64.b64decode(answer["CiphertextBlob"])}


class Sqs:
    """Queues: sending, and putting off what was received."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        asked = {"QueueUrl": QueueUrl, "Entries": list(Entries)}
        return self._service.call("SendMessageBatch", asked)

    def change_message_visibility_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        asked = {"QueueUrl": QueueUrl, "Entries": list(Entries)}
        return self._service.call("ChangeMessageVisibilityBatch", asked)


class KeyTable:
    """Get and conditional put of items whose binary values are bytes."""

    class exceptions:  # noqa: N801 - as boto3's clients have them
        class ConditionalCheckFailedException(Exception):
            pass

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def get_item(self, **asked: Any) -> dict[str, Any]:
        answer = self._service.call("GetItem", asked)
        if "Item" not in answer:
            return {}
        return {"Item": {name: _bytes(value) for name, value in answer["Item"].items()}}

    def put_item(self, *, Item: Mapping[str, Any], **asked: Any) -> dict[str, Any]:  # noqa: N803
        item = {name: _base64(value) for name, value in Item.items()}
        try:
            return self._service.call("PutItem", {**asked, "Item": item})
        except AwsRefused as refused:
            if refused.code == "ConditionalCheckFailedException":
                raise self.exceptions.ConditionalCheckFailedException from None
            raise


def kms(settings: Settings) -> Kms:
    """KMS of the function's own region."""
    return Kms(_service("kms", "TrentService", settings))


def sqs(settings: Settings) -> Sqs:
    """SQS of the function's own region."""
    return Sqs(_service("sqs", "AmazonSQS", settings))


def key_table(settings: Settings) -> KeyTable:
    """The engine that has the table of keys."""
    name, prefix = "dynamodb", "DynamoDB_20120810"
    return KeyTable(JsonService(name, prefix, region=settings.region, endpoint=settings.endpoint))


def _service(name: str, prefix: str, settings: Settings) -> JsonService:
    """Beside the tables' endpoint, unless the SDK's own variable says otherwise."""
    usual = f"https://{name}.{settings.region}.{settings.url_suffix}"
    endpoint = os.environ.get(f"AWS_ENDPOINT_URL_{name.upper()}", usual)
    return JsonService(name, prefix, region=settings.region, endpoint=endpoint)


def _connect(scheme: str, netloc: str) -> http.client.HTTPConnection:
    """A connection that takes at most a second to open and five to answer."""
    if scheme == "http":
        connection = http.client.HTTPConnection(netloc, timeout=_CONNECT)
    else:
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(netloc, timeout=_CONNECT, context=context)
    connection.connect()
    connection.sock.settimeout(_READ)
    return connection


def _accepted(status: int, answer: bytes) -> dict[str, Any]:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _Later(str(status))
    found: dict[str, Any] = json.loads(answer or b"{}")
    if status == HTTPStatus.OK:
        return found
    code = str(found.get("__type", status)).rpartition("#")[2]
    raise _Later(code) if "Throttl" in code else AwsRefused(code)


def _base64(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value


def _bytes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"B": base64.b64decode(value["B"])} if "B" in value else value
