"""The root template under the house rules, in both partitions, and each rule against a template
that breaks it."""

import copy
import json
import re
from fnmatch import fnmatchcase
from functools import cache

import pytest
from infra.rules.expanded import REGIONS, ROOT, TEMPLATE, expand, read
from infra.rules.house import AS_WRITTEN, RULES, findings
from infra.rules.watching import coverage, failures_are_told

from courtside.platform import settings
from courtside.platform.observability import SERVICE
from courtside.platform.signals import Signal


@cache
def _expanded(region):
    return expand(read(), region=region)


@pytest.fixture
def template():
    """The template of Beijing, free to be broken."""
    return copy.deepcopy(_expanded("cn-north-1"))


class TestTemplate:
    """O-01, O-02."""

    @pytest.mark.parametrize("region", REGIONS)
    def test_follows_the_house_rules(self, region):
        assert findings(_expanded(region)) == []

    def test_names_no_partition_as_written(self):
        assert findings(read(), AS_WRITTEN) == []

    @pytest.mark.parametrize(
        ("region", "foreign"), [("cn-north-1", "arn:aws:"), ("eu-central-1", "arn:aws-cn:")]
    )
    def test_names_nothing_of_the_other_partition_once_expanded(self, region, foreign):
        assert foreign not in json.dumps(_expanded(region))

    def test_hands_every_function_the_settings_that_are_read(self):
        readers = ("platform/settings.py", "entrypoints/pre_traffic.py")
        read_there = "".join(
            (ROOT / "functions/courtside" / reader).read_text("utf-8") for reader in readers
        )

        given = _environments(_expanded("cn-north-1"))

        assert set(given) == {
            "GraphqlHttp",
            "JournalRelay",
            "EventWorker",
            "JobWorker",
            "Scheduled",
            "PreTraffic",
        }
        for variables in given.values():
            assert {f'"{name}"' for name in variables if f'"{name}"' not in read_there} == set()
            assert "COURTSIDE_STAGE" in variables
            assert "COURTSIDE_URL_SUFFIX" in variables

    @pytest.mark.parametrize("logical", ["records", "private", "journal", "keys"])
    def test_names_tables_as_the_settings_do(self, logical):
        table = read()["Resources"][f"{logical.capitalize()}Table"]["Properties"]

        named = table["TableName"]["Fn::Sub"].replace("${Stage}", "prod")

        assert named == settings.table_names("prod")[logical]

    def test_points_every_function_at_an_entrypoint(self):
        for name, handler in _handlers(_expanded("cn-north-1")).items():
            module, _, function = handler.rpartition(".")
            path = ROOT / "functions" / (module.replace(".", "/") + ".py")
            assert path.exists(), name
            assert f"def {function}(" in path.read_text("utf-8") or f"{function} =" in (
                path.read_text("utf-8")
            ), name


class TestSignals:
    """O-04."""

    @pytest.mark.parametrize("signal", Signal)
    def test_each_has_its_line_on_the_dashboard(self, signal):
        body = read()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]

        shown = json.loads(body)["widgets"][0]["properties"]["metrics"]

        assert ["Courtside", signal.value, "service", SERVICE, "stage", "${Stage}"] in shown

    def test_alarms_watch_what_is_emitted(self):
        alarms = _of(_expanded("cn-north-1"), "AWS::CloudWatch::Alarm").values()
        ours = [a["Properties"] for a in alarms if a["Properties"].get("Namespace") == "Courtside"]

        told = [a["MetricName"] for a in ours if a["MetricName"] != "faults"]

        assert sorted(told) == sorted(signal.value for signal in Signal)

    def test_alarms_on_signals_name_the_dimensions_that_are_emitted(self):
        for alarm in _of(_expanded("cn-north-1"), "AWS::CloudWatch::Alarm").values():
            if alarm["Properties"].get("MetricName") in set(Signal):
                assert alarm["Properties"]["Dimensions"] == [
                    {"Name": "service", "Value": SERVICE},
                    {"Name": "stage", "Value": {"Ref": "Stage"}},
                ]

    def test_every_failure_mode_has_its_alarm(self):
        covered, wanted = coverage(_expanded("cn-north-1"))

        assert covered == wanted > 50

    def test_no_two_alarms_share_a_name(self):
        alarms = _of(_expanded("cn-north-1"), "AWS::CloudWatch::Alarm").values()
        names = [alarm["Properties"]["AlarmName"]["Fn::Sub"] for alarm in alarms]

        assert len(set(names)) == len(names)

    def test_the_guide_says_what_to_do_at_each(self):
        guide = (ROOT / "docs" / "operations.md").read_text("utf-8")
        alarms = _of(_expanded("cn-north-1"), "AWS::CloudWatch::Alarm").values()

        named = {a["Properties"]["AlarmName"]["Fn::Sub"].split("}-", 1)[1] for a in alarms}
        rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
        told = [pattern for row in rows for pattern in re.findall("`([^`]+)`", row)]

        assert {n for n in named if not any(fnmatchcase(n, p) for p in told)} == set()


