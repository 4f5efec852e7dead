"""What things cost: a bill of units at the prices of `prices.json`, and the worst month of all."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.rules.expanded import Template
from infra.rules.reading import resources

MONTH = 31 * 24 * 3600  # seconds
GIGABYTE = 1024  # MB
CEILING = {"USD": 60_000, "CNY": 800_000}  # a month; whoever raises a cap raises this knowingly


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What is paid for."""

    writes: float = 0.0
    reads: float = 0.0
    gb_seconds: float = 0.0
    invocations: float = 0.0
    api_requests: float = 0.0
    queue_requests: float = 0.0


def prices() -> dict[str, dict[str, Any]]:
    """Prices by currency, each with its region, day and source."""
    found: dict[str, dict[str, Any]] = json.loads(
        (Path(__file__).parent / "prices.json").read_text("utf-8")
    )
    return found


def bill(units: Units, price: dict[str, Any]) -> float:
    """The sum in the currency of the prices, without free tiers and volume discounts."""
    millions = (
        units.writes * price["write_units_million"]
        + units.reads * price["read_units_million"]
        + units.invocations * price["lambda_requests_million"]
        + units.api_requests * price["api_requests_million"]
        + units.queue_requests * price["queue_requests_million"]
    )
    return float(millions / 1e6 + units.gb_seconds * price["lambda_gb_second"])


def worst_month(template: Template) -> Units:
    """O-06: everything at its cap from the first second of a month to the last.

    Requests end with the clients' quotas. Queues have no cap of their own: two sends, two receives
    and two deletions for each write that the journal may take are more than one entry can cause.
    """
    caps = [part["OnDemandThroughput"] for part in _metered_parts(template)]
    journal = template["Resources"]["JournalTable"]["Properties"]["OnDemandThroughput"]
    functions = [f["Properties"] for _, f in resources(template, "AWS::Lambda::Function")]
    asked = _quotas(template)
    seconds = [
        (_number(f["ReservedConcurrentExecutions"], template), f["MemorySize"] / GIGABYTE)
        for f in functions
    ]
    return Units(
        writes=MONTH * sum(cap["MaxWriteRequestUnits"] for cap in caps),
        reads=MONTH * sum(cap["MaxReadRequestUnits"] for cap in caps),
        gb_seconds=MONTH * sum(concurrency * memory for concurrency, memory in seconds),
        invocations=asked + MONTH * sum(concurrency for concurrency, _ in seconds[1:]),
        api_requests=asked,
        queue_requests=6 * MONTH * journal["MaxWriteRequestUnits"] / 4,
    )


def _metered_parts(template: Template) -> list[dict[str, Any]]:
    """Tables and their indexes."""
    found: list[dict[str, Any]] = []
    for _, table in resources(template, "AWS::DynamoDB::Table"):
        properties = table["Properties"]
        found += [properties, *properties.get("GlobalSecondaryIndexes", ())]
    return found


def _quotas(template: Template) -> float:
    """Requests of a month of all clients together."""
    plans = {name: p["Properties"] for name, p in resources(template, "AWS::ApiGateway::UsagePlan")}
    keys = resources(template, "AWS::ApiGateway::UsagePlanKey")
    members = [key["Properties"]["UsagePlanId"]["Ref"] for _, key in keys]
    return sum(_number(plans[plan]["Quota"]["Limit"], template) for plan in members)


def _number(value: Any, template: Template) -> float:
    """A number, or a parameter's default."""
    if isinstance(value, dict):
        value = template["Parameters"][value["Ref"]]["Default"]
    return float(value)
