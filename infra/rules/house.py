"""House rules of the template: what a linter of CloudFormation cannot know about Courtside.

Each rule tells in its docstring what went wrong, or would go wrong, without it. A rule takes an
expanded template and yields a finding for each resource that breaks it.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from infra.rules.expanded import Template

from courtside.platform.dynamo.journal import RETENTION
from courtside.platform.signals import Signal

Resource = dict[str, Any]


class Finding(NamedTuple):
    """A resource that breaks a rule."""

    rule: str
    resource: str
    says: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.says} ({self.rule})"


Told = Iterator[tuple[str, str]]
Rule = Callable[[Template], Told]

SIX_MONTHS = 180
STATEFUL = {
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::Backup::BackupVault",
}
ENCRYPTED_BY = {
    "AWS::DynamoDB::Table": "KMSMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::S3::Bucket": "KMSMasterKeyID",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::Backup::BackupVault": "EncryptionKeyArn",
}
# In one of the two partitions these do not exist, or not with what we would use of them.
MISSING_SOMEWHERE = (
    "AWS::Cognito::",
    "AWS::XRay::",
    "AWS::Lambda::Url",
    "AWS::DynamoDB::GlobalTable",
)
JOURNAL_FORBIDDEN = {
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLDelete",
}
SEALS_PERMITTED = {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucketVersions", "s3:PutObject"}
FAILURES = (
    Signal.JOURNAL_TAMPERED,
    Signal.RECONCILIATION_MISMATCH,
    Signal.SEAL_BROKEN,
    Signal.SEAL_FAILED,
    Signal.ENTRY_UNREADABLE,
    Signal.MESSAGE_UNREADABLE,
    Signal.CHAIN_STOPPED,
)


def names_no_partition(template: Template) -> Told:
    """`arn:aws:` in a policy deploys nowhere in China; no linter flagged it. For the template as
    written: once expanded, it names the partition of its region."""
    for name, resource in _resources(template):
        text = json.dumps(resource)
        for wrong in ("arn:aws:", "arn:aws-cn:", ".amazonaws.com/", ".amazonaws.com.cn"):
            if wrong in text:
                yield name, f"has {wrong}: write ${{AWS::Partition}} and ${{AWS::URLSuffix}}"


def in_both_partitions(template: Template) -> Told:
    """Cognito, X-Ray with Lambda, function URLs: China lacks them, so the stack would fail."""
    for name, resource in _resources(template):
        if resource["Type"].startswith(MISSING_SOMEWHERE):
            yield name, f"{resource['Type']} is missing in a partition"
        if "TracingConfig" in resource.get("Properties", {}):
            yield name, "Lambda has no tracing in China"


def function_has_its_log_group(template: Template) -> Told:
    """A log group that Lambda makes by itself keeps everything for ever, and unencrypted."""
    groups = {
        json.dumps(r["Properties"]["LogGroupName"])
        for _, r in _resources(template, "AWS::Logs::LogGroup")
    }
    for name, function in _resources(template, "AWS::Lambda::Function"):
        named = function["Properties"].get("FunctionName")
        expected = {"Fn::Sub": f"/aws/lambda/{named['Fn::Sub']}"} if named else None
        if json.dumps(expected) not in groups:
            yield name, "has no log group of its own"


def logs_stay_six_months(template: Template) -> Told:
    """The Cybersecurity Law asks for network logs of at least six months."""
    parameters = template.get("Parameters", {})
    for name, group in _resources(template, "AWS::Logs::LogGroup"):
        days = group["Properties"].get("RetentionInDays", 0)
        allowed = [days]
        if isinstance(days, dict):
            parameter = parameters[days["Ref"]]
            allowed = [parameter["Default"], *parameter["AllowedValues"]]
        if min(allowed) < SIX_MONTHS:
            yield name, f"keeps logs for less than {SIX_MONTHS} days"


def everything_is_encrypted_by_our_key(template: Template) -> Told:
    """等保 2.0 8.1.4.8: what is stored is encrypted, by keys whose use the court can end."""
    for kind, needed in ENCRYPTED_BY.items():
        for name, resource in _resources(template, kind):
            if f'"{needed}"' not in json.dumps(resource["Properties"]):
                yield name, f"has no {needed}"


def what_holds_state_outlives_the_stack(template: Template) -> Told:
    """A stack that is deleted or replaced by mistake must not take a court's books with it."""
    for name, resource in _resources(template):
        if resource["Type"] not in STATEFUL:
            continue
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.get(policy) != "Retain":
                yield name, f"needs {policy}: Retain"


def tables_are_guarded(template: Template) -> Told:
    """Every table is protected; all but the keys can go back in time, since an erased key must not
    come back with an older copy."""
    for name, table in _resources(template, "AWS::DynamoDB::Table"):
        properties = table["Properties"]
        recovery = properties.get("PointInTimeRecoverySpecification", {})
        if not properties.get("DeletionProtectionEnabled"):
            yield name, "needs DeletionProtectionEnabled"
        if recovery.get("PointInTimeRecoveryEnabled", False) is (name == "KeysTable"):
            yield name, "point-in-time recovery: everything but the keys"


