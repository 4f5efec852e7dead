"""A function's container: one event loop and one application for as long as it lives."""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, Protocol

from courtside.platform.clock import SystemClock, deadline
from courtside.platform.probe import Check, is_probe, probed
from courtside.platform.settings import Settings, from_environment

_RESERVE = 2.0  # seconds of the function's time that are kept for answering


class Taker(Protocol):
    """What an entrypoint makes of events."""

    def take(self, event: Mapping[str, Any]) -> Awaitable[Mapping[str, Any] | None]: ...


class Container:
    """A handler for Lambda. The application is built at the first event, on the one loop.

    `checks` are what a probe tries, on the application that would take the events.
    """

    def __init__(
        self, build: Callable[[], Taker], checks: Callable[[], Mapping[str, Check]]
    ) -> None:
        self._build = build
        self._checks = checks
        self._clock = SystemClock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taker: Taker | None = None

    def __call__(self, event: Mapping[str, Any], context: Any) -> Mapping[str, Any] | None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        left = context.get_remaining_time_in_millis() / 1000
        with deadline(self._clock, left - _RESERVE):
            return self._loop.run_until_complete(self._take(event))

    async def _take(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if is_probe(event):
            return await probed(self._tried)
        if self._taker is None:
            self._taker = self._build()
            settled()
        return await self._taker.take(event)

    def _tried(self) -> Mapping[str, Check]:
        self._build()
        return self._checks()


def settled() -> None:
    """All is built: keep it out of collections, which begin now."""
    gc.freeze()
    gc.enable()


@cache
def settings() -> Settings:
    """The settings of this function's environment."""
    return from_environment(os.environ)
