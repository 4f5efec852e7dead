"""How a mutation's resolver asks its use case."""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Protocol, TypeVar

from courtside.kernel.actor import Principal
from courtside.kernel.journal import Done
from courtside.platform.gql.context import Info
from courtside.platform.gql.payloads import idempotency_key

Asked_contra = TypeVar("Asked_contra", contravariant=True)
Request = TypeVar("Request")
Value = TypeVar("Value")


class UseCase(Protocol[Asked_contra, Value]):
    """A service's method that changes something."""

    def __call__(
        self, principal: Principal, request: Asked_contra, /, *, key: str, now: datetime
    ) -> Coroutine[Any, Any, Done[Value]]: ...


async def carry_out(
    info: Info, use_case: UseCase[Request, Value], key: str, request: Request
) -> Done[Value]:
    """Ask a use case in the caller's name, at the request's instant, under the input's
    idempotency key. InvalidInput for a key that cannot be one."""
    context = info.context
    return await use_case(context.principal, request, key=idempotency_key(key), now=context.now)
