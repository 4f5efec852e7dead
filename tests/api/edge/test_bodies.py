"""G-05, G-11 and G-12: whatever is sent, the answer is a 4xx in both languages and never a 5xx."""

import gzip
import json

import pytest

from testkit.graphql import JSON, MODERN

FINE = json.dumps({"query": "{serverNow}"})
BOMB = "{" + "a{" * 10_000 + "a" + "}" * 10_001


def query(text: str) -> str:
    return json.dumps({"query": text})


BODIES: dict[str, tuple[bytes | str, int]] = {
    "nothing": (b"", 400),
    "a space": (b" ", 400),
    "half": (FINE[:-1], 400),
    "a comma too many": ('{"query":"{serverNow}",}', 400),
    "single quotes": ("{'query':'{serverNow}'}", 400),
    "two objects": (FINE * 2, 400),
    "null": ("null", 400),
    "true": ("true", 400),
    "a number": ("5", 400),
    "a text": ('"x"', 400),
    "an empty list": ("[]", 400),
    "a batch of one": (f"[{FINE}]", 400),
    "a batch of two": (f"[{FINE},{FINE}]", 400),
    "a batch of 1000": (f"[{','.join([FINE] * 1000)}]", 400),
    "a list of numbers": ("[1,2]", 400),
    "an empty object": ("{}", 400),
    "200,000 brackets": ("[" * 200_000, 400),
    "200,000 objects": ('{"a":' * 40_000, 400),
    "deep variables": ('{"query":"{serverNow}","variables":{"a":' + "[" * 90_000, 400),
    "deep variables, closed": (
        '{"query":"{serverNow}","variables":{"a":' + "[" * 900 + "]" * 900 + "}}",
        200,
    ),
    "a huge integer": ('{"query":"{serverNow}","variables":{"a":' + "9" * 5_000 + "}}", 400),
    "a huge float": ('{"query":"{serverNow}","variables":{"a":1e999999}}', 200),
    "NaN": ('{"query":"{serverNow}","variables":{"a":NaN}}', 400),
    "Infinity": ('{"query":"{serverNow}","variables":{"a":-Infinity}}', 400),
    "NaN as the body": ("NaN", 400),
    "half a surrogate pair": ('{"query":"{serverNow}","variables":{"a":"\\ud83d"}}', 400),
    "half a pair in a name": ('{"query":"{serverNow}","variables":{"\\uDC00":1}}', 400),
    "half a pair in the query": ('{"query":"{serverNow} #\\ud800"}', 400),
    "a whole surrogate pair": ('{"query":"{serverNow}","variables":{"a":"\\ud83d\\ude00"}}', 200),
    "an escaped backslash": ('{"query":"{serverNow}","variables":{"a":"\\\\ud83d"}}', 200),
    "a byte order mark": (b"\xef\xbb\xbf" + FINE.encode(), 400),
    "UTF-16": (FINE.encode("utf-16"), 400),
    "UTF-32": (FINE.encode("utf-32-le"), 400),
    "Latin 1": (b'{"query":"{serverNow}","variables":{"a":"\xe9"}}', 400),
    "a NUL": (b'{"query":"{serverNow}\x00"}', 400),
    "an escaped NUL": ('{"query":"{serverNow}\\u0000"}', 400),
    "GB 18030": ('{"query":"{serverNow}","variables":{"a":"张三"}}'.encode("gb18030"), 400),
    "gzip": (gzip.compress(FINE.encode()), 400),
    "a form": (b"query=%7BserverNow%7D", 400),
    "multipart": (b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}\r\n', 400),
    "XML": (b"<query/>", 400),
    "query null": ('{"query":null}', 400),
    "query empty": (query(""), 400),
    "query a number": ('{"query":5}', 400),
    "query a list": ('{"query":["{serverNow}"]}', 400),
    "query an object": ('{"query":{"a":1}}', 400),
    "query false": ('{"query":false}', 400),
    "variables a list": ('{"query":"{serverNow}","variables":[]}', 400),
    "variables a text": ('{"query":"{serverNow}","variables":"{}"}', 400),
    "variables zero": ('{"query":"{serverNow}","variables":0}', 400),
    "extensions a text": ('{"query":"{serverNow}","extensions":"x"}', 400),
    "operationName a number": ('{"query":"{serverNow}","operationName":5}', 400),
    "operationName a list": ('{"query":"{serverNow}","operationName":["A"]}', 400),
    "operationName unknown": ('{"query":"{serverNow}","operationName":"A"}', 400),
    "operationName empty": ('{"query":"{serverNow}","operationName":""}', 400),
    "documentId a number": ('{"documentId":5}', 400),
    "documentId a list": ('{"documentId":[]}', 400),
    "documentId unknown": ('{"documentId":"x"}', 404),
    "one megabyte of query": (query("{" + "a " * 500_000 + "}"), 413),
    "one megabyte of spaces": (FINE + " " * 1_000_000, 413),
    "200 KB of query": (query("{" + "a " * 100_000 + "}"), 400),
    "10,000 nested selections": (query(BOMB), 400),
    "10,000 comments": (query("#\n" * 10_000 + "{serverNow}"), 400),
    "a query of spaces": (query(" " * 1_000), 400),
    "a query of brackets": (query("[" * 5_000), 400),
    "an endless name": (query("{" + "a" * 100_000 + "}"), 400),
    "an endless text": (query('{a(b:"' + "x" * 100_000 + '")}'), 400),
    "an open block text": (query('{a(b:"""' + "x" * 1_000), 400),
    "1,000 directives": (query("{serverNow" + " @skip(if:false)" * 300 + "}"), 400),
    "unknown fields beside": ('{"query":"{serverNow}","id":1,"extra":[{}]}', 200),
}