class TestRelayFilter:
    """D-16, and the alarm on tampering: the stream's filter lets through what must be seen."""

    @pytest.mark.parametrize(
        ("record", "seen"),
        [
            ({"eventName": "INSERT"}, True),
            ({"eventName": "MODIFY"}, True),
            ({"eventName": "REMOVE"}, True),
            (
                {
                    "eventName": "REMOVE",
                    "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
                },
                False,
            ),
            ({"eventName": "REMOVE", "userIdentity": {"principalId": "somebody"}}, True),
        ],
    )
    def test_passes_all_but_what_left_by_its_time(self, record, seen):
        (stream,) = [
            mapping["Properties"]
            for mapping in _of(_expanded("cn-north-1"), "AWS::Lambda::EventSourceMapping").values()
            if "FilterCriteria" in mapping["Properties"]
        ]

        patterns = [json.loads(f["Pattern"]) for f in stream["FilterCriteria"]["Filters"]]

        assert any(_matches(pattern, record) for pattern in patterns) is seen


BREACHES = {
    "names_no_partition": lambda r: r["KeysBackupRole"]["Properties"].update(
        ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    ),
    "in_both_partitions": lambda r: r.update(Pool={"Type": "AWS::Cognito::UserPool"}),
    "function_has_its_log_group": lambda r: r.pop("ScheduledLogs"),
    "logs_stay_six_months": lambda r: r["ApiLogs"]["Properties"].update(RetentionInDays=90),
    "everything_is_encrypted_by_our_key": lambda r: r["JobQueue"]["Properties"].pop(
        "KmsMasterKeyId"
    ),
    "what_holds_state_outlives_the_stack": lambda r: r["JournalTable"].pop("DeletionPolicy"),
    "tables_are_guarded": lambda r: r["KeysTable"]["Properties"].update(
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    ),
    "table_keys_begin_the_same": lambda r: r["PrivateTable"]["Properties"].update(
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}]
    ),
    "only_the_journal_streams": lambda r: r["RecordsTable"]["Properties"].update(
        StreamSpecification={"StreamViewType": "NEW_IMAGE"}
    ),
    "journal_is_append_only": lambda r: _statement(r, "AppendToJournalWithinTransaction").pop(
        "Condition"
    ),
    "seals_cannot_be_removed": lambda r: r["SealsBucket"]["Properties"].pop(
        "ObjectLockConfiguration"
    ),
    "roles_name_what_they_touch": lambda r: _statement(r, "Queues").update(Action="sqs:*"),
    "private_data_is_for_two": lambda r: r["EventWorkerRole"]["Properties"][
        "ManagedPolicyArns"
    ].append({"Ref": "PrivatePolicy"}),
    "async_sources_say_where_failures_go": lambda r: r["JournalRelayJournal"]["Properties"].pop(
        "DestinationConfig"
    ),
    "queues_wait_six_timeouts": lambda r: r["EventQueue"]["Properties"].update(
        VisibilityTimeout=60
    ),
    "failures_are_told": lambda r: r.pop("TamperingAlarm"),
    "every_cost_has_its_cap": lambda r: r["Scheduled"]["Properties"].pop(
        "ReservedConcurrentExecutions"
    ),
    "callers_are_throttled": lambda r: r["ThirdParties"]["Properties"].pop("Throttle"),
    "callers_say_which_client_they_are": lambda r: r["Api"]["Properties"]["Body"]["paths"][
        "/graphql"
    ]["post"].pop("security"),
    "releases_prove_themselves": lambda r: r["EventWorkerAliaslive"].pop("UpdatePolicy"),
}


