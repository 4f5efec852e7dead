"""Jobs that end badly or not at all: what their request had locked can be used again."""

import hashlib
from dataclasses import replace
from datetime import time

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.files import FileMissing
from courtside.kernel.jobs import LAPSES_AFTER, JobState
from courtside.kernel.workdays import local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.imports import (
    CheckImport,
    CommitImport,
    ImportKind,
    ImportState,
    StartImport,
)
from courtside.modules.meals.contracts.kitchen import IssueKitchenCount
from courtside.modules.meals.contracts.menus import MoveCutOff, PublishMenu
from courtside.modules.meals.service.imports import Imports
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.menus import Menus
from testkit.factories.meals import MONDAY, PORK, RICE
from testkit.facts import facts
from testkit.sheets import LIST, csv

MANY = [f"第{n}道菜" for n in range(20)]  # two children's worth of accounts
PAYEES = 20  # three children's worth of wallets


async def counts(canteen):
    request = IssueKitchenCount(canteen=canteen.id, date=MONDAY, period=Period.LUNCH, early=True)
    service = canteen.court.app.get(Kitchen)
    done = await service.issue_count(canteen.cook, request, key=canteen.key(), now=canteen.now)
    return done.value


async def moves(canteen, until: str):
    at = local_instant(MONDAY, time.fromisoformat(until))
    request = MoveCutOff(
        canteen=canteen.id,
        date=MONDAY,
        period=Period.LUNCH,
        order_by=at,
        change_by=at,
        cancel_by=at,
    )
    service = canteen.court.app.get(Menus)
    done = await service.move_cut_off(canteen.cook, request, key=canteen.key(), now=canteen.now)
    return done.value


async def first_child(canteen, job):
    await canteen.court.app.app.works[job.kind].run_child(job, 0, now=canteen.now)


async def ends(canteen, job):
    return await canteen.court.app.app.runner.run(canteen.court.code, job.id)


class TestMeals:
    @pytest.fixture
    async def lunch(self, canteen):
        await canteen.serves(dict.fromkeys(MANY, 5))
        return canteen

    async def test_are_held_while_their_job_makes_steps(self, lunch, app):
        job = await counts(lunch)
        app.clock.advance(minutes=14)
        await first_child(lunch, job)
        app.clock.advance(minutes=14)

        for asking in (counts(lunch), moves(lunch, "10:00")):
            with pytest.raises((errors.MealBusy, errors.MealClosed)):
                await asking

    async def test_are_counted_when_the_first_count_s_message_was_lost(self, lunch, app):
        lost = await counts(lunch)
        await first_child(lunch, lost)
        app.clock.advance(seconds=LAPSES_AFTER.total_seconds())

        count = await lunch.counts()

        assert (count.version, count.agrees) == (1, True)
        woken = await ends(lunch, lost)
        assert (woken.state, woken.report["refused"]) == (JobState.REFUSED, "TAKEN_OVER")
        assert (await lunch.counts()).version == 2

    async def test_are_moved_whole_after_half_a_move(self, lunch, app):
        lost = await moves(lunch, "10:00")
        await first_child(lunch, lost)
        app.clock.advance(minutes=15)

        await ends(lunch, await moves(lunch, "10:30"))
        woken = await ends(lunch, lost)

        assert woken.state is JobState.REFUSED
        menu = await lunch.menu()
        assert {x.order_by for x in menu.lines} == {local_instant(MONDAY, time(10, 30))}
        window = menu.day.find_window(Period.LUNCH)
        assert (window.order_by, window.job) == (local_instant(MONDAY, time(10, 30)), None)

    async def test_are_not_moved_by_who_sleeps_over_the_takeover(self, lunch, app, monkeypatch):
        """It had looked whether it holds the meal; another took it over before it wrote."""
        lost = await moves(lunch, "10:00")
        store = app.app.works[lost.kind]._menus
        right, taken = type(store).move_lines, []

        async def late(self, *asked):
            if not taken:
                taken.append(True)
                app.clock.advance(minutes=15)
                await ends(lunch, await moves(lunch, "10:30"))
            return await right(self, *asked)

        monkeypatch.setattr(type(store), "move_lines", late)

        woken = await ends(lunch, lost)

        assert woken.report["refused"] == "TAKEN_OVER"
        menu = await lunch.menu()
        assert {x.order_by for x in menu.lines} == {local_instant(MONDAY, time(10, 30))}

    @pytest.mark.parametrize("kind", ["meals.close", "meals.move_cut_off"])
    async def test_are_let_go_with_the_job_that_is_refused(self, lunch, app, kind):
        job = await (counts(lunch) if kind == "meals.close" else moves(lunch, "10:00"))
        freed = await app.app.works[kind].free(job)

        await app.app.jobs.refuse(job, errors.NothingDrafted(), freed, now=lunch.now)

        window = (await lunch.menu()).day.find_window(Period.LUNCH)
        assert window.job is None
        assert (await lunch.counts()).agrees

    async def test_moving_waits_for_a_publishing(self, lunch):
        """Lines that are written while their bounds move would keep the old ones."""
        await lunch.drafts(dict.fromkeys(MANY, 6))
        await lunch.court.app.get(Menus).publish_menu(
            lunch.cook,
            PublishMenu(canteen=lunch.id, from_on=MONDAY, to_on=MONDAY),
            key=lunch.key(),
            now=lunch.now,
        )

        with pytest.raises(errors.MealBusy):
            await moves(lunch, "10:00")

    async def test_that_grew_meanwhile_are_closed_chunk_by_chunk(self, lunch, app, monkeypatch):
        """Lines that came after the count was asked for: two chunks of twelve at most."""
        service = app.get(Kitchen)
        load = service._menus.load_menu

        async def before_them(*asked, **more):
            return replace(await load(*asked, **more), lines=())

        with monkeypatch.context() as patched:
            patched.setattr(service._menus, "load_menu", before_them)
            job = await counts(lunch)

        assert (job.children, (await ends(lunch, job)).state) == (0, JobState.DONE)
        assert all(line.is_closed for line in (await lunch.menu()).lines)
        late = [i for i in app.engine.items("journal") if f"{job.id}#late#" in i["pk"]["S"]]
        assert len(late) == 2


