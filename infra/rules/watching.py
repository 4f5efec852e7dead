"""Who is told of what: every way to fail has its alarm, and every alarm somebody who hears it."""

from collections.abc import Iterator
from typing import Any

from infra.rules.expanded import Template
from infra.rules.reading import Told, attributes_of, function_of, resources, streams

from courtside.platform.signals import Signal

OF_EVERY = {
    "AWS::Lambda::Function": ("Errors",),
    "AWS::DynamoDB::Table": ("ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors"),
}
OF_SERVING = ("Throttles", "Duration")  # what a function that serves or works needs besides
OF_DEAD_LETTERS = "ApproximateNumberOfMessagesVisible"
OF_WORK = "ApproximateAgeOfOldestMessage"


def failures_are_told(template: Template) -> Told:
    """A dead letter that nobody hears of is a lost fact."""
    watched = set(_watched(template))
    for metric, name in sorted(_to_be_watched(template) - watched):
        yield name or "alarms", f"nobody is told of {metric}"
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm"):
        if not alarm["Properties"].get("AlarmActions"):
            yield name, "tells nobody"


def coverage(template: Template) -> tuple[int, int]:
    """How many failure modes have their alarm, and how many there are (O-04)."""
    wanted = _to_be_watched(template)
    return len(wanted & set(_watched(template))), len(wanted)


def _watched(template: Template) -> Iterator[tuple[str, str]]:
    """Metrics that alarms look at, each with every resource that its dimensions name."""
    for _, alarm in resources(template, "AWS::CloudWatch::Alarm"):
        for metric in _metrics(alarm["Properties"]):
            named = attributes_of(metric.get("Dimensions", []))
            yield from ((metric["MetricName"], name) for name in (*named, ""))


def _metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The alarm's one metric, or those that its expression adds up."""
    if "MetricName" in alarm:
        return [alarm]
    return [m["MetricStat"]["Metric"] for m in alarm["Metrics"] if "MetricStat" in m]


def _to_be_watched(template: Template) -> set[tuple[str, str]]:
    """Metrics that need an alarm, with the resource that they are of."""
    wanted = {(signal.value, "") for signal in Signal}
    for kind, metrics in OF_EVERY.items():
        wanted |= {(metric, name) for name, _ in resources(template, kind) for metric in metrics}
    for name, function in resources(template, "AWS::Lambda::Function"):
        if "pre_traffic" not in function["Properties"]["Handler"]:
            wanted |= {(metric, name) for metric in OF_SERVING}
    for name, queue in resources(template, "AWS::SQS::Queue"):
        works = "RedrivePolicy" in queue["Properties"]
        wanted.add((OF_WORK if works else OF_DEAD_LETTERS, name))
    relays = {function_of(template, s["FunctionName"]["Ref"]) for s in streams(template)}
    return wanted | {("IteratorAge", relay) for relay in relays}
