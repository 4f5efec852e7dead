"""The table definitions, read out of the root `template.yaml`: they are written nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_TABLE = "AWS::DynamoDB::Table"
_CREATED_WITH = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "StreamSpecification",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A global secondary index. `included` are the attributes beside the keys; None means all."""

    name: str
    pk: str
    sk: str
    included: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table by its logical name, with what is needed to create it elsewhere."""

    name: str
    indexes: tuple[Index, ...]
    properties: Mapping[str, Any]

    @property
    def has_stream(self) -> bool:
        return "StreamSpecification" in self.properties

    @property
    def ttl(self) -> str | None:
        """The attribute that says when an item leaves by itself."""
        lifetime = self.properties.get("TimeToLiveSpecification")
        return lifetime["AttributeName"] if lifetime else None

    def create(self, real_name: str) -> dict[str, Any]:
        """The payload of CreateTable."""
        wanted = {name: self.properties[name] for name in _CREATED_WITH if name in self.properties}
        if self.has_stream:
            wanted["StreamSpecification"] = {"StreamEnabled": True, **wanted["StreamSpecification"]}
        return {"TableName": real_name, **wanted}


def read_tables(template: Path = TEMPLATE) -> dict[str, Table]:
    """Every table of the template by its logical name, the last word of its real one."""
    resources = yaml_parse(template.read_text("utf-8"))["Resources"].values()
    tables = [_table(r["Properties"]) for r in resources if r["Type"] == _TABLE]
    return {table.name: table for table in tables}


def _table(properties: Mapping[str, Any]) -> Table:
    logical = properties["TableName"]["Fn::Sub"].rpartition("-")[2]
    indexes = tuple(_index(i) for i in properties.get("GlobalSecondaryIndexes", ()))
    return Table(name=logical, indexes=indexes, properties=properties)


def _index(definition: Mapping[str, Any]) -> Index:
    keys = {key["KeyType"]: key["AttributeName"] for key in definition["KeySchema"]}
    projection = definition["Projection"]
    included = {
        "ALL": None,
        "KEYS_ONLY": frozenset[str](),
        "INCLUDE": frozenset(projection.get("NonKeyAttributes", ())),
    }[projection["ProjectionType"]]
    return Index(name=definition["IndexName"], pk=keys["HASH"], sk=keys["RANGE"], included=included)
