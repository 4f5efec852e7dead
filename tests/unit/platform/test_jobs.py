"""Jobs: resumable after a crash between any two steps, and each child effective once."""

import asyncio
from dataclasses import replace

import pytest

from courtside.kernel.actor import system
from courtside.kernel.errors import Refusal, Text
from courtside.kernel.jobs import CHILD_ITEMS, Freed, Job, JobState, children_of
from courtside.kernel.journal import Change, Command, Result, entry
from courtside.kernel.ledger import Movement
from courtside.kernel.usecase import decides_again
from courtside.platform import jobs
from courtside.platform.causes import caused_at
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.transaction import Guard
from courtside.platform.jobs import JobRunner, JobStore, JobStuck
from courtside.platform.queues import ATTEMPTS
from courtside.platform.signals import Signal
from testkit.house import CLERK, COURT, House, account_of

TILLS = 50  # three children of at most twenty
CHILDREN = children_of(TILLS)


class NoCoins(Refusal):
    code = "NO_COINS"
    text = Text(zh="没有零钱。", en="No coins left.")


class Crash(Exception):
    """The process ended here."""


class FillTills:
    """A job that puts one fen into each of fifty tills, twenty in one transaction."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.refuses_at: int | None = None
        self.crashes_before: set[int] = set()
        self.crashes_after: set[int] = set()
        self.runs = 0

    async def begin(self, job_id: str = "J1") -> Job:
        house = self.house
        job = Job(
            court=COURT,
            id=job_id,
            kind="tills.fill",
            state=JobState.RUNNING,
            children=CHILDREN,
            cursor=0,
            requested_by=CLERK.person,
            at=house.clock.now(),
            about={"tills": TILLS},
        )
        command = Command(principal=CLERK, operation="tills.ask", key=job_id, request={})
        told = entry(
            command,
            now=house.clock.now(),
            result=Result(kind="Job", id=job_id),
            job=job.name,
        )
        transaction = house.database.transaction(told)
        transaction.add(jobs.begin(job))
        await transaction.commit()
        return job

    @decides_again
    async def run_child(self, job, n, *, now):
        self.runs += 1
        if n in self.crashes_before:
            self.crashes_before.discard(n)
            raise Crash
        if n == self.refuses_at:
            raise NoCoins
        part = range(n * CHILD_ITEMS, min((n + 1) * CHILD_ITEMS, job.about["tills"]))
        await self._commit(job, n, now, jobs.step(job), [f"{till:02d}" for till in part])
        if n in self.crashes_after:
            self.crashes_after.discard(n)
            raise Crash

    @decides_again
    async def finish(self, job, *, now):
        self.runs += 1
        end = jobs.end(job, JobState.DONE, {"tills": job.about["tills"]})
        await self._commit(job, job.children, now, end, [])

    async def free(self, job):
        return Freed()

    async def _commit(self, job, n, now, write, tills):
        command = Command(
            principal=system(COURT, "tills"),
            operation="tills.fill",
            key=job.child_key(n),
            request={"n": n},
        )
        if await self.house.database.journal.recall(command) is not None:
            return
        told = entry(
            command,
            now=now,
            result=Result(kind="Job", id=job.id),
            changes=(Change(aggregate=job.aggregate, version=job.cursor + 2),),
            movements=tuple(
                Movement(account=account_of(till), available=1, counter="FILLED", opens=0)
                for till in tills
            ),
        )
        transaction = self.house.database.transaction(told)
        transaction.add(write)
        transaction.move({account_of(till): Guard() for till in tills})
        await transaction.commit()


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture
def work(house):
    return FillTills(house)


def runner_of(house: House, work: FillTills) -> JobRunner:
    return JobRunner(JobStore(house.database), {"tills.fill": work}, house.clock)


def filled(house: House) -> list[int]:
    """What is in the tills; each should hold exactly one fen."""
    accounts = [i for i in house.engine.items("records") if i["sk"]["S"] == "ACCOUNT"]
    return [int(item["available"]["N"]) for item in accounts]


def children_written(house: House) -> list[str]:
    found = [journal.from_item(item) for item in house.engine.items("journal")]
    return sorted(e.key.pk.rpartition("#")[2] for e in found if e.operation == "tills.fill")


class TestJobRunner:
    async def test_runs_every_child_and_then_the_end(self, house, work):
        await work.begin()

        job = await runner_of(house, work).run(COURT, "J1")

        assert (job.state, job.cursor, job.report) == (JobState.DONE, CHILDREN, {"tills": TILLS})
        assert filled(house) == [1] * TILLS
        assert children_written(house) == ["0", "1", "2", "3"]

    async def test_leaves_alone_what_is_ended_or_was_never_there(self, house, work):
        await work.begin()
        runner = runner_of(house, work)
        await runner.run(COURT, "J1")
        before = house.engine.dump()

        again = await runner.run(COURT, "J1")
        stranger = await runner.run(COURT, "J9")
        elsewhere = await runner.run("C999", "J1")

        assert again is not None
        assert again.state is JobState.DONE
        assert (stranger, elsewhere) == (None, None)
        assert house.engine.dump() == before

    @pytest.mark.parametrize("child", range(CHILDREN))
    @pytest.mark.parametrize("side", ["crashes_before", "crashes_after"])
    async def test_goes_on_after_a_crash_between_any_two_steps(self, house, work, child, side):
        await work.begin()
        getattr(work, side).add(child)

        with pytest.raises(Crash):
            await runner_of(house, work).run(COURT, "J1")
        job = await runner_of(house, work).run(COURT, "J1")

        assert job.state is JobState.DONE
        assert filled(house) == [1] * TILLS

    async def test_repeating_any_child_of_a_stale_parent_changes_nothing(self, house, work):
        stale = await work.begin()
        await runner_of(house, work).run(COURT, "J1")
        before = house.engine.dump()

        for n in range(CHILDREN):
            await work.run_child(replace(stale, cursor=n), n, now=house.clock.now())
        await work.finish(replace(stale, cursor=CHILDREN), now=house.clock.now())

        assert house.engine.dump() == before

    async def test_several_runners_at_once_have_each_effect_once(self, house, work):
        await work.begin()

        done = await asyncio.gather(*(runner_of(house, work).run(COURT, "J1") for _ in range(8)))

        assert {job.state for job in done if job} == {JobState.DONE}
        assert filled(house) == [1] * TILLS
        assert len(children_written(house)) == CHILDREN + 1
        assert work.runs > CHILDREN + 1  # they did meet

    async def test_a_refusal_ends_the_job_with_its_report(self, house, work):
        await work.begin()
        work.refuses_at = 1

        job = await runner_of(house, work).run(COURT, "J1")

        (told,) = [
            entry
            for entry in map(journal.from_item, house.engine.items("journal"))
            if entry.operation == "tills.refuse_job"
        ]
        assert job.state is JobState.REFUSED
        assert job.report == {"refused": "NO_COINS", "zh": "没有零钱。", "en": "No coins left."}
        assert children_written(house) == ["0"]
        assert [fact.name for fact in told.facts] == ["tills.job_refused.v1"]
        assert [n.audience for n in told.facts[0].notify] == [f"person:{CLERK.person}"]

    async def test_a_refusal_that_saw_a_faster_runners_effects_ends_nothing(self, house, work):
        stale = await work.begin()
        await runner_of(house, work).run(COURT, "J1")
        before = house.engine.dump()
        slow = FillTills(house)
        slow.refuses_at = 0

        await runner_of(house, slow)._step(stale)

        assert house.engine.dump() == before

    async def test_a_work_that_does_not_advance_is_a_fault_and_no_loop(self, house, work):
        await work.begin()

        async def idle(*_: object, **__: object) -> None: ...

        work.run_child = idle

        with pytest.raises(JobStuck):
            await runner_of(house, work).run(COURT, "J1")

    async def test_makes_way_when_its_time_is_over(self, house, work):
        await work.begin()
        runner = runner_of(house, work)

        paused = await runner.run(COURT, "J1", until=house.clock.monotonic())

        assert paused.state is JobState.RUNNING
        assert filled(house) == []


class TestJobWorker:
    async def test_a_job_is_handed_on_by_the_relay_and_run(self, house, work):
        await work.begin()

        await house.pump(house.app(works={"tills.fill": work})).settle()

        assert filled(house) == [1] * TILLS
        assert house.queues.waiting("jobs") == 0

    async def test_what_a_job_writes_stands_one_deeper_than_what_asked_for_it(self, house, work):
        """D-16: a loop through jobs is as deep as a loop through facts."""
        with caused_at(3):
            await work.begin()

        await house.pump(house.app(works={"tills.fill": work})).settle()

        found = [journal.from_item(item) for item in house.engine.items("journal")]
        assert {entry.depth for entry in found if entry.operation == "tills.fill"} == {4}

    async def test_a_long_job_goes_on_with_a_message_of_its_own(self, house, work, monkeypatch):
        await work.begin()
        run_child = work.run_child

        async def slowly(job, n, *, now):
            await run_child(job, n, now=now)
            house.clock.advance(seconds=41)

        monkeypatch.setattr(work, "run_child", slowly)
        await house.pump(house.app(works={"tills.fill": work})).settle()

        assert filled(house) == [1] * TILLS
        assert (await JobStore(house.database).find(COURT, "J1")).state is JobState.DONE

    async def test_a_crash_comes_again_and_is_signalled(self, house, work):
        await work.begin()
        work.crashes_after = {0, 2}

        await house.pump(house.app(works={"tills.fill": work})).settle()

        assert filled(house) == [1] * TILLS
        assert house.signals.counts[Signal.JOB_FAILED] == 2
        assert house.queues.dead_letters("jobs") == []

    async def test_a_job_of_no_kind_becomes_a_dead_letter(self, house, work):
        await work.begin()

        await house.pump(house.app(works={})).settle()

        assert len(house.queues.dead_letters("jobs")) == 2
        assert house.signals.counts[Signal.JOB_FAILED] == 2 * 2 * ATTEMPTS
        assert filled(house) == []

    async def test_a_refused_job_is_signalled_once_it_has_ended(self, house, work):
        await work.begin()
        work.refuses_at = 0

        await house.pump(house.app(works={"tills.fill": work})).settle()

        assert house.signals.counts[Signal.JOB_REFUSED] >= 1
        assert house.queues.dead_letters("jobs") == []
