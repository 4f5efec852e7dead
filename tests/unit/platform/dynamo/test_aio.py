"""The HTTP engine against a server that answers by a script: what DynamoDB does only seldom."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.engine import Cancelled, EngineFault, Reason, Throttled, Unanswered
from courtside.platform.dynamo.meter import metered
from courtside.platform.dynamo.values import Check, Key, Op, Query, Read, Write
from courtside.platform.settings import Settings, table_names

Answer = tuple[int, Any]
NAMES = table_names("test")
PREFIX = "com.amazonaws.dynamodb.v20120810#"


class Scripted:
    """A server with its answers in order, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[Any] = []
        self.endpoint = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(json.loads(await request.read()))
        status, body = self.answers.pop(0)
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text)


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    scripted = Scripted()
    runner = web.ServerRunner(web.Server(scripted.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    scripted.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield scripted
    await runner.cleanup()


@pytest.fixture
async def engine(server: Scripted) -> AsyncIterator[DynamoEngine]:
    settings = Settings(stage="test", region="x", endpoint=server.endpoint, tables=NAMES)
    found = DynamoEngine(settings)
    yield found
    await found.close()


def refused(kind: str, **more: Any) -> Answer:
    return 400, {"__type": PREFIX + kind, "message": "no", **more}


def an_item(sort: str) -> dict[str, Any]:
    return {"pk": {"S": "C#A"}, "sk": {"S": sort}}


def a_read(sort: str, *, consistent: bool = True) -> Read:
    return Read("records", Key("C#A", sort), consistent)


A_WRITE = Write(table="records", key=Key("C#A", "1"), put=an_item("1"))
CALLS: list[Callable[[DynamoEngine], Awaitable[Any]]] = [
    lambda engine: engine.get([a_read("1")]),
    lambda engine: engine.query(Query(table="records", pk="C#A")),
    lambda engine: engine.transact([A_WRITE]),
    lambda engine: engine.put_many("records", [an_item("1")]),
]


class TestErrors:
    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (refused("ThrottlingException"), Throttled),
            (refused("ProvisionedThroughputExceededException"), Throttled),
            (refused("RequestLimitExceeded"), Throttled),
            (refused("TransactionConflictException"), Throttled),
            (refused("TransactionInProgressException"), Throttled),
            ((500, "{}"), Unanswered),
            ((503, "{}"), Unanswered),
            ((502, "<html>"), Unanswered),
            (refused("ValidationException"), EngineFault),
            (refused("ResourceNotFoundException"), EngineFault),
            (refused("AccessDeniedException"), EngineFault),
            (refused("SomethingNewException"), EngineFault),
            ((400, "<html>"), EngineFault),
        ],
    )
    async def test_are_the_engine_s_own_and_tried_once(
        self,
        server: Scripted,
        engine: DynamoEngine,
        call: Callable[[DynamoEngine], Awaitable[Any]],
        answer: Answer,
        expected: type[Exception],
    ) -> None:
        server.answers = [answer]

        with pytest.raises(expected):
            await call(engine)

        assert len(server.asked) == 1

    async def test_of_a_transaction_name_every_reason(
        self, server: Scripted, engine: DynamoEngine
    ) -> None:
        reasons = [
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Message": "no", "Item": an_item("1")},
            {"Code": "ConditionalCheckFailed", "Message": "no"},
            {"Code": "TransactionConflict", "Message": "no"},
        ]
        server.answers = [refused("TransactionCanceledException", CancellationReasons=reasons)]

        with pytest.raises(Cancelled) as caught:
            await engine.transact([A_WRITE])

        assert caught.value.reasons == (
            Reason("None"),
            Reason("ConditionalCheckFailed", an_item("1")),
            Reason("ConditionalCheckFailed"),
            Reason("TransactionConflict"),
        )

    async def test_and_logs_tell_nothing_of_items(
        self, server: Scripted, engine: DynamoEngine, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.answers = [refused("ValidationException"), (200, {})]
        secret = {**an_item("1"), "name": {"S": "张三"}}
        write = Write(table="records", key=Key("C#A", "1"), put=secret)

        with caplog.at_level(logging.DEBUG), pytest.raises(EngineFault) as caught:
            await engine.transact([write])
        with caplog.at_level(logging.DEBUG):
            await engine.transact([write])

        assert "张三" not in caplog.text
        assert "\\u5f20" not in caplog.text
        assert "张三" not in str(caught.value)


class TestBatches:
    """D-21: what DynamoDB leaves undone is asked for again."""

    async def test_unprocessed_keys(self, server: Scripted, engine: DynamoEngine) -> None:
        left = {NAMES["records"]: {"Keys": [an_item("2")], "ConsistentRead": True}}
        units = {"ConsumedCapacity": [{"CapacityUnits": 1.0}]}
        server.answers = [
            (
                200,
                {"Responses": {NAMES["records"]: [an_item("1")]}, "UnprocessedKeys": left, **units},
            ),
            (
                200,
                {"Responses": {NAMES["records"]: [an_item("2")]}, "UnprocessedKeys": {}, **units},
            ),
        ]

        with metered() as meter:
            found = await engine.get([a_read("2"), a_read("1"), a_read("3")])

        assert found == [an_item("2"), an_item("1"), None]
        assert server.asked[1]["RequestItems"] == left
        assert (meter.reads, meter.read_units) == (2, 2.0)

    async def test_that_do_not_advance_are_throttled(
        self, server: Scripted, engine: DynamoEngine
    ) -> None:
        left = {NAMES["records"]: {"Keys": [an_item("1")], "ConsistentRead": True}}
        server.answers = [(200, {"Responses": {}, "UnprocessedKeys": left})]
        with pytest.raises(Throttled):
            await engine.get([a_read("1")])

        undone = {NAMES["records"]: [{"PutRequest": {"Item": an_item("1")}}]}
        server.answers = [(200, {"UnprocessedItems": undone})]
        with pytest.raises(Throttled):
            await engine.put_many("records", [an_item("1")])

    async def test_unprocessed_items(self, server: Scripted, engine: DynamoEngine) -> None:
        undone = {NAMES["records"]: [{"PutRequest": {"Item": an_item("2")}}]}
        server.answers = [(200, {"UnprocessedItems": undone}), (200, {"UnprocessedItems": {}})]

        await engine.put_many("records", [an_item("1"), an_item("2")])

        assert server.asked[1]["RequestItems"] == undone

    async def test_a_table_is_read_consistently_if_one_item_must_be(
        self, server: Scripted, engine: DynamoEngine
    ) -> None:
        server.answers = [(200, {"Responses": {}})] * 2

        await engine.get(
            [a_read("1", consistent=False), a_read("2"), a_read("2", consistent=False)]
        )
        await engine.get([a_read("1", consistent=False)])

        first, second = (asked["RequestItems"][NAMES["records"]] for asked in server.asked)
        assert first == {"Keys": [an_item("1"), an_item("2")], "ConsistentRead": True}
        assert second["ConsistentRead"] is False


class TestWords:
    async def test_of_one_transaction(self, server: Scripted, engine: DynamoEngine) -> None:
        server.answers = [(200, {"ConsumedCapacity": [{"CapacityUnits": 4}, {"CapacityUnits": 3}]})]
        account = Write(
            table="records",
            key=Key("C#A", "1"),
            checks=(Check("state", Op.EQ, "OPEN"), Check("pk", Op.EXISTS), Check("n", Op.GE, 2)),
            set={"state": {"S": "CLOSED"}},
            add={"n": -2},
            remove=("note",),
        )

        with metered() as meter:
            await engine.transact([account])

        (operation,) = server.asked[0]["TransactItems"]
        assert operation == {
            "Update": {
                "TableName": NAMES["records"],
                "Key": an_item("1"),
                "ConditionExpression": "#0 = :0 AND attribute_exists(#1) AND #2 >= :1",
                "UpdateExpression": "SET #0 = :2 ADD #2 :3 REMOVE #3",
                "ExpressionAttributeNames": {"#0": "state", "#1": "pk", "#2": "n", "#3": "note"},
                "ExpressionAttributeValues": {
                    ":0": {"S": "OPEN"},
                    ":1": {"N": "2"},
                    ":2": {"S": "CLOSED"},
                    ":3": {"N": "-2"},
                },
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
        assert server.asked[0]["ReturnConsumedCapacity"] == "TOTAL"
        assert (meter.writes, meter.write_units) == (1, 7.0)
