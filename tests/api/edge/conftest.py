"""The API as deployed, on the whole application, with nobody in its court yet."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from courtside.platform.gql.documents import MANIFEST, TrustedDocuments, make_manifest
from testkit.app import TestApp, build_app
from testkit.graphql import Client, Watched, serve, sign_in
from testkit.tokens import issuers

COURT = "BJ01"
NOW_DOCUMENT = "query ServerNow {\n  serverNow\n}\n"


@pytest.fixture
def app(tmp_path) -> Iterator[TestApp]:
    with build_app(tmp_path / "data", issuers=issuers(COURT)) as made:
        yield made


@pytest.fixture
def documents(tmp_path) -> TrustedDocuments:
    """A manifest of one operation."""
    folder = tmp_path / "operations"
    (folder / "phone").mkdir(parents=True)
    (folder / "phone" / "ServerNow.graphql").write_text(NOW_DOCUMENT, "utf-8")
    (folder / MANIFEST).write_text(json.dumps(make_manifest(folder)), "utf-8")
    return TrustedDocuments(folder)


@pytest.fixture
def served(app, documents):
    return serve(app, documents=documents)


@pytest.fixture
def watched(served) -> Watched:
    return served[1]


@pytest.fixture
def anybody(served) -> Client:
    """Nobody signed in."""
    return Client(view=served[0])


@pytest.fixture
def web(app, served) -> Client:
    """A client that may send documents of its own."""
    return sign_in(app, served[0], "judge", court=COURT)


@pytest.fixture
def phone(app, served) -> Client:
    """A client that may only use trusted documents."""
    return sign_in(app, served[0], "judge", court=COURT, client="phone")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop that Mangum finds, as Lambda's thread has one."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    made.close()
    asyncio.set_event_loop(None)
