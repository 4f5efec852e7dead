"""The installation that the demo is played on: in memory at first, the running one later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

from courtside.bootstrap import App

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """An application whose clock the demo sets to when things happened."""

    app: App
    court: str
    set_clock: Callable[[datetime], datetime]

    def get(self, kind: type[T]) -> T:
        """The service of that type."""
        return cast("T", self.app.parts[kind])

    async def finish(self, job: str) -> None:
        """Run a job to its end here and now; the job worker finds it ended."""
        await self.app.runner.run(self.court, job)