def table_keys_begin_the_same(template: Template) -> Told:
    """Stores make `<COURT>#...` keys of two strings; another key could not carry the court."""
    for name, table in _resources(template, "AWS::DynamoDB::Table"):
        kinds = {d["AttributeName"]: d["AttributeType"] for d in _attributes(table)}
        keys = [(k["AttributeName"], k["KeyType"]) for k in table["Properties"]["KeySchema"]]
        if keys != [("pk", "HASH"), ("sk", "RANGE")] or set(kinds.values()) != {"S"}:
            yield name, "needs the string keys pk and sk"


def only_the_journal_streams(template: Template) -> Told:
    """A consumer that writes to a table whose stream it reads is a loop; China detects none."""
    streaming = [
        name
        for name, table in _resources(template, "AWS::DynamoDB::Table")
        if "StreamSpecification" in table["Properties"]
    ]
    if streaming != ["JournalTable"]:
        yield "JournalTable", f"the one table with a stream; found {streaming}"


def journal_is_append_only(template: Template) -> Told:
    """Whoever may change an entry may rewrite what was done: roles put, inside a transaction."""
    for name, statement in _statements(template):
        if "JournalTable" not in json.dumps(statement["Resource"]):
            continue
        actions = _listed(statement["Action"])
        if found := sorted(JOURNAL_FORBIDDEN & set(actions)):
            yield name, f"may {', '.join(found)} on the journal"
        bound = "dynamodb:EnclosingOperation" in json.dumps(statement.get("Condition", {}))
        if "dynamodb:PutItem" in actions and not bound:
            yield name, "may put journal entries outside a transaction"


def seals_cannot_be_removed(template: Template) -> Told:
    """A chain that its forger may write again proves nothing. Seals are locked for longer than the
    entries live, and no role may delete one or shorten its time."""
    bucket = template["Resources"]["SealsBucket"]["Properties"]
    rule = bucket.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    if not bucket.get("ObjectLockEnabled") or rule.get("Mode") != "COMPLIANCE":
        yield "SealsBucket", "needs Object Lock in COMPLIANCE mode"
    days = rule.get("Days", 0)
    if isinstance(days, dict):
        days = template["Parameters"][days["Ref"]]["Default"]
    if days <= RETENTION.days:
        yield "SealsBucket", "keeps seals for a shorter time than the journal keeps entries"
    for name, statement in _statements(template):
        if "SealsBucket" in json.dumps(statement["Resource"]):
            more = set(_listed(statement["Action"])) - SEALS_PERMITTED
            if more:
                yield name, f"may {', '.join(sorted(more))} on seals"


def roles_name_what_they_touch(template: Template) -> Told:
    """A star in a role is found by whoever takes the role over."""
    for name, statement in _statements(template):
        actions = _listed(statement["Action"])
        if any(action.endswith("*") for action in actions):
            yield name, f"has a star among its actions: {actions}"
        if statement["Resource"] == "*" and actions != ["dynamodb:ListStreams"]:
            yield name, f"may {actions} on everything"


def private_data_is_for_two(template: Template) -> Told:
    """Children's and health data: the API and the job worker only may open it."""
    policies = {
        name
        for name, statement in _statements(template)
        if {"PrivateTable", "PrivateKey"} & set(_attributes_of(statement["Resource"]))
    }
    permitted = {"PrivatePolicy", "GraphqlHttpRole", "JobWorkerRole"}
    for name, role in _resources(template, "AWS::IAM::Role"):
        attached = {p.get("Ref") for p in role["Properties"].get("ManagedPolicyArns", ())}
        if (name in policies or attached & policies) and name not in permitted:
            yield name, "may read what is private"


def async_sources_say_where_failures_go(template: Template) -> Told:
    """A stream's default is to retry one poisoned record until it expires and blocks the shard; an
    asynchronous call that fails three times is gone."""
    queues = dict(_resources(template, "AWS::SQS::Queue"))
    for name, mapping in _resources(template, "AWS::Lambda::EventSourceMapping"):
        yield from _mapping(name, mapping["Properties"])
        for source in _attributes_of(mapping["Properties"]["EventSourceArn"]):
            if source in queues and "RedrivePolicy" not in queues[source]["Properties"]:
                yield source, "is worked on and has no dead letters"
    for name, rule in _resources(template, "AWS::Events::Rule"):
        for target in rule["Properties"]["Targets"]:
            if "DeadLetterConfig" not in target:
                yield name, "has no dead letters for what cannot be handed over"
    yield from _invoked_later(template)


def queues_wait_six_timeouts(template: Template) -> Told:
    """A message that is seen again while its worker still runs is done twice at once."""
    functions = dict(_resources(template, "AWS::Lambda::Function"))
    queues = dict(_resources(template, "AWS::SQS::Queue"))
    for _, mapping in _resources(template, "AWS::Lambda::EventSourceMapping"):
        properties = mapping["Properties"]
        timeout = functions[properties["FunctionName"]["Ref"]]["Properties"]["Timeout"]
        for source in _attributes_of(properties["EventSourceArn"]):
            waits = queues.get(source, {}).get("Properties", {}).get("VisibilityTimeout", 0)
            if source in queues and waits < 6 * timeout:
                yield source, f"hides messages for {waits} s, its worker may take {timeout} s"