class TestHouseRules:
    """A rule that finds nothing anywhere is worse than none."""

    def test_each_has_a_breach(self):
        assert set(BREACHES) == {rule.__name__ for rule in (*AS_WRITTEN, *RULES)}

    @pytest.mark.parametrize("rule", [*AS_WRITTEN, *RULES], ids=lambda rule: rule.__name__)
    def test_finds_its_breach(self, rule, template):
        BREACHES[rule.__name__](template["Resources"])

        assert [f.rule for f in findings(template, [rule])] == [rule.__name__] * max(
            1, len(findings(template, [rule]))
        )

    @pytest.mark.parametrize(
        "forbidden", ["s3:DeleteObject", "s3:PutObjectRetention", "s3:BypassGovernanceRetention"]
    )
    def test_nobody_may_remove_a_seal(self, forbidden, template):
        _statement(template["Resources"], "Seals")["Action"].append(forbidden)

        assert [f.resource for f in findings(template)] == ["SealsPolicy"]

    @pytest.mark.parametrize(
        "forbidden", ["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]
    )
    def test_nobody_may_change_the_journal(self, forbidden, template):
        _statement(template["Resources"], "RecallFromJournal")["Action"].append(forbidden)

        assert [f.resource for f in findings(template)] == ["DecidingPolicy"]

    def test_a_stream_must_give_up_at_some_time(self, template):
        stream = template["Resources"]["JournalRelayJournal"]["Properties"]
        stream["MaximumRetryAttempts"] = -1

        assert [f.resource for f in findings(template)] == ["JournalRelayJournal"]

    @pytest.mark.parametrize("index", [0, 1])
    def test_an_index_needs_its_cap_as_well(self, index, template):
        table = template["Resources"]["RecordsTable"]["Properties"]
        del table["GlobalSecondaryIndexes"][index]["OnDemandThroughput"]

        assert [f.resource for f in findings(template)] == ["RecordsTable"]

    def test_moving_all_at_once_is_found(self, template):
        group = template["Resources"]["JobWorkerDeploymentGroup"]["Properties"]
        group["DeploymentConfigName"] = "CodeDeployDefault.LambdaAllAtOnce"

        assert [f.resource for f in findings(template)] == ["JobWorkerDeploymentGroup"]

    def test_every_missing_alarm_is_missed(self, template):
        """Whichever alarm goes, somebody says so; those that only watch more closely are named."""
        alarms = [n for n, _ in _of(template, "AWS::CloudWatch::Alarm").items()]
        missed = {}
        for name in alarms:
            kept = template["Resources"].pop(name)
            missed[name] = bool(findings(template, [failures_are_told]))
            template["Resources"][name] = kept

        assert {name for name, found in missed.items() if not found} == CLOSER_LOOKS


CLOSER_LOOKS = {
    *("ApiFaultsAlarm", "ApiSlowAlarm", "ApiShedAlarm", "FaultsAlarm"),
    *("ConflictsAlarm", "KeysBackupAlarm", "LogsStoppedAlarm", "ScheduledStoppedAlarm"),
}


def test_is_written_without_tabs_or_anchors():
    text = TEMPLATE.read_text("utf-8")

    assert "\t" not in text
    assert "<<: *" not in text


def _of(template, kind):
    return {n: r for n, r in template["Resources"].items() if r["Type"] == kind}


def _environments(template):
    return {
        name: function["Properties"]["Environment"]["Variables"]
        for name, function in _of(template, "AWS::Lambda::Function").items()
    }


def _handlers(template):
    return {
        name: function["Properties"]["Handler"]
        for name, function in _of(template, "AWS::Lambda::Function").items()
    }


def _statement(resources, sid):
    for resource in resources.values():
        document = resource.get("Properties", {}).get("PolicyDocument", {})
        for statement in document.get("Statement", ()):
            if statement.get("Sid") == sid:
                return statement
    raise LookupError(sid)


def _matches(pattern, record):
    """The part of event filtering that the template uses: values, anything-but, exists."""
    for name, wanted in pattern.items():
        value = record.get(name) if isinstance(record, dict) else None
        if isinstance(wanted, dict):
            if not _matches(wanted, value):
                return False
        elif not any(_allows(one, value) for one in wanted):
            return False
    return True


def _allows(wanted, value):
    if not isinstance(wanted, dict):
        return value == wanted
    if "anything-but" in wanted:
        return value is not None and value not in wanted["anything-but"]
    return (value is not None) is wanted["exists"]
