"""House rules of the template: what a linter of CloudFormation cannot know about Courtside.

Each rule tells in its docstring what went wrong, or would go wrong, without it. A rule takes an
expanded template and yields a finding for each resource that breaks it.
"""

import json
from collections.abc import Iterable
from typing import Any

from infra.rules.expanded import Template
from infra.rules.reading import (
    Finding,
    Rule,
    Told,
    attributes,
    attributes_of,
    function_of,
    listed,
    resources,
    statements,
)
from infra.rules.releasing import releases_prove_themselves
from infra.rules.watching import failures_are_told

from courtside.platform.dynamo.journal import RETENTION

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
# Actions that IAM does not bind to a resource.
EVERYWHERE = {"dynamodb:ListStreams", "cloudwatch:DescribeAlarms"}
SEALS_PERMITTED = {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucketVersions", "s3:PutObject"}


def names_no_partition(template: Template) -> Told:
    """`arn:aws:` in a policy deploys nowhere in China; no linter flagged it. For the template as
    written: once expanded, it names the partition of its region."""
    for name, resource in resources(template):
        text = json.dumps(resource)
        for wrong in ("arn:aws:", "arn:aws-cn:", ".amazonaws.com/", ".amazonaws.com.cn"):
            if wrong in text:
                yield name, f"has {wrong}: write ${{AWS::Partition}} and ${{AWS::URLSuffix}}"


def in_both_partitions(template: Template) -> Told:
    """Cognito, X-Ray with Lambda, function URLs: China lacks them, so the stack would fail."""
    for name, resource in resources(template):
        if resource["Type"].startswith(MISSING_SOMEWHERE):
            yield name, f"{resource['Type']} is missing in a partition"
        if "TracingConfig" in resource.get("Properties", {}):
            yield name, "Lambda has no tracing in China"


def function_has_its_log_group(template: Template) -> Told:
    """A log group that Lambda makes by itself keeps everything for ever, and unencrypted."""
    groups = {
        json.dumps(r["Properties"]["LogGroupName"])
        for _, r in resources(template, "AWS::Logs::LogGroup")
    }
    for name, function in resources(template, "AWS::Lambda::Function"):
        named = function["Properties"].get("FunctionName")
        expected = {"Fn::Sub": f"/aws/lambda/{named['Fn::Sub']}"} if named else None
        if json.dumps(expected) not in groups:
            yield name, "has no log group of its own"


def logs_stay_six_months(template: Template) -> Told:
    """The Cybersecurity Law asks for network logs of at least six months."""
    parameters = template.get("Parameters", {})
    for name, group in resources(template, "AWS::Logs::LogGroup"):
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
        for name, resource in resources(template, kind):
            if f'"{needed}"' not in json.dumps(resource["Properties"]):
                yield name, f"has no {needed}"


def what_holds_state_outlives_the_stack(template: Template) -> Told:
    """A stack that is deleted or replaced by mistake must not take a court's books with it."""
    for name, resource in resources(template):
        if resource["Type"] not in STATEFUL:
            continue
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.get(policy) != "Retain":
                yield name, f"needs {policy}: Retain"


def tables_are_guarded(template: Template) -> Told:
    """Every table is protected; all but the keys can go back in time, since an erased key must not
    come back with an older copy."""
    for name, table in resources(template, "AWS::DynamoDB::Table"):
        properties = table["Properties"]
        recovery = properties.get("PointInTimeRecoverySpecification", {})
        if not properties.get("DeletionProtectionEnabled"):
            yield name, "needs DeletionProtectionEnabled"
        if recovery.get("PointInTimeRecoveryEnabled", False) is (name == "KeysTable"):
            yield name, "point-in-time recovery: everything but the keys"


def table_keys_begin_the_same(template: Template) -> Told:
    """Stores make `<COURT>#...` keys of two strings; another key could not carry the court."""
    for name, table in resources(template, "AWS::DynamoDB::Table"):
        kinds = {d["AttributeName"]: d["AttributeType"] for d in attributes(table)}
        keys = [(k["AttributeName"], k["KeyType"]) for k in table["Properties"]["KeySchema"]]
        if keys != [("pk", "HASH"), ("sk", "RANGE")] or set(kinds.values()) != {"S"}:
            yield name, "needs the string keys pk and sk"


def only_the_journal_streams(template: Template) -> Told:
    """A consumer that writes to a table whose stream it reads is a loop; China detects none."""
    streaming = [
        name
        for name, table in resources(template, "AWS::DynamoDB::Table")
        if "StreamSpecification" in table["Properties"]
    ]
    if streaming != ["JournalTable"]:
        yield "JournalTable", f"the one table with a stream; found {streaming}"


def journal_is_append_only(template: Template) -> Told:
    """Whoever may change an entry may rewrite what was done: roles put, inside a transaction."""
    for name, statement in statements(template):
        if "JournalTable" not in json.dumps(statement["Resource"]):
            continue
        actions = listed(statement["Action"])
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
    for name, statement in statements(template):
        if "SealsBucket" in json.dumps(statement["Resource"]):
            more = set(listed(statement["Action"])) - SEALS_PERMITTED
            if more:
                yield name, f"may {', '.join(sorted(more))} on seals"


def roles_name_what_they_touch(template: Template) -> Told:
    """A star in a role is found by whoever takes the role over."""
    for name, statement in statements(template):
        actions = listed(statement["Action"])
        if any(action.endswith("*") for action in actions):
            yield name, f"has a star among its actions: {actions}"
        if statement["Resource"] == "*" and set(actions) - EVERYWHERE:
            yield name, f"may {actions} on everything"


def private_data_is_for_two(template: Template) -> Told:
    """Children's and health data: the API and the job worker only may open it."""
    policies = {
        name
        for name, statement in statements(template)
        if {"PrivateTable", "PrivateKey"} & set(attributes_of(statement["Resource"]))
    }
    permitted = {"PrivatePolicy", "GraphqlHttpRole", "JobWorkerRole"}
    for name, role in resources(template, "AWS::IAM::Role"):
        attached = {p.get("Ref") for p in role["Properties"].get("ManagedPolicyArns", ())}
        if (name in policies or attached & policies) and name not in permitted:
            yield name, "may read what is private"


def async_sources_say_where_failures_go(template: Template) -> Told:
    """A stream's default is to retry one poisoned record until it expires and blocks the shard; an
    asynchronous call that fails three times is gone."""
    queues = dict(resources(template, "AWS::SQS::Queue"))
    for name, mapping in resources(template, "AWS::Lambda::EventSourceMapping"):
        yield from _mapping(name, mapping["Properties"])
        for source in attributes_of(mapping["Properties"]["EventSourceArn"]):
            if source in queues and "RedrivePolicy" not in queues[source]["Properties"]:
                yield source, "is worked on and has no dead letters"
    for name, rule in resources(template, "AWS::Events::Rule"):
        for target in rule["Properties"]["Targets"]:
            if "DeadLetterConfig" not in target:
                yield name, "has no dead letters for what cannot be handed over"
    yield from _invoked_later(template)


def queues_wait_six_timeouts(template: Template) -> Told:
    """A message that is seen again while its worker still runs is done twice at once."""
    functions = dict(resources(template, "AWS::Lambda::Function"))
    queues = dict(resources(template, "AWS::SQS::Queue"))
    for _, mapping in resources(template, "AWS::Lambda::EventSourceMapping"):
        properties = mapping["Properties"]
        function = functions[function_of(template, properties["FunctionName"]["Ref"])]
        timeout = function["Properties"]["Timeout"]
        for source in attributes_of(properties["EventSourceArn"]):
            waits = queues.get(source, {}).get("Properties", {}).get("VisibilityTimeout", 0)
            if source in queues and waits < 6 * timeout:
                yield source, f"hides messages for {waits} s, its worker may take {timeout} s"


def every_cost_has_its_cap(template: Template) -> Told:
    """What nobody caps, a loop or a stolen key can spend: O-06 adds these caps up."""
    for name, function in resources(template, "AWS::Lambda::Function"):
        if "ReservedConcurrentExecutions" not in function["Properties"]:
            yield name, "may run any number of times at once"
    for name, table in resources(template, "AWS::DynamoDB::Table"):
        properties = table["Properties"]
        for part in (properties, *properties.get("GlobalSecondaryIndexes", ())):
            if len(part.get("OnDemandThroughput", {})) < 2:  # noqa: PLR2004 - reads and writes
                yield name, f"{part.get('IndexName', 'the table')} has no cap of reads and writes"
    for name, plan in resources(template, "AWS::ApiGateway::UsagePlan"):
        if "Quota" not in plan["Properties"]:
            yield name, "has no quota of a month"


def callers_say_which_client_they_are(template: Template) -> Told:
    """Without a key the usage plans know nobody, and throttle nobody."""
    for name, api in resources(template, "AWS::ApiGateway::RestApi"):
        for path, methods in api["Properties"]["Body"]["paths"].items():
            for method in methods.values():
                if {"api_key": []} not in method.get("security", ()):
                    yield name, f"{path} asks for no client's key"


def callers_are_throttled(template: Template) -> Told:
    """One client in a loop must not take the others' share: each has a key in a usage plan."""
    for name, plan in resources(template, "AWS::ApiGateway::UsagePlan"):
        if len(plan["Properties"].get("Throttle", {})) < 2:  # noqa: PLR2004 - rate and burst
            yield name, "throttles nobody"
    for name, stage in resources(template, "AWS::ApiGateway::Stage"):
        settings = stage["Properties"].get("MethodSettings", ())
        if not all("ThrottlingRateLimit" in one for one in settings) or not settings:
            yield name, "has no rate limit"
        if "AccessLogSetting" not in stage["Properties"]:
            yield name, "keeps no access log"


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
    every_cost_has_its_cap,
    callers_say_which_client_they_are,
    callers_are_throttled,
    failures_are_told,
    releases_prove_themselves,
)


def findings(template: Template, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """What breaks the rules: RULES in an expanded template, AS_WRITTEN in the one just read."""
    return [Finding(rule.__name__, *told) for rule in rules for told in rule(template)]


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
        for _, config in resources(template, "AWS::Lambda::EventInvokeConfig")
        if "OnFailure" in config["Properties"].get("DestinationConfig", {})
        for name in attributes_of(config["Properties"]["FunctionName"])
    }
    for _, rule in resources(template, "AWS::Events::Rule"):
        for target in rule["Properties"]["Targets"]:
            for name in attributes_of(target["Arn"]):
                if function_of(template, name) not in kept:
                    yield name, "is called later and has no destination for what fails"