class TestImports:
    @pytest.fixture
    async def finance(self, canteen):
        """Whoever pays; twenty judges get their money in three children."""
        numbers = [f"J{n:04}" for n in range(PAYEES)]
        self.judges = [await canteen.court.somebody(staff_no=number) for number in numbers]
        self.list = csv([("工号", "金额(元)"), *((number, "20.00") for number in numbers)])
        return await canteen.court.somebody(Role.FINANCE)

    async def checked(self, canteen, who, data=None, kind=ImportKind.TOP_UP):
        """A file after its dry run."""
        app, data = canteen.court.app, self.list if data is None else data
        service, sha256 = app.get(Imports), hashlib.sha256(data).hexdigest()
        request = StartImport(
            kind=kind,
            canteen="" if kind is ImportKind.TOP_UP else canteen.id,
            filename="表.csv",
            sha256=sha256,
            size=len(data),
        )
        done = await service.start_import(who, request, key=canteen.key(), now=canteen.now)
        await app.app.foundation.files.put(canteen.court.code, data)
        await self.check(canteen, who, done.value.imported)
        await app.settle()
        return await self.found(canteen, done.value.imported)

    async def check(self, canteen, who, imported):
        request = CheckImport(kind=imported.kind, import_id=imported.id)
        service = canteen.court.app.get(Imports)
        done = await service.check_import(who, request, key=canteen.key(), now=canteen.now)
        return done.value

    async def commit(self, canteen, who, imported):
        request = CommitImport(kind=imported.kind, import_id=imported.id, sha256=imported.sha256)
        service = canteen.court.app.get(Imports)
        done = await service.commit_import(who, request, key=canteen.key(), now=canteen.now)
        return done.value

    async def found(self, canteen, imported):
        store = canteen.court.app.get(Imports).store
        return await store.find_import(canteen.court.code, imported.id)

    async def job(self, canteen, imported):
        return await canteen.court.app.app.jobs.find(canteen.court.code, imported.job)

    async def wallets(self, canteen):
        return [await canteen.wallet(judge) for judge in self.judges]

    async def test_of_the_same_list_are_paid_once(self, app, canteen, finance):
        """The same file under two imports, one after the other and at once."""
        first = await self.checked(canteen, finance)
        second = await self.checked(canteen, finance)
        await self.commit(canteen, finance, first)
        await app.settle()
        before = app.engine.dump()

        with pytest.raises(errors.AlreadyTaken) as refusal:
            await self.commit(canteen, finance, second)

        assert (refusal.value.import_id, refusal.value.at) == (first.id, canteen.now)
        assert "另行上传" in refusal.value.message("zh")
        assert "a list that differs" in refusal.value.message("en")
        assert app.engine.dump() == before
        assert await self.wallets(canteen) == [2000] * PAYEES

    async def test_of_the_same_menu_are_taken_again(self, app, canteen):
        """A draft is no money: the same sheet may be drafted as often as it is wanted."""
        menu = csv([LIST, ("2026-03-02", "午餐", PORK, "12.00", "80", "无", "", "")])
        for _ in range(2):
            found = await self.checked(canteen, canteen.cook, menu, kind=ImportKind.MENU)
            await self.commit(canteen, canteen.cook, found)
            await app.settle()
            assert (await self.found(canteen, found)).state is ImportState.COMMITTED

    async def test_go_on_where_their_lost_job_stopped(self, app, canteen, finance):
        """One child is paid, its message is lost; committing again pays the rest."""
        taken = await self.commit(canteen, finance, await self.checked(canteen, finance))
        app.queues.receive("jobs")
        await first_child(canteen, await self.job(canteen, taken))
        with pytest.raises(errors.ImportNotChecked):
            await self.commit(canteen, finance, taken)
        app.clock.advance(minutes=15)

        again = await self.commit(canteen, finance, taken)
        await app.settle()

        assert again.job == taken.job
        assert (await self.found(canteen, taken)).state is ImportState.COMMITTED
        assert await self.wallets(canteen) == [2000] * PAYEES
        (fact,) = facts(app.engine, "meals.wallets_topped_up.v1")
        assert fact.state["rows"] == PAYEES

    async def test_pay_nobody_twice_after_a_refusal(self, app, canteen, finance, monkeypatch):
        """The plan is lost after the first child; the next commit begins with the second."""
        imported = await self.checked(canteen, finance)
        taken = await self.commit(canteen, finance, imported)
        first = await self.job(canteen, taken)
        await first_child(canteen, first)
        with monkeypatch.context() as patched:
            patched.setattr(type(app.app.foundation.files), "read", _missing)
            refused = await ends(canteen, first)

        assert (refused.state, refused.report["refused"]) == (JobState.REFUSED, "FILE_MISSING")
        found = await self.found(canteen, imported)
        assert (found.state, found.paid) == (ImportState.CHECKED, 1)
        again = await self.commit(canteen, finance, found)
        job = await self.job(canteen, again)
        assert (job.cursor, job.children) == (1, 3)
        await app.settle()

        assert (await self.found(canteen, imported)).state is ImportState.COMMITTED
        assert await self.wallets(canteen) == [2000] * PAYEES

    async def test_keep_what_was_paid_when_they_are_checked_again(
        self, app, canteen, finance, monkeypatch
    ):
        taken = await self.commit(canteen, finance, await self.checked(canteen, finance))
        first = await self.job(canteen, taken)
        await first_child(canteen, first)
        with monkeypatch.context() as patched:
            patched.setattr(type(app.app.foundation.files), "read", _missing)
            await ends(canteen, first)

        await self.check(canteen, finance, await self.found(canteen, taken))
        await app.settle()
        await self.commit(canteen, finance, await self.found(canteen, taken))
        await app.settle()

        assert await self.wallets(canteen) == [2000] * PAYEES

    async def test_are_checked_again_when_their_check_was_lost(self, app, canteen):
        menu = csv([LIST, ("2026-03-02", "午餐", RICE, "1.00", "80", "无", "", "")])
        found = await self.checked(canteen, canteen.cook, menu, kind=ImportKind.MENU)
        checking = await self.check(canteen, canteen.cook, found)
        with pytest.raises(errors.ImportBusy):
            await self.check(canteen, canteen.cook, found)
        app.clock.advance(minutes=15)

        again = await self.check(canteen, canteen.cook, found)
        await app.settle()

        assert (checking.state, again.job) == (ImportState.CHECKING, checking.job)
        assert (await self.found(canteen, found)).state is ImportState.CHECKED

    @pytest.mark.parametrize("step", ["check", "commit"])
    async def test_are_let_go_with_the_job_that_is_refused(self, app, canteen, step):
        menu = csv([LIST, ("2026-03-02", "午餐", RICE, "1.00", "80", "无", "", "")])
        found = await self.checked(canteen, canteen.cook, menu, kind=ImportKind.MENU)
        busy = await getattr(self, step)(canteen, canteen.cook, found)
        job = await self.job(canteen, busy)
        freed = await app.app.works[job.kind].free(job)

        await app.app.jobs.refuse(job, FileMissing(), freed, now=canteen.now)

        free = await self.found(canteen, found)
        expected = {"check": ImportState.UPLOADING, "commit": ImportState.CHECKED}
        assert free.state is expected[step]
        again = await getattr(self, step)(canteen, canteen.cook, free)
        await app.settle()
        ended = {"check": ImportState.CHECKED, "commit": ImportState.COMMITTED}
        assert (await self.found(canteen, again)).state is ended[step]


async def _missing(*_: object, **__: object):
    raise FileMissing
