"""Signed as the SDK signs."""

from datetime import UTC, datetime, timedelta

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials

from courtside.platform.signing import Credentials, Signer

AT = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
HOST = "dynamodb.cn-north-1.amazonaws.com.cn"
KIND = "application/x-amz-json-1.0"
TARGET = "DynamoDB_20120810.GetItem"


def theirs(body: bytes, *, token: str, at: datetime, monkeypatch: pytest.MonkeyPatch) -> str:
    """The SDK's signature of the same request."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: at)
    headers = {"content-type": KIND, "x-amz-target": TARGET}
    request = AWSRequest("POST", f"https://{HOST}", headers=headers, data=body)
    credentials = TheirCredentials("AKID", "secret", token or None)
    botocore.auth.SigV4Auth(credentials, "dynamodb", "cn-north-1").add_auth(request)
    signature: str = request.headers["Authorization"]
    return signature


@pytest.mark.parametrize("token", ["", "session"])
def test_signs_as_the_sdk_does(token, monkeypatch):
    credentials = Credentials("AKID", "secret", token)
    signer = Signer("dynamodb", region="cn-north-1", host=HOST, credentials=credentials)

    for at in (AT, AT, AT + timedelta(minutes=1)):
        body = f'{{"菜":"{at}"}}'.encode()
        signed = signer.signed(TARGET, body, kind=KIND, at=at)

        expected = theirs(body, token=token, at=at, monkeypatch=monkeypatch)
        assert signed["authorization"] == expected
        assert ("x-amz-security-token" in signed) is bool(token)


def test_credentials_are_those_of_the_environment():
    environment = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"}

    assert Credentials.of_environment(environment) == Credentials("A", "S", "")
    with pytest.raises(KeyError):
        Credentials.of_environment({})
