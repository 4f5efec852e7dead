"""What rules ask of an expanded template."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from infra.rules.expanded import Template

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


def resources(template: Template, kind: str | None = None) -> list[tuple[str, Resource]]:
    everything = template["Resources"].items()
    return [(name, r) for name, r in everything if kind in {None, r["Type"]}]


def attributes(table: Resource) -> list[dict[str, str]]:
    found: list[dict[str, str]] = table["Properties"]["AttributeDefinitions"]
    return found


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of a role or a managed policy, by the resource that holds it."""
    for name, policy in resources(template, "AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            yield name, statement
    for name, role in resources(template, "AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def attributes_of(value: Any) -> list[str]:
    """The logical ids that a value refers to, however deep."""
    if isinstance(value, list):
        return [name for one in value for name in attributes_of(one)]
    if not isinstance(value, dict):
        return []
    if "Ref" in value:
        return [value["Ref"]]
    if "Fn::GetAtt" in value:
        return [value["Fn::GetAtt"][0]]
    if "Fn::Sub" in value and isinstance(value["Fn::Sub"], str):
        return [part.split("}")[0].split(".")[0] for part in value["Fn::Sub"].split("${")[1:]]
    return [name for one in value.values() for name in attributes_of(one)]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def streams(template: Template) -> list[dict[str, Any]]:
    mappings = [m["Properties"] for _, m in resources(template, "AWS::Lambda::EventSourceMapping")]
    return [m for m in mappings if "StartingPosition" in m]


def function_of(template: Template, called: str) -> str:
    """The function behind an alias; a function is itself."""
    resource = template["Resources"][called]
    if resource["Type"] != "AWS::Lambda::Alias":
        return called
    behind: str = resource["Properties"]["FunctionName"]["Ref"]
    return behind
