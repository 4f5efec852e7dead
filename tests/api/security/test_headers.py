"""G-13 and A-09: no cookie signs anybody in, no origin is answered, and no header that a client
sends says where from, which path or which host a request is."""

import asyncio
import json
from itertools import product

import pytest

from courtside.entrypoints.graphql_http import lambda_handler
from testkit.factories.living import JUDGE, ROOT
from testkit.factories.people import COURT
from testkit.figures import record
from testkit.graphql import LambdaContext, rest_event, serve, sign_in
from testkit.tokens import token

ME = json.dumps({"query": "{ me { person { name } } }"})
ORIGINS = ["https://evil.example", "null", "https://court.example.gov.cn", "file://", ""]
REQUEST_ID = "c0ffee00-0000-4000-8000-000000000000"
SPOOFED = [
    "127.0.0.1",
    "10.0.0.1, 127.0.0.1",
    "::1",
    "169.254.169.254",
    "evil.example/admin",
    "'\"<>",
]
FORWARDING = [
    "host",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-original-url",
    "x-rewrite-url",
    "x-real-ip",
    "x-client-ip",
    "x-host",
    "x-http-method-override",
    "x-correlation-id",
    "x-amzn-trace-id",
    "x-amz-date",
    "true-client-ip",
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "via",
    "referer",
    "x-user",
    "x-remote-user",
    "x-court",
    "x-tenant-id",
    "x-principal",
    "x-roles",
    "x-apigateway-event",
    "x-amzn-requestid",
    "x-courtside-court",
    "x-forwarded-user",
    "x-scope",
    "x-original-host",
    "x-wap-profile",
]


@pytest.fixture
def door(living):
    return serve(living.court.app, development=True)


@pytest.fixture
def loop():
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    made.close()
    asyncio.set_event_loop(None)


class TestCookies:
    """G-13."""

    @pytest.mark.parametrize("name", ["token", "access_token", "Authorization", "session", "jwt"])
    async def test_sign_nobody_in(self, living, door, name):
        signed = token(ROOT, court=COURT, now=living.court.now)
        nobody = sign_in(living.court.app, door[0], ROOT, court=COURT)
        nobody.token = None

        for value in (signed, f"Bearer {signed}", f"Bearer%20{signed}"):
            answer = await nobody.send(ME.encode(), headers={"cookie": f"{name}={value}"})
            assert answer.codes == ["NOT_SIGNED_IN"]
            assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("where", ["x-access-token", "x-api-key", "x-auth", "token"])
    async def test_nor_does_another_header(self, living, door, where):
        signed = token(ROOT, court=COURT, now=living.court.now)
        nobody = sign_in(living.court.app, door[0], ROOT, court=COURT)
        nobody.token = None

        answer = await nobody.send(ME.encode(), headers={where: signed})

        assert answer.codes == ["NOT_SIGNED_IN"]


class TestOrigins:
    """G-13."""

    @pytest.mark.parametrize(
        ("origin", "method"), list(product(ORIGINS, ["POST", "OPTIONS", "GET"]))
    )
    async def test_are_answered_without_leave(self, living, door, origin, method):
        headers = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        client = sign_in(living.court.app, door[0], ROOT, court=COURT)

        answer = await client.send(ME.encode(), method=method, headers=headers)

        assert answer.status == (200 if method == "POST" else 405)
        assert [name for name in answer.headers if name.startswith("access-control-")] == []
        record("G-13", "origins and cookies accepted", "0")


class TestForwarding:
    """A-09, through events of the REST API."""

    @pytest.mark.parametrize("header", FORWARDING)
    def test_influences_nothing(self, loop, living, door, header):
        view, watched = door
        client = sign_in(living.court.app, view, JUDGE, court=COURT)
        plain = client.through_gateway(ME)

        for value in SPOOFED:
            answer = client.through_gateway(ME, headers={header: value})
            assert (answer.status, answer.raw) == (plain.status, plain.raw)
            assert answer.headers["x-correlation-id"] == REQUEST_ID
        lines = watched.lines
        assert {line.correlation for line in lines} == {REQUEST_ID}
        assert {line.principal for line in lines} == {living.judge.name}
        record("A-09", "requests influenced", f"0 of {len(FORWARDING) * len(SPOOFED)}")

    @pytest.mark.parametrize("header", ["host", "x-forwarded-port"])
    def test_does_not_even_fail(self, loop, living, door, header):
        """The adapter took these apart and failed on what it did not expect, quoting it."""
        client = sign_in(living.court.app, door[0], JUDGE, court=COURT)

        statuses = {
            client.through_gateway(ME, headers={header: value}).status
            for value in ("a:b:c", "::", "x", "", "-1", "九")
        }

        assert statuses == {200}

    @pytest.mark.parametrize("path", ["/", "/admin", "//evil.example/graphql", "/graphql/..", "*"])
    def test_a_path_is_the_gateways_and_decides_nothing(self, loop, living, door, path):
        client = sign_in(living.court.app, door[0], JUDGE, court=COURT)
        headers = {"content-type": "application/json", "authorization": f"Bearer {client.token}"}
        event = rest_event(ME, method="POST", headers=headers) | {"path": path}

        answer = lambda_handler(door[0])(event, LambdaContext())

        assert answer["body"] == client.through_gateway(ME).raw.decode()