class TestBodies:
    """G-05, through the Lambda handler with events of the REST API."""

    @pytest.mark.parametrize("accept", [MODERN, JSON])
    @pytest.mark.parametrize("name", BODIES)
    def test_is_answered_as_what_it_is(self, loop, web, name, accept):
        body, status = BODIES[name]
        web.accept = accept

        answer = web.through_gateway(body)

        executes = status == 200
        assert answer.status == status or (accept == JSON and answer.status == 200)
        assert answer.status < 500
        assert ("errors" in answer.body) is not executes
        assert answer.headers["content-type"] == accept
        assert answer.headers["cache-control"] == "no-store"

    def test_has_about_sixty_bodies(self):
        assert len(BODIES) >= 60


class TestMethodsAndMediaTypes:
    """G-12."""

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "X"])
    async def test_answers_only_post(self, web, method):
        answer = await web.send(FINE.encode(), method=method)

        assert answer.status == 405
        assert answer.headers["allow"] == "POST"

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "text/plain",
            "application/jsonx",
            "application/json-patch+json",
            "application/graphql",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain; application/json",
            "application/json, text/plain",
        ],
    )
    async def test_refuses_other_content(self, web, content_type):
        answer = await web.send(FINE.encode(), headers={"content-type": content_type})

        assert (answer.status, answer.codes) == (415, ["MEDIA_TYPE"])

    async def test_takes_a_charset_beside_the_type(self, web):
        headers = {"content-type": "Application/JSON; charset=utf-8"}

        assert (await web.send(FINE.encode(), headers=headers)).status == 200

    async def test_refuses_compressed_content(self, web):
        headers = {"content-encoding": "gzip"}

        answer = await web.send(gzip.compress(FINE.encode()), headers=headers)

        assert (answer.status, answer.codes) == (415, ["MEDIA_TYPE"])

    @pytest.mark.parametrize(
        ("accept", "status", "media_type"),
        [
            (MODERN, 200, MODERN),
            (f"{JSON};q=0.5, {MODERN}", 200, MODERN),
            (JSON, 200, JSON),
            ("*/*", 200, JSON),
            ("", 200, JSON),
            ("application/*", 200, JSON),
            ("text/html", 406, JSON),
            ("multipart/mixed", 406, JSON),
            ("text/event-stream", 406, JSON),
        ],
    )
    async def test_answers_in_the_media_type_that_is_asked_for(
        self, web, accept, status, media_type
    ):
        answer = await web.send(FINE.encode(), headers={"accept": accept})

        assert (answer.status, answer.headers["content-type"]) == (status, media_type)


class TestLanguages:
    @pytest.mark.parametrize(
        ("accepted", "message"),
        [
            ("zh-CN,en;q=0.8", "一次请求只能有一个操作。"),
            ("en", "One operation a request."),
            ("en-GB;q=0.9, zh;q=0.8", "One operation a request."),
            ("zh;q=0.1, en;q=0.05", "一次请求只能有一个操作。"),
            ("", "一次请求只能有一个操作。"),
            ("fr", "一次请求只能有一个操作。"),
            ("en;q=x", "一次请求只能有一个操作。"),
        ],
    )
    async def test_speaks_the_callers_language(self, web, accepted, message):
        answer = await web.send(b"[]", headers={"accept-language": accepted})

        assert answer.body["errors"][0]["message"] == message

    async def test_writes_chinese_as_it_is(self, web):
        answer = await web.send(b"[]")

        assert "一次请求".encode() in answer.raw


class TestTokens:
    @pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer  a.b.c"])
    async def test_answers_401_to_what_is_no_token(self, web, watched, given):
        answer = await web.send(FINE.encode(), headers={"authorization": given})

        assert (answer.status, answer.codes) == (401, ["NOT_SIGNED_IN"])
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert watched.faults == []
