"""P-11: what each role may do to the journal, worked out as IAM does from the expanded template."""

import copy
from fnmatch import fnmatchcase

import pytest
from infra.rules.expanded import expand, read

READS = {"GetItem", "BatchGetItem"}
APPENDS = {"PutItem within TransactWriteItems"}
STREAM = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
MAY = {
    "GraphqlHttpRole": READS | APPENDS,
    "EventWorkerRole": READS | APPENDS,
    "JobWorkerRole": READS | APPENDS | {"Query"},
    "ScheduledRole": {"BatchGetItem", "Query"},
    "JournalRelayRole": STREAM,
}
ACTIONS = [
    *("GetItem", "BatchGetItem", "Query", "Scan", "ConditionCheckItem"),
    *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"),
    *("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
    *("DeleteTable", "UpdateTable", "UpdateTimeToLive", "RestoreTableToPointInTime"),
    *("ImportTable", "PutResourcePolicy", "UpdateContinuousBackups", "ReplicateSettings"),
    *sorted(STREAM),
]


@pytest.fixture(scope="module")
def expanded():
    return expand(read(), region="cn-north-1")


@pytest.fixture
def template(expanded):
    return copy.deepcopy(expanded)


def rights(template) -> dict[str, set[str]]:
    """Every role's actions on the journal, its index or its stream."""
    resources = template["Resources"]
    roles = {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::IAM::Role"}
    found = {name: set(_allowed(_statements(role, resources))) for name, role in roles.items()}
    return {name: actions for name, actions in found.items() if actions}


def _statements(role, resources):
    for attached in role.get("ManagedPolicyArns", ()):
        if "Ref" in attached:
            yield from resources[attached["Ref"]]["Properties"]["PolicyDocument"]["Statement"]
    for policy in role.get("Policies", ()):
        yield from policy["PolicyDocument"]["Statement"]


def _allowed(statements):
    for statement in statements:
        if statement["Effect"] == "Allow" and _covers_journal(statement["Resource"]):
            for action in ACTIONS:
                if any(
                    fnmatchcase(f"dynamodb:{action}", one) for one in _list(statement["Action"])
                ):
                    yield _within(action, statement.get("Condition", {}))


def _within(action, condition):
    """The action, with the operation that must enclose it."""
    enclosing = condition.get("ForAnyValue:StringEquals", {}).get("dynamodb:EnclosingOperation")
    return f"{action} within {', '.join(_list(enclosing))}" if enclosing else action


def _covers_journal(resource) -> bool:
    """Whether a resource is the journal, a part of it, or a pattern that takes it in."""
    if isinstance(resource, list):
        return any(map(_covers_journal, resource))
    if isinstance(resource, str):
        return fnmatchcase("arn:aws-cn:dynamodb:r:1:table/courtside-prod-journal", resource)
    if "Fn::GetAtt" in resource:
        return resource["Fn::GetAtt"][0] == "JournalTable"
    text = resource["Fn::Sub"]
    return "${JournalTable" in text or (":dynamodb:" in text and "journal" in text)


def _list(value):
    return [value] if isinstance(value, str) else value


class TestJournalRoles:
    def test_are_these_and_may_nothing_more(self, expanded):
        assert rights(expanded) == MAY

    def test_nobody_changes_or_removes_an_entry(self, expanded):
        written = {"UpdateItem", "DeleteItem", "BatchWriteItem", "PutItem", "PartiQLUpdate"}

        assert all(not written & actions for actions in rights(expanded).values())

    @pytest.mark.parametrize(
        ("action", "resource", "more"),
        [
            ("dynamodb:DeleteItem", {"Fn::GetAtt": ["JournalTable", "Arn"]}, {"DeleteItem"}),
            ("dynamodb:*Write*", "*", {"BatchWriteItem", "TransactWriteItems"}),
            ("dynamodb:Update*", {"Fn::Sub": "${JournalTable.Arn}/index/*"}, None),
            ("dynamodb:PutItem", "arn:aws-cn:dynamodb:*:*:table/courtside-*", {"PutItem"}),
        ],
    )
    def test_one_action_more_is_found(self, template, action, resource, more):
        """That the test above can fail."""
        policy = template["Resources"]["SendingPolicy"]["Properties"]["PolicyDocument"]
        policy["Statement"].append({"Effect": "Allow", "Action": action, "Resource": resource})

        found = rights(template)["ScheduledRole"] - MAY["ScheduledRole"]

        assert found == more if more is not None else found

    def test_the_delivering_role_writes_elsewhere(self, expanded):
        """BatchWriteItem is for derived lines, on the table that has no stream."""
        policy = expanded["Resources"]["SendingPolicy"]["Properties"]["PolicyDocument"]
        batches = [s for s in policy["Statement"] if "dynamodb:BatchWriteItem" in s["Action"]]

        assert [_covers_journal(statement["Resource"]) for statement in batches] == [False]
