"""The kitchen rush on the embedded engine behind the fault proxy, against its own storage calls.

Every run begins with the same prepared file, through the same proxy, with the same faults and the
same processes. The floors replay what the API asked of the tables, with nothing above it.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
from infra.local import engine as local

from bench.table import Row
from courtside.kernel.errors import Busy
from courtside.platform.clock import deadline
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.engine import Cancelled, Engine
from courtside.platform.dynamo.patience import Contended, PatientEngine, patiently
from courtside.platform.dynamo.values import Item, Query, Read, Slice, Write
from courtside.platform.settings import Settings, table_names
from testkit.rush import Found, Kitchen, RunningClock, Rush, Told, Wish, open_kitchen, prepare

SEED = 20260302
CLIENTS = 32
DEADLINE = 8.0
NAMES = table_names("test")
FAULTS = ("--lost=0.0125", "--unanswered=0.0125", "--throttled=0.0125", "--failed=0.0125")
CONFLICTS = ("--overlap=0.008",)


T = TypeVar("T")


@dataclass(slots=True)
class Asked:
    """What one order asked of the tables: its reads, and its last transaction."""

    gets: dict[tuple[Read, ...], None] = field(default_factory=dict)
    queries: list[Query] = field(default_factory=list)
    writes: tuple[Write, ...] = ()


_asking: ContextVar[Asked | None] = ContextVar("bench_asking", default=None)


class Recorder:
    """An engine that keeps what each order asks, once."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self.asked: list[Asked] = []

    def begin(self) -> None:
        """From now on this task asks for its next order."""
        asked = Asked()
        self.asked.append(asked)
        _asking.set(asked)

    async def get(self, reads: Sequence[Read]) -> list[Item | None]:
        if asked := _asking.get():
            asked.gets[tuple(reads)] = None
        return await self._inner.get(reads)

    async def query(self, query: Query) -> Slice:
        if (asked := _asking.get()) and query not in asked.queries:
            asked.queries.append(query)
        return await self._inner.query(query)

    async def transact(self, writes: Sequence[Write]) -> None:
        if asked := _asking.get():
            asked.writes = tuple(writes)
        await self._inner.transact(writes)

    async def put_many(self, table: str, items: Sequence[Item]) -> None:
        await self._inner.put_many(table, items)

    async def close(self) -> None:
        await self._inner.close()


@dataclass(slots=True, kw_only=True)
class Run:
    """One run: how many orders a second, who used how much CPU, and how long each took."""

    rate: float
    cpu: float
    engine_cpu: float
    seconds: list[float]

    def p(self, percent: int) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


