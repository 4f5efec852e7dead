"""One seed, from its first action to its verdict."""

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from courtside.entrypoints.scheduled import Scheduled
from courtside.kernel.actor import EVERYBODY
from courtside.kernel.errors import Busy
from courtside.kernel.workdays import business_day
from courtside.platform.reconcile import FindingKind, Reconciler
from testkit.sim import books
from testkit.sim.base import BEGINS, base
from testkit.sim.clients import Clients
from testkit.sim.container import Died
from testkit.sim.delivery import Delivery
from testkit.sim.loop import LoopClock, Stalled, VirtualLoop
from testkit.sim.registry import Action, simulated
from testkit.sim.seams import seeded
from testkit.sim.trace import Trace
from testkit.sim.weather import CALM, drawn
from testkit.sim.world import Cast, WatchedEngine, World

ACTIONS = 60
_ENDLESS = (
    4 * 3600.0
)  # seconds of virtual time after which the fine weather should have settled all
_SWEEPS = timedelta(minutes=6)  # longer than the sweeper leaves an entry to the relay
_FAULTS = {FindingKind.BALANCE_DIFFERS, FindingKind.ACCOUNT_MISSING, FindingKind.LINE_DIFFERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`problems` is empty for a seed that holds; `digest` is equal for equal runs."""

    seed: int
    problems: tuple[str, ...]
    lines: tuple[str, ...]
    digest: str
    entries: int
    answers: dict[str, int]


def run_seed(seed: int, *, actions: int = ACTIONS) -> Outcome:
    """Live through one seed, in virtual time."""
    base()
    chance = random.Random(seed)
    was_on = gc.isenabled()
    gc.disable()
    try:
        with seeded(chance), asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(_live(seed, chance, actions))
    finally:
        if was_on:
            gc.enable()


async def _live(seed: int, chance: random.Random, actions: int) -> Outcome:
    world = _world(seed, chance)
    clients, delivery = Clients(world), Delivery(world)
    world.ask = clients.ask
    director = _Director(world, clients, delivery)
    try:
        await asyncio.wait_for(director.direct(actions), 30 * 24 * 3600)
    except (Stalled, TimeoutError) as never:
        world.problem(f"it never came to rest: {never!r}")
    finally:
        await world.end()
    told: dict[str, int] = {}
    for asked in clients.asked:
        for code in asked.refusals or (["OK"] if asked.values else []):
            name = f"{asked.use_case} {code}"
            told[name] = told.get(name, 0) + 1
    return Outcome(
        seed=seed,
        problems=tuple(world.problems),
        lines=tuple(world.trace.lines),
        digest=world.trace.digest,
        entries=len(world.engine.items("journal")) - len(world.cast.things["settled"]),
        answers=told,
    )


def _world(seed: int, chance: random.Random) -> World:
    ground = base()
    clock = LoopClock(BEGINS, seed=seed)
    engine = WatchedEngine(clock, seed=seed)
    engine.restore(ground.items)
    cast = ground.cast
    return World(
        seed=seed,
        settings=ground.settings,
        clock=clock,
        engine=engine,
        cast=Cast(court=cast.court, parts=dict(cast.parts), things=dict(cast.things)),
        parts=simulated(),
        chance=chance,
        weather=drawn(chance),
        trace=Trace(),
    )


class _Director:
    """Lets people act, then lets everything come to rest, then looks at the books."""

    def __init__(self, world: World, clients: Clients, delivery: Delivery) -> None:
        self._world = world
        self._clients = clients
        self._delivery = delivery

    async def direct(self, actions: int) -> None:
        world = self._world
        world.engine.faults = world.weather.engine
        world.trace.note("weather", str(world.weather))
        self._delivery.start()
        acting = [*world.parts.actions, Action(self._sweep), Action(self._reconcile)]
        weights = [action.weight for action in acting]
        under_way = []
        for action in world.chance.choices(acting, weights, k=actions):
            under_way.append(world.spawn(self._act(action.run, action.name)))
            await world.clock.sleep(self._gap())
        world.weather, world.engine.faults = CALM, CALM.engine
        world.trace.note("weather", "fine")
        await asyncio.wait_for(asyncio.gather(*under_way), _ENDLESS)
        await self._settle()
        await self._verdict()

    async def _act(self, run: Callable[[World], Awaitable[None]], name: str) -> None:
        try:
            await run(self._world)
        except (Busy, Died):
            self._world.trace.note("director", name, "", "given up")
        except Exception as fault:  # noqa: BLE001 - whatever it is, the seed fails
            self._world.problem(f"{name}: {fault!r}")

    def _gap(self) -> float:
        """Mostly at once, sometimes hours, and often just before something ends."""
        chance = self._world.chance
        fate = chance.random()
        if fate < 0.65:
            return chance.uniform(0, 3 * self._world.weather.engine.latency)
        if fate < 0.8:
            return chance.uniform(0.3, 8)
        moments = self._world.moments() if fate > 0.9 else ()
        if not moments:
            return chance.uniform(8, 300)
        left = (moments[0] - self._world.clock.now()).total_seconds()
        return max(0.0, min(left, 3600) - chance.uniform(-0.3, 0.6))

    async def _settle(self) -> None:
        """Until nothing is on its way: dead letters come back, the sweeper closes the gaps."""
        world = self._world
        for _ in range(5):
            await self._rest()
            redriven = sum(queue.redrive() for queue in world.queues.values())
            await world.clock.sleep(_SWEEPS.total_seconds())
            swept = await self._swept()
            if not redriven and not swept and self._delivery.is_quiet:
                return
        world.problem("the sweeper always finds something more")

    async def _rest(self) -> None:
        ends = self._world.clock.monotonic() + _ENDLESS
        while not self._delivery.is_quiet:
            if self._world.clock.monotonic() > ends:
                self._world.problem("queues and stream never come to rest")
                return
            await self._world.clock.sleep(5)

    async def _sweep(self, _: World) -> None:
        await self._swept()

    async def _swept(self) -> int:
        container = self._world.container("scheduled")
        scheduled = Scheduled(container.app, self._world.signals)
        resent = await container.invoke(scheduled.sweep)
        self._world.trace.note(container.name, "sweep", "", f"{resent} resent")
        return resent

    async def _reconcile(self, world: World) -> None:
        """While everything goes on: what is still on its way is no finding."""
        for told in await self._findings(world.court):
            if told.partition(" ")[0] in _FAULTS:
                world.problem(f"reconcile meanwhile: {told}")

    async def _findings(self, court: str) -> list[str]:
        world = self._world
        container = world.container("jobs")
        books_ = Reconciler(container.app.database, clock=container.app.clock, signals=_Silent())
        since = business_day(BEGINS)
        report = await container.invoke(lambda: books_.reconcile(court, since=since))
        world.trace.note(container.name, "reconcile", "", f"{report.entries} entries")
        found = [
            f"{f.kind.value} {f.subject}: {f.found}, not {f.expected}" for f in report.findings
        ]
        return [*found, *(["PENDING"] * report.pending)]

    async def _verdict(self) -> None:
        world = self._world
        for court in (world.court, EVERYBODY):
            for told in await self._findings(court):
                world.problem(f"reconcile: {told}")
        for told in books.check(world, self._clients):
            world.problem(told)
        for invariant in world.parts.invariants:
            for told in invariant(world):
                world.problem(told)


class _Silent:
    """Findings are read from the report."""

    def emit(self, *_: object, **__: object) -> None:
        """Nothing."""
