"""A worker's message that failed comes back when the worker says: its role lets it say so."""

import json
from functools import cache

import pytest
from infra.rules.expanded import expand, read
from infra.rules.reading import function_of

NEEDED = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}


@cache
def _resources():
    return expand(read(), region="cn-north-1")["Resources"]


def _workers():
    """Function and queue of every event source mapping of a queue, by their names."""
    for resource in _resources().values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            properties = resource["Properties"]
            queue = properties["EventSourceArn"]["Fn::GetAtt"][0]
            if _resources()[queue]["Type"] == "AWS::SQS::Queue":
                yield (
                    function_of({"Resources": _resources()}, properties["FunctionName"]["Ref"]),
                    queue,
                )


def _granted(function, queue):
    """What the function's own role may do with that queue."""
    role = _resources()[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    for policy in _resources()[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if json.dumps([queue, "Arn"]) in json.dumps(statement["Resource"]):
                actions = statement["Action"]
                yield from [actions] if isinstance(actions, str) else actions


class TestWorkers:
    def test_are_two(self):
        assert set(_workers()) == {("EventWorker", "EventQueue"), ("JobWorker", "JobQueue")}

    @pytest.mark.parametrize(("function", "queue"), list(_workers()))
    def test_may_put_a_message_off(self, function, queue):
        assert set(_granted(function, queue)) >= NEEDED