async def rows(*, orders: int = 10_000) -> list[Row]:
    """All figures of the rush: scarce dishes for D-01, dishes for everybody for the rates."""
    with tempfile.TemporaryDirectory() as name:
        scarce, base = await _prepared(Path(name), orders=orders, portions=int(orders * 0.06))
        found = await _scarce(scarce, base)
        found += await _at_once(scarce, base)
    with tempfile.TemporaryDirectory() as name:
        plenty, base = await _prepared(Path(name), orders=orders, portions=orders)
        found += await _rates(plenty, base)
        return found + await _without_faults(plenty, base, plenty.wishes[: orders // 4])


async def _prepared(folder: Path, *, orders: int, portions: int) -> tuple[Rush, Path]:
    rush = await prepare(folder, orders=orders, portions=portions, seed=SEED)
    return rush, await _prepared_file(rush, folder)


async def _scarce(rush: Rush, base: Path) -> list[Row]:
    """D-01 on the embedded engine through the proxy's faults."""
    _, told, _, found = await _api(rush, base, rush.wishes, faults=FAULTS)
    codes = ", ".join(f"{code} {n}" for code, n in sorted(told.codes.items()))
    figures = {
        "oversold": found.oversold,
        "not conserved": found.not_conserved,
        "lost acknowledgements": found.lost_acknowledgements,
        "false refusals": found.false_refusals,
    }
    return [
        Row(name=f"D-01 {name}", value=n, bound=0, keeps="==", told=f"seed {SEED}, {codes}")
        for name, n in figures.items()
    ]


async def _rates(rush: Rush, base: Path) -> list[Row]:
    served, _, asked, _ = await _api(rush, base, rush.wishes, faults=FAULTS)
    storage = await _replayed(base, asked, _storage, faults=FAULTS)
    bare = await _replayed(base, asked, _bare, faults=FAULTS)
    return [
        Row(
            name="rush, of the rate of its storage calls",
            value=served.rate / storage.rate,
            bound=0.80,
            keeps=">=",
            told=f"{served.rate:.0f} of {storage.rate:.0f} orders/s",
        ),
        Row(
            name="rush, of the rate of bare transactions",
            value=served.rate / bare.rate,
            bound=0.65,
            keeps=">=",
            told=f"{served.rate:.0f} of {bare.rate:.0f} orders/s",
        ),
    ]


async def _without_faults(rush: Rush, base: Path, wishes: Sequence[Wish]) -> list[Row]:
    served, _, _, _ = await _api(rush, base, wishes)
    return [
        Row(
            name="rush without faults, p99 over p50",
            value=served.p(99) / served.p(50),
            bound=5,
            told=f"{served.p(99) * 1000:.0f} over {served.p(50) * 1000:.0f} ms",
        ),
        Row(
            name="CPU of the API over the engine's, an order",
            value=served.cpu / served.engine_cpu,
            bound=1.2,
            told=f"{served.cpu / len(wishes) * 1e3:.2f} over "
            f"{served.engine_cpu / len(wishes) * 1e3:.2f} ms",
        ),
    ]


async def _at_once(rush: Rush, base: Path, phones: int = 300) -> list[Row]:
    """All phones in the same moment, at one lunch, while transactions conflict."""
    one_day = [w for w in rush.wishes if w.day == rush.wishes[0].day][:phones]
    served, told, asked, found = await _api(
        rush, base, one_day, faults=CONFLICTS, clients=len(one_day)
    )
    storage = await _replayed(base, asked, _storage, faults=CONFLICTS, clients=len(one_day))
    return [
        Row(
            name=f"{len(one_day)} phones at once, slowest answer",
            value=max(told.seconds),
            bound=DEADLINE,
            told="s, while transactions conflict for 8 ms",
        ),
        Row(
            name=f"{len(one_day)} phones at once, false refusals",
            value=found.false_refusals,
            bound=0,
            keeps="==",
            told=str(dict(told.codes)),
        ),
        Row(
            name=f"{len(one_day)} phones at once, p99 over its storage calls'",
            value=served.p(99) / storage.p(99),
            bound=2,
            told=f"{served.p(99):.2f} over {storage.p(99):.2f} s",
        ),
    ]


async def _api(
    rush: Rush,
    base: Path,
    wishes: Sequence[Wish],
    *,
    faults: Sequence[str] = (),
    clients: int = CLIENTS,
) -> tuple[Run, Told, list[Asked], Found]:
    """The orders through the whole API; the books are then checked without the proxy."""
    async with _engine(base, faults) as (engine, process, direct):
        recorder = Recorder(engine)
        kitchen = open_kitchen(rush, recorder, seed=SEED)
        told = Told()

        async def order(wish: Wish) -> None:
            recorder.begin()
            await kitchen.order(wish, told)

        run = await _timed(wishes, order, process, clients=clients)
        run.seconds = told.seconds
        checked = Kitchen(
            rush=rush,
            engine=direct,
            clock=kitchen.clock,
            app=kitchen.app,
            view=kitchen.view,
            queues=kitchen.queues,
        )
        found = await checked.check(told)
        kitchen.queues.close()
        return run, told, recorder.asked, found


async def _replayed(
    base: Path,
    asked: Sequence[Asked],
    replay: Callable[[Engine, RunningClock, Asked], Awaitable[None]],
    *,
    faults: Sequence[str],
    clients: int = CLIENTS,
) -> Run:
    async with _engine(base, faults) as (engine, process, _):
        clock = RunningClock(seed=SEED)

        async def one(order: Asked) -> None:
            with deadline(clock, DEADLINE):
                await replay(engine, clock, order)

        return await _timed(asked, one, process, clients=clients)


async def _storage(engine: Engine, clock: RunningClock, order: Asked) -> None:
    """The reads of an order together, then its transaction."""
    patient = PatientEngine(engine, clock)
    gets = [patient.get(reads) for reads in order.gets]
    queries = [patient.query(query) for query in order.queries]
    await asyncio.gather(*gets, *queries)
    await _bare(engine, clock, order)


async def _bare(engine: Engine, clock: RunningClock, order: Asked) -> None:
    """The transaction alone, tried again as the API tries it."""

    async def attempt() -> None:
        try:
            await engine.transact(order.writes)
        except Cancelled as cancelled:
            if not any(reason.is_condition for reason in cancelled.reasons):
                raise Contended from None

    if order.writes:
        try:
            await patiently(clock, attempt)
        except Busy:
            return


async def _timed(
    things: Sequence[T],
    do: Callable[[T], Awaitable[None]],
    process: psutil.Process,
    *,
    clients: int,
) -> Run:
    """Do something with all things, so many at a time."""
    seconds: list[float] = []
    left = iter(things)

    async def one() -> None:
        for thing in left:
            began = time.perf_counter()
            await do(thing)
            seconds.append(time.perf_counter() - began)

    engine_before, before = _cpu(process), time.process_time()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(one())
    taken = time.perf_counter() - began
    return Run(
        rate=len(things) / taken,
        cpu=time.process_time() - before,
        engine_cpu=_cpu(process) - engine_before,
        seconds=seconds,
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _prepared_file(rush: Rush, folder: Path) -> Path:
    """A file of the embedded engine that holds the prepared court."""
    file = folder / "prepared.db"
    running = local.start(file, NAMES)
    engine = DynamoEngine(_settings(running.endpoint))
    try:
        await rush.load(engine)
    finally:
        await engine.close()
        running.stop()
    return file


@asynccontextmanager
async def _engine(
    base: Path, faults: Sequence[str]
) -> AsyncIterator[tuple[DynamoEngine, psutil.Process, DynamoEngine]]:
    """A copy of the prepared file, served, once through the proxy and once directly."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "tables.db"
        shutil.copy(base, file)
        running = local.start(file, NAMES)
        try:
            with _proxy(running.endpoint, faults) as endpoint:
                through = DynamoEngine(_settings(endpoint))
                direct = DynamoEngine(_settings(running.endpoint))
                try:
                    yield through, psutil.Process(running.pid), direct
                finally:
                    await through.close()
                    await direct.close()
        finally:
            running.stop()


@contextmanager
def _proxy(upstream: str, faults: Sequence[str]) -> Iterator[str]:
    """The fault proxy in a process of its own; its counts go with it."""
    command = [sys.executable, "-m", "testkit.proxy", "--upstream", upstream, f"--seed={SEED}"]
    process = subprocess.Popen([*command, *faults], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=10)
        counts = json.loads(output.strip().splitlines()[-1]) if output.strip() else {}
        print(f"      proxy: {counts}", flush=True)  # noqa: T201 - what happened on the way


def _settings(endpoint: str) -> Settings:
    return Settings(stage="test", region="local", endpoint=endpoint, tables=NAMES)
