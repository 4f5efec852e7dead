"""Mutations and queries as every module declares them: payload errors, policy tags, replay flag."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, get_type_hints

import strawberry
from strawberry.types import get_object_definition

from courtside.kernel.errors import (
    IdempotencyMismatch,
    InvalidInput,
    Language,
    NotPermitted,
    NotSignedIn,
    Refusal,
    StepUpRequired,
    Text,
)
from courtside.platform.gql.context import Info, RequestContext

ALWAYS: tuple[type[Refusal], ...] = (
    NotSignedIn,
    NotPermitted,
    StepUpRequired,
    IdempotencyMismatch,
    InvalidInput,
)
PUBLIC = "public"  # the policy of a field that needs no sign-in

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")

Resolver = TypeVar("Resolver", bound=Callable[..., Awaitable[Any]])


@strawberry.interface(
    description="办理未成功的原因 / Why it was refused: `code` is stable, `message` for people."
)
class UserError:
    code: str
    message: str
    path: list[str] | None = None


@strawberry.type(description="没有更多细节的拒绝 / A refusal without facts of its own.")
class PlainError(UserError):
    pass


@strawberry.type
class Payload:
    """Base of all payloads. A refusal leaves the object null and `errors` filled."""

    errors: list[UserError] = strawberry.field(
        default_factory=list, description="拒绝的原因;成功时为空 / Empty when it was done."
    )
    replayed: bool = strawberry.field(
        default=False, description="此前已用同一键办理过 / Done before under the same key."
    )


def user_error(
    refusal: Refusal, language: Language, types: Mapping[type[Refusal], type[Any]]
) -> UserError:
    """The refusal as a payload error: its own GraphQL type if it has one, else PlainError."""
    common: dict[str, Any] = {
        "code": refusal.code,
        "message": refusal.message(language),
        "path": [str(part) for part in refusal.path] or None,
    }
    kind = types.get(type(refusal))
    if kind is None:
        return PlainError(**common)
    error: UserError = kind.of(refusal, **common)
    return error


def mutation(
    operation: str, *, refuses: tuple[type[Refusal], ...], description: str
) -> Callable[[Resolver], Any]:
    """Declare a mutation: its operation (the policy tag), and every refusal it may answer with.

    The resolver returns its payload or lets a Refusal through; the codes are appended to the
    payload's description, and an undeclared refusal is a fault.
    """

    def declare(resolver: Resolver) -> Any:
        payload = get_type_hints(resolver)["return"]
        declared = (*refuses, *ALWAYS)
        _describe(payload, declared)

        @wraps(resolver)
        async def answered(*args: Any, **kwargs: Any) -> Any:
            context = _context(args, kwargs)
            try:
                return await resolver(*args, **kwargs)
            except declared as refusal:
                await note(context, operation, refusal)
                return payload(errors=[user_error(refusal, context.language, context.error_types)])

        return strawberry.mutation(
            resolver=answered, description=description, metadata={"operation": operation}
        )

    return declare


def query(operation: str, *, description: str) -> Callable[[Resolver], Any]:
    """Declare a root query with its policy tag. A Refusal becomes an error of the response, with
    its code in `extensions` and the field null."""

    def declare(resolver: Resolver) -> Any:
        @wraps(resolver)
        async def answered(*args: Any, **kwargs: Any) -> Any:
            try:
                return await resolver(*args, **kwargs)
            except Refusal as refusal:
                await note(_context(args, kwargs), operation, refusal)
                raise

        return strawberry.field(
            resolver=answered, description=description, metadata={"operation": operation}
        )

    return declare


def idempotency_key(text: str) -> str:
    """The key as it was given; InvalidInput unless 8 to 64 letters, digits, `_` or `-`."""
    if _KEY.fullmatch(text) is None:
        reason = Text(
            zh="应为 8 至 64 个字母、数字、_ 或 -", en="expected 8 to 64 letters, digits, _ or -"
        )
        raise InvalidInput(field="idempotencyKey", reason=reason)
    return text


async def note(context: RequestContext, operation: str, refusal: Refusal) -> None:
    """Keep what a refusal leaves behind: the log line's outcome, and the audit entry of those that
    have one (failing closed)."""
    context.outcome = refusal.code
    if refusal.audited and context.signed_in is not None:
        await context.refusals.record(context.signed_in, operation, refusal)


def _context(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> RequestContext:
    for value in (*kwargs.values(), *args):
        if isinstance(value, strawberry.Info):
            context: RequestContext = value.context
            return context
    raise TypeError("a resolver takes `info: Info`")


def _describe(payload: type[Any], declared: tuple[type[Refusal], ...]) -> None:
    definition = get_object_definition(payload, strict=True)
    codes = ", ".join(sorted({refusal.code for refusal in declared}))
    definition.description = f"{definition.description or ''}\n\nCodes: {codes}".strip()


__all__ = [
    "ALWAYS",
    "PUBLIC",
    "Info",
    "Payload",
    "PlainError",
    "UserError",
    "idempotency_key",
    "mutation",
    "note",
    "query",
    "user_error",
]
