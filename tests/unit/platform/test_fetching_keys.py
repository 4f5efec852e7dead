"""What is fetched of an issuer: its keys, whole and small, or nothing."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from courtside.platform.identity import MAX_KEYS, fetch_json

ANSWERS = {
    "/keys": lambda: web.json_response({"keys": []}),
    "/named": lambda: web.json_response({"keys": [1]}),
    "/moved": lambda: web.Response(status=302, headers={"Location": "/keys"}),
    "/failed": lambda: web.Response(status=500, text="{}"),
    "/long": lambda: web.Response(text='{"a":"' + "x" * MAX_KEYS + '"}'),
    "/list": lambda: web.Response(text="[]"),
    "/page": lambda: web.Response(text="<html>"),
    "/twice": lambda: web.Response(text='{"keys":[],"keys":[]}'),
}


@pytest.fixture
async def issuer() -> AsyncIterator[str]:
    async def answer(request: web.BaseRequest) -> web.Response:
        name = "/named" if request.path_qs == "/keys?of=one" else request.path
        return ANSWERS[name]()

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_answers_the_object_behind_the_url(issuer):
    assert await fetch_json(f"{issuer}/keys") == {"keys": []}
    assert await fetch_json(f"{issuer}/keys?of=one") == {"keys": [1]}


@pytest.mark.parametrize("path", ["/moved", "/failed", "/long", "/list", "/page", "/twice"])
async def test_takes_nothing_else_for_keys(issuer, path):
    """A-01: no redirects, nothing long, nothing that is not one JSON object."""
    with pytest.raises((OSError, ValueError)):
        await fetch_json(f"{issuer}{path}")


async def test_says_when_nobody_is_there():
    with pytest.raises(OSError, match="Refused"):
        await fetch_json("http://127.0.0.1:1/keys")
