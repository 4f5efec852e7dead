"""What all use cases do alike around their own load, permit, decide and save."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from courtside.kernel.actor import Actor, Permits, permit
from courtside.kernel.errors import Busy, Stale

P = ParamSpec("P")
T = TypeVar("T")
DECISIONS = 8  # how often a use case decides anew before it says that it is busy


def decides_again(
    use_case: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Run the whole use case again when what it decided on has moved meanwhile (Stale).

    After DECISIONS rounds it gives up with Busy; nothing was written and the key stays unused.
    """

    @wraps(use_case)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(DECISIONS):
            try:
                return await use_case(*args, **kwargs)
            except Stale:
                continue
        raise Busy

    return run


def permit_replay(actor: Actor, permits: Permits, reading: str, *, now: datetime) -> None:
    """Whether somebody may be shown again what an earlier attempt did: by the roles that `reading`
    asks for, as of any reader. NotPermitted, StepUpRequired.

    A client's scope is not asked again: it let the first attempt through, whose answer may have
    been lost, and need not name the reading.
    """
    unscoped = replace(actor.principal, scopes=frozenset())
    permit(replace(actor, principal=unscoped), permits, reading, now=now)