def failures_are_told(template: Template) -> Told:
    """A dead letter that nobody hears of is a lost fact."""
    alarms = dict(_resources(template, "AWS::CloudWatch::Alarm"))
    watched = {
        (alarm["Properties"]["MetricName"], name)
        for alarm in alarms.values()
        for name in (*_attributes_of(alarm["Properties"].get("Dimensions", [])), "")
    }
    for metric, name in sorted(_to_be_watched(template) - watched):
        yield name or "alarms", f"nobody is told of {metric}"
    for name, alarm in alarms.items():
        if not alarm["Properties"].get("AlarmActions"):
            yield name, "tells nobody"


AS_WRITTEN: tuple[Rule, ...] = (names_no_partition,)
RULES: tuple[Rule, ...] = (
    in_both_partitions,
    function_has_its_log_group,
    logs_stay_six_months,
    everything_is_encrypted_by_our_key,
    what_holds_state_outlives_the_stack,
    tables_are_guarded,
    table_keys_begin_the_same,
    only_the_journal_streams,
    journal_is_append_only,
    seals_cannot_be_removed,
    roles_name_what_they_touch,
    private_data_is_for_two,
    async_sources_say_where_failures_go,
    queues_wait_six_timeouts,
    failures_are_told,
)


def findings(template: Template, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """What breaks the rules: RULES in an expanded template, AS_WRITTEN in the one just read."""
    return [Finding(rule.__name__, *told) for rule in rules for told in rule(template)]


def _resources(template: Template, kind: str | None = None) -> list[tuple[str, Resource]]:
    everything = template["Resources"].items()
    return [(name, r) for name, r in everything if kind in {None, r["Type"]}]


def _attributes(table: Resource) -> list[dict[str, str]]:
    found: list[dict[str, str]] = table["Properties"]["AttributeDefinitions"]
    return found


def _statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of a role or a managed policy, by the resource that holds it."""
    for name, policy in _resources(template, "AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            yield name, statement
    for name, role in _resources(template, "AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def _attributes_of(value: Any) -> list[str]:
    """The logical ids that a value refers to, however deep."""
    if isinstance(value, list):
        return [name for one in value for name in _attributes_of(one)]
    if not isinstance(value, dict):
        return []
    if "Ref" in value:
        return [value["Ref"]]
    if "Fn::GetAtt" in value:
        return [value["Fn::GetAtt"][0]]
    if "Fn::Sub" in value and isinstance(value["Fn::Sub"], str):
        return [part.split("}")[0].split(".")[0] for part in value["Fn::Sub"].split("${")[1:]]
    return [name for one in value.values() for name in _attributes_of(one)]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _streams(template: Template) -> list[dict[str, Any]]:
    mappings = [m["Properties"] for _, m in _resources(template, "AWS::Lambda::EventSourceMapping")]
    return [m for m in mappings if "StartingPosition" in m]


def _mapping(name: str, properties: dict[str, Any]) -> Told:
    if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield name, "one failed message makes the whole batch fail"
    if "StartingPosition" not in properties:
        return
    if not properties.get("BisectBatchOnFunctionError"):
        yield name, "one poisoned record holds its whole batch up"
    for limit in ("MaximumRetryAttempts", "MaximumRecordAgeInSeconds"):
        if properties.get(limit, -1) < 0:
            yield name, f"needs {limit}: without it one record blocks the shard for a day"
    if "OnFailure" not in properties.get("DestinationConfig", {}):
        yield name, "has no destination for what fails"
    if "FilterCriteria" not in properties:
        yield name, "takes every record of the stream"


def _invoked_later(template: Template) -> Told:
    """Functions that schedules call need a destination for calls that fail."""
    kept = {
        name
        for _, config in _resources(template, "AWS::Lambda::EventInvokeConfig")
        if "OnFailure" in config["Properties"].get("DestinationConfig", {})
        for name in _attributes_of(config["Properties"]["FunctionName"])
    }
    for _, rule in _resources(template, "AWS::Events::Rule"):
        for target in rule["Properties"]["Targets"]:
            for name in _attributes_of(target["Arn"]):
                if name not in kept:
                    yield name, "is called later and has no destination for what fails"


def _to_be_watched(template: Template) -> set[tuple[str, str]]:
    """Metrics that need an alarm, with the resource that they are of."""
    functions = [name for name, _ in _resources(template, "AWS::Lambda::Function")]
    dead = [
        name
        for name, queue in _resources(template, "AWS::SQS::Queue")
        if "RedrivePolicy" not in queue["Properties"]
    ]
    return {
        *(("Errors", name) for name in functions),
        *(("ApproximateNumberOfMessagesVisible", name) for name in dead),
        *(("IteratorAge", stream["FunctionName"]["Ref"]) for stream in _streams(template)),
        *((metric, "") for metric in FAILURES),
    }
