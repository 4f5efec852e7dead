"""Killed anywhere and started again: nothing is lost or done twice, and the books are right."""

import asyncio
import random
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from infra.local import engine as local

from courtside.kernel.workdays import business_day
from courtside.platform.dynamo.database import engine_of
from courtside.platform.dynamo.values import Read
from courtside.platform.reconcile import Reconciler, Report
from courtside.platform.relay import Relay
from courtside.platform.settings import table_names
from courtside.platform.sweeper import Sweeper
from testkit.house import COURT, account_of
from testkit.payer import TILLS, on_engine
from testkit.signals import RecordedSignals

ROOT = Path(__file__).parents[2]
PATHS = ":".join(str(ROOT / folder) for folder in ("functions", "tests", "."))


class Worker:
    """A paying process that is killed and started again until all its keys are acknowledged."""

    manner: tuple[str, ...] = ()

    def __init__(self, name: str, folder: Path, payments: int, chance: random.Random) -> None:
        self.name = name
        self.folder = folder
        self.payments = payments
        self.chance = chance
        self.acknowledged: set[int] = set()
        self.kills = 0

    async def run(self, endpoint: str, *, most: int, at_most: int | None = None) -> None:
        """Run until the end or (`at_most`) so many acknowledgements; killed `most` times."""
        for _ in range(most):
            await self._start(endpoint, self.chance.randint(1, 12))
            self.kills += 1
        await self._start(endpoint, at_most)

    async def _start(self, endpoint: str, acknowledgements: int | None) -> None:
        """One life; SIGKILL after that many acknowledgements, at no particular point."""
        first = max(max(self.acknowledged, default=0) - 3, 0)
        told = [endpoint, str(self.folder), self.name, str(first), str(self.payments), *self.manner]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "testkit.payer", *told),
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": PATHS, "PATH": ""},
        )
        assert process.stdout is not None
        new = 0
        async for line in process.stdout:
            self.acknowledged.add(int(line))
            new += 1
            if acknowledgements is not None and new >= acknowledgements:
                await asyncio.sleep(self.chance.uniform(0, 0.01))
                break
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Forgetful(Worker):
    """The broken twin: what it had begun it asks for under other keys in its next life."""

    manner = ("forgetful",)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


class RecordedQueue:
    def __init__(self) -> None:
        self.messages: list = []

    async def send(self, messages) -> None:
        self.messages += messages


async def settle_and_look(folder: Path, endpoint: str) -> tuple[Report, int, set[str]]:
    """Deliver everything and compare the books: the report, how much was delivered, and the facts
    that were told."""
    signals, events = RecordedSignals(), RecordedQueue()
    async with on_engine(endpoint, folder) as base:
        now = base.clock.now()
        founded = business_day(now) - timedelta(days=1)
        relay = Relay(engine_of(base.database), events=events, jobs=events, signals=signals)
        sweeper = Sweeper(base.database, relay, signals)
        sent = await sweeper.sweep(COURT, since=founded, now=now + timedelta(minutes=10))
        reconciler = Reconciler(base.database, clock=base.clock, signals=signals)
        report = await reconciler.reconcile(COURT, since=founded)
        tenant = base.database.of(COURT)
        accounts = [tenant.key(*account_of(f"T{till}")) for till in range(TILLS)]
        items = await engine_of(base.database).get([Read("records", key) for key in accounts])
    balance = sum(int(item["available"]["N"]) for item in items if item is not None)
    assert sent == len(events.messages)
    return report, balance, {message["id"] for message in events.messages}


async def pay_through_kills(folder: Path, workers: list[Worker], kills: int) -> tuple:
    """Pay with that many kills a worker before and after the engine's own; then settle and look."""
    names = table_names("test")
    engine = local.start(folder / "tables.db", names)
    try:
        lives = (w.run(engine.endpoint, most=kills, at_most=5) for w in workers)
        await asyncio.gather(*lives)
        engine.process.kill()
        engine.process.wait()
        engine = local.start(folder / "tables.db", names)
        await asyncio.gather(*(w.run(engine.endpoint, most=kills) for w in workers))
        return await settle_and_look(folder, engine.endpoint)
    finally:
        engine.stop()


def paid_once(total: int, report: Report, balance: int, told: set[str]) -> None:
    assert (report.entries, balance, len(told)) == (total, total, total)


class TestKilled:
    @pytest.mark.parametrize(
        ("count", "payments", "kills"),
        [
            (3, 30, 1),
            pytest.param(4, 500, 25, marks=pytest.mark.nightly),
            pytest.param(4, 1800, 125, marks=pytest.mark.nightly),  # a thousand kills
        ],
    )
    async def test_workers_and_engine_killed_at_random_points(self, folder, count, payments, kills):
        """D-02: SIGKILL of every worker and of the engine, then the same keys again. P-09: as many
        entries as effects."""
        chance = random.Random(2)
        workers = [Worker(f"w{n}", folder, payments, chance) for n in range(count)]

        report, balance, told = await pay_through_kills(folder, workers, kills)

        assert sum(worker.kills for worker in workers) == 2 * count * kills
        assert all(worker.acknowledged == set(range(payments)) for worker in workers)
        paid_once(count * payments, report, balance, told)
        assert report.findings == ()

    async def test_would_notice_what_was_done_again(self, folder):
        """D-02, the broken twin."""
        workers = [Forgetful("w0", folder, 30, random.Random(2))]

        report, balance, told = await pay_through_kills(folder, workers, 1)

        with pytest.raises(AssertionError):
            paid_once(30, report, balance, told)
