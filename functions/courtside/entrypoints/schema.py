"""The schema: what the modules declare, merged. A module joins by its line in `_MODULES`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types.scalar import ScalarDefinition

from courtside.kernel.errors import Refusal
from courtside.modules.audit import gql as audit
from courtside.modules.calendar import gql as calendar
from courtside.modules.meals import gql as meals
from courtside.modules.people import gql as people
from courtside.platform.gql.execution import Schema
from courtside.platform.gql.payloads import PUBLIC, Info, PlainError
from courtside.platform.gql.scalars import SCALARS


class ModuleGql(Protocol):
    """What `gql.py` of every module exports, besides an optional tuple `TYPES`."""

    Query: type[Any]
    Mutation: type[Any]
    ERROR_TYPES: Mapping[type[Refusal], type[Any]]


_MODULES: tuple[ModuleGql, ...] = (people, calendar, audit, meals)

ERROR_TYPES: Mapping[type[Refusal], type[Any]] = {
    refusal: kind for module in _MODULES for refusal, kind in module.ERROR_TYPES.items()
}


@strawberry.type
class Service:
    """What the service says of itself, to anybody."""

    @strawberry.field(
        description="服务器当前时间;与截止时间比较时以此为准 / The server's clock.",
        metadata={"operation": PUBLIC},
    )  # type: ignore[untyped-decorator]
    def server_now(self, info: Info) -> datetime:
        return info.context.now


def _schema() -> Schema:
    scalars: dict[object, ScalarDefinition] = {**SCALARS}  # type: ignore[dict-item]
    extra = [kind for module in _MODULES for kind in getattr(module, "TYPES", ())]
    return Schema(
        query=merge_types("Query", (Service, *(module.Query for module in _MODULES))),
        mutation=merge_types("Mutation", tuple(module.Mutation for module in _MODULES)),
        types=dict.fromkeys([PlainError, *ERROR_TYPES.values(), *extra]),
        config=StrawberryConfig(scalar_map=scalars, disable_field_suggestions=True),
    )


schema = _schema()
