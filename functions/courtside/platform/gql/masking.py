"""What of an error may be said: refusals, and the request's own mistakes. All else is masked.

An error passes by what it is, never by what it is not: an exception of any layer, wherever the
server wrapped it, becomes one constant sentence with the correlation id.
"""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError

from courtside.kernel.errors import Busy, Language, Refusal, Text

INTERNAL = "INTERNAL"
BUSY = "BUSY"
BAD_INPUT = "BAD_INPUT"
FAULT = Text(
    zh="系统出错,请凭编号 {correlation} 联系管理员。",
    en="Something went wrong. Quote {correlation} to an administrator.",
)
TRY_AGAIN = Text(
    zh="系统繁忙,请用同一 idempotencyKey 重试。",
    en="Busy. Try again with the same idempotencyKey.",
)
# Where the server puts the text of an exception into an error that no longer refers to it.
QUOTING = "encountered error"
SUGGESTION = " Did you mean"  # the server's guesses name fields that were not asked for


def say(text: Text, language: Language, **facts: str) -> str:
    """A sentence in the caller's language."""
    return (text.zh if language == "zh" else text.en).format_map(facts)


def told(error: GraphQLError, language: Language, correlation: str) -> dict[str, Any]:
    """The error as the answer carries it."""
    cause = cause_of(error)
    if isinstance(cause, Refusal):
        message, code = cause.message(language), cause.code
    elif isinstance(cause, Busy):
        message, code = say(TRY_AGAIN, language), BUSY
    elif is_fault(error):
        return fault(language, correlation, path=error.path)
    else:
        message = error.message.partition(SUGGESTION)[0]
        code = (error.extensions or {}).get("code", BAD_INPUT)
    found: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    if error.path is not None:
        found["path"] = error.path
    elif error.locations:
        found["locations"] = [place.formatted for place in error.locations]
    return found


def fault(
    language: Language, correlation: str, *, path: list[str | int] | None = None
) -> dict[str, Any]:
    """The constant error of every fault."""
    message = say(FAULT, language, correlation=correlation)
    found: dict[str, Any] = {
        "message": message,
        "extensions": {"code": INTERNAL, "correlation": correlation},
    }
    return found if path is None else {**found, "path": path}


def is_fault(error: GraphQLError) -> bool:
    """Whether anything but a refusal or the request's own mistake is behind the error.

    Errors with a path arose while fields ran: of these only refusals may be told.
    """
    if isinstance(cause_of(error), Refusal | Busy):
        return False
    foreign = any(not isinstance(one, GraphQLError) for one in _chain(error))
    return foreign or error.path is not None or QUOTING in error.message


def cause_of(error: BaseException) -> BaseException:
    """The innermost exception that the server wrapped."""
    *_, innermost = _chain(error)
    return innermost


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = getattr(current, "original_error", None)
        current = inner if isinstance(inner, BaseException) else None
