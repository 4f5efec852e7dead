"""What a resolver finds at `info.context`: services by type, who asks, when, which language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import strawberry

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Language, NotSignedIn, Refusal

if TYPE_CHECKING:  # resolvers reach no storage, not even by way of this file
    from courtside.platform.dynamo.meter import Meter

T = TypeVar("T")


class Services:
    """The services of all modules, asked for by their type."""

    def __init__(self, services: Mapping[type[Any], object]) -> None:
        self._services = dict(services)

    def get(self, kind: type[T]) -> T:
        """The one service of that type."""
        service = self._services[kind]
        if not isinstance(service, kind):
            raise TypeError(f"{kind.__name__} is wired to a {type(service).__name__}")
        return service


class RefusalLog(Protocol):
    """Where refusals of permission, money, assets and minors leave their entry."""

    async def record(self, principal: Principal, operation: str, refusal: Refusal) -> None:
        """One entry a code and minute; it must succeed before the refusal is answered."""
        ...


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """One request. `now` was read once, when it arrived; nothing here outlives the answer."""

    services: Services
    refusals: RefusalLog
    error_types: Mapping[type[Refusal], type[Any]]
    now: datetime
    language: Language
    correlation: str
    meter: "Meter"
    signed_in: Principal | None = None
    outcome: str = "OK"
    loaders: dict[str, Any] = field(default_factory=dict)

    def get(self, kind: type[T]) -> T:
        """The service of that type."""
        return self.services.get(kind)

    @property
    def principal(self) -> Principal:
        """Who asks; NotSignedIn without a valid token."""
        if self.signed_in is None:
            raise NotSignedIn
        return self.signed_in


Info = strawberry.Info[RequestContext, None]
