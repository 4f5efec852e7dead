"""The door on Lambda: deadline, correlation, warm containers, and what never opens."""

import asyncio
from typing import Any

import pytest
import strawberry

from courtside.entrypoints.graphql_http import lambda_handler, operations_folder
from courtside.platform.clock import ends_at
from courtside.platform.dynamo.meter import current
from courtside.platform.gql.execution import Schema
from courtside.platform.gql.payloads import Info
from courtside.platform.gql.view import View
from testkit.graphql import LambdaContext, rest_event

BODY = '{"query":"{left}"}'
SEEN: list[Any] = []


@strawberry.type
class Query:
    @strawberry.field
    async def left(self, info: Info) -> str:
        await asyncio.sleep(0)
        assert current() is info.context.meter
        SEEN.append(info.context)
        return str(ends_at(info.context.get(object)))


class Ending(LambdaContext):
    """A container that is ended soon."""

    def get_remaining_time_in_millis(self) -> int:
        return 2_000


@pytest.fixture
def clocked(app, served) -> View:
    """A schema that tells when its request must have been answered."""
    door = served[0]._door
    door.services._services[object] = app.clock
    SEEN.clear()
    return View(Schema(query=Query), door)


class TestDeadline:
    async def test_is_the_settings_own(self, clocked, web, app):
        web.view = clocked

        answer = await web.run("{left}")

        assert float(answer.data["left"]) == app.clock.monotonic() + app.app.settings.deadline

    def test_leaves_half_a_second_of_what_lambda_has_left(self, loop, clocked, web, app):
        headers = {"content-type": "application/json", "authorization": f"Bearer {web.token}"}
        event = rest_event(BODY, method="POST", headers=headers)

        answer = lambda_handler(clocked)(event, Ending())

        assert answer["body"] == f'{{"data":{{"left":"{app.clock.monotonic() + 1.5}"}}}}'


class TestGateway:
    def test_answers_text_under_the_gateways_request_id(self, loop, web):
        headers = {"x-correlation-id": "mine", "accept-language": "en"}

        answer = web.through_gateway('{"query":"{serverNow}"}', headers=headers)

        assert answer.data == {"serverNow": "2026-03-02T09:00:00.000+08:00"}
        assert answer.headers["x-correlation-id"] == "c0ffee00-0000-4000-8000-000000000000"

    def test_serves_request_after_request_on_one_loop(self, loop, web):
        statuses = {web.through_gateway('{"query":"{serverNow}"}').status for _ in range(20)}

        assert statuses == {200}


class TestConcurrentRequests:
    """Nothing of a request reaches another."""

    async def test_share_no_context_meter_or_loader(self, clocked, web):
        web.view = clocked

        await asyncio.gather(*(web.run("{left}") for _ in range(100)))

        assert len({id(context) for context in SEEN}) == 100
        assert len({id(context.meter) for context in SEEN}) == 100
        assert len({id(context.loaders) for context in SEEN}) == 100
        assert len({context.correlation for context in SEEN}) == 100


class TestWebSockets:
    async def test_are_refused_without_being_accepted(self, served):
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": []}
        await served[0](scope, receive, send)

        assert sent == ["websocket.close"]


def test_the_operations_are_found_beside_the_package():
    assert (operations_folder() / "manifest.json").is_file()
