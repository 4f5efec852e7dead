"""What creating a court needs in the cloud: its key, its items, and who signs for it."""

from functools import cache

from infra.rules.expanded import expand, read


@cache
def _resources():
    return expand(read(), region="cn-north-1")["Resources"]


def _statements(role):
    properties = _resources()[role]["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties["Policies"]]
    documents += [
        _resources()[managed["Ref"]]["Properties"]["PolicyDocument"]
        for managed in properties["ManagedPolicyArns"]
    ]
    return [statement for document in documents for statement in document["Statement"]]


def _actions(statements, resource):
    """Actions granted on one resource."""
    for statement in statements:
        if f"'{resource}'" in str(statement["Resource"]):
            actions = statement["Action"]
            yield from [actions] if isinstance(actions, str) else actions


class TestTheFirstCourt:
    def test_is_made_by_a_role_that_may(self):
        statements = _statements("JobWorkerRole")

        assert "kms:GenerateDataKeyWithoutPlaintext" in set(_actions(statements, "CourtKey"))
        assert "kms:Decrypt" in set(_actions(statements, "CourtKey"))
        assert {"dynamodb:GetItem", "dynamodb:PutItem"} <= set(_actions(statements, "KeysTable"))
        assert {"dynamodb:PutItem", "dynamodb:BatchGetItem"} <= set(
            _actions(statements, "RecordsTable")
        )
        assert "dynamodb:PutItem" in set(_actions(statements, "JournalTable"))

    def test_is_told_who_signs(self):
        variables = _resources()["JobWorker"]["Properties"]["Environment"]["Variables"]

        assert variables["COURTSIDE_ISSUERS"] == {"Ref": "Issuers"}
