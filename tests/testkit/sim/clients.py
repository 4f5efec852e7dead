"""Clients: each asks until it is answered, always under the same key; some ask twice."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Busy, Refusal
from courtside.kernel.journal import Done
from courtside.platform.clock import DEFAULT_DEADLINE, deadline
from courtside.platform.dynamo.audit import JournalRefusals
from courtside.platform.dynamo.engine import Throttled, Unanswered
from courtside.platform.dynamo.meter import metered
from testkit.sim.container import Container, Died
from testkit.sim.files import BucketDown
from testkit.sim.world import World

PATIENCE = 40  # attempts; the weather is fine long before
LATER = (Busy, Died, Throttled, Unanswered, BucketDown)
_UNSEEN = {"NOT_PERMITTED", "NOT_FOUND"}  # a replay's object is read under the permission of now


@dataclass(slots=True, kw_only=True)
class Asked:
    """One wish under one key: what every attempt came to."""

    who: Principal
    use_case: str
    request: Any
    key: str
    values: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    fresh: int = 0
    unknown: int = 0
    done: Any = None

    @property
    def is_answered(self) -> bool:
        return bool(self.values or self.refusals)


def identity(value: Any) -> str:
    """What an answer is about, by the names that domain objects have."""
    for name in ("imported", "key", "id", "on"):
        found = getattr(value, name, None)
        if found is not None:
            return identity(found) if name == "imported" else str(found)
    return type(value).__name__


class Clients:
    """All who use the system from outside."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.asked: list[Asked] = []
        self._numbers = 0

    async def ask(self, who: Principal, service: type[Any], use_case: str, request: Any) -> Asked:
        """Ask until answered; now and then from two phones at once, or once more afterwards."""
        world = self._world
        self._numbers += 1
        asked = Asked(who=who, use_case=use_case, request=request, key=f"sim-{self._numbers:05}")
        self.asked.append(asked)
        times = 2 if world.happens(world.weather.doubled) else 1
        await asyncio.gather(*(self._until_answered(asked, service) for _ in range(times)))
        if asked.values and world.happens(world.weather.repeated):
            await world.clock.sleep(world.chance.choice((0.1, 30.0, 900.0)))
            await self._until_answered(asked, service)
        return asked

    async def _until_answered(self, asked: Asked, service: type[Any]) -> None:
        world = self._world
        for _ in range(PATIENCE):
            await world.pause()
            container = world.container("api")
            try:
                await container.invoke(partial(self._serve, container, asked, service))
            except LATER as why:
                asked.unknown += 1
                self._note(container, asked, f"no answer ({type(why).__name__})")
                await world.clock.sleep(world.chance.uniform(0.2, 4.0))
            else:
                return
        world.problem(f"{asked.use_case} {asked.key} was never answered")

    async def _serve(self, container: Container, asked: Asked, service: type[Any]) -> None:
        """What the API's edge does around a use case; the answer counts when it arrives."""
        app = container.app
        use_case: Callable[..., Any] = getattr(app.parts[service], asked.use_case)
        with deadline(app.clock, DEFAULT_DEADLINE), metered():
            try:
                done = await use_case(asked.who, asked.request, key=asked.key, now=app.clock.now())
            except Refusal as refusal:
                await self._refused(container, asked, refusal)
            except LATER:
                raise
            except Exception as fault:  # noqa: BLE001 - whatever it is, the seed fails
                self._world.problem(f"{asked.use_case} {asked.key}: {fault!r}")
                asked.unknown += 1
            else:
                self._done(container, asked, done)

    async def _refused(self, container: Container, asked: Asked, refusal: Refusal) -> None:
        if refusal.audited:
            audit = JournalRefusals(container.app.database, self._world.signals)
            await audit.record(asked.who, asked.use_case, refusal)
        if not (asked.values and refusal.code in _UNSEEN):
            asked.refusals.append(refusal.code)
        self._note(container, asked, refusal.code)

    def _done(self, container: Container, asked: Asked, done: Done[Any]) -> None:
        asked.done = done.value
        asked.values.append(identity(done.value))
        asked.fresh += not done.replayed
        self._note(container, asked, "replayed" if done.replayed else "done")

    def _note(self, container: Container, asked: Asked, outcome: str) -> None:
        self._world.trace.note(container.name, asked.use_case, asked.key, outcome)
