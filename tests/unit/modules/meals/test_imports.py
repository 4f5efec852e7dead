"""Imports from the announced file to drafts and wallets, through the jobs."""

import hashlib
import io
from datetime import date, timedelta

import openpyxl
import pytest
from infra.memory.items import size

from courtside.kernel.actor import Role
from courtside.kernel.errors import IdempotencyMismatch, NotFound, NotPermitted
from courtside.kernel.sheets import ERROR_SHEET, UnreadableSheet
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Allergen, Period
from courtside.modules.meals.contracts.imports import (
    CheckImport,
    CommitImport,
    ImportKind,
    ImportState,
    StartImport,
)
from courtside.modules.meals.service.imports import Imports
from courtside.modules.meals.store.canteens import CanteenStore
from courtside.modules.meals.store.menus import MenuStore
from testkit.factories.meals import MONDAY, a_canteen
from testkit.factories.people import a_court
from testkit.facts import facts
from testkit.sheets import LIST, a_week, csv, xlsx

GRID = a_week(
    {
        "早餐": ["豆浆 2元 100份\n油条 1.5元 80份", "小米粥 2元 90份"],
        "午餐": ["红烧肉 12元 80份、清炒时蔬 5元 120份", "宫保鸡丁(10元,90份)"],
    },
    title="机关食堂一周菜单",
)
ROWS = (
    LIST,
    ("2026-03-02", "午餐", "红烧肉", "12.00", 80, "大豆、含麸质谷物", "微辣", "荤菜"),
    ("2026-03-02", "午餐", "米饭", 1, 200, "无", "", "主食"),
)


@pytest.fixture
async def canteen(app):
    return await a_canteen(await a_court(app))


@pytest.fixture
def imports(app):
    return app.get(Imports)


async def started(canteen, data, *, kind=ImportKind.MENU, who=None, portions=None):
    """A file that was announced and uploaded."""
    request = StartImport(
        kind=kind,
        canteen=canteen.id if kind is ImportKind.MENU else "",
        filename="三月菜单.xlsx",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        portions=portions,
    )
    app = canteen.court.app
    done = await app.get(Imports).start_import(
        who or canteen.cook, request, key=canteen.key(), now=canteen.now
    )
    await app.app.foundation.files.put(canteen.court.code, data)
    return done.value.imported


async def checked(canteen, data, *, kind=ImportKind.MENU, who=None, portions=None):
    """A file after its dry run."""
    found = await started(canteen, data, kind=kind, who=who, portions=portions)
    return await check(canteen, found, who=who)


async def check(canteen, found, *, who=None):
    app, who = canteen.court.app, who or canteen.cook
    request = CheckImport(kind=found.kind, import_id=found.id)
    await app.get(Imports).check_import(who, request, key=canteen.key(), now=canteen.now)
    await app.settle()
    return await app.get(Imports).get_import(who, found.id, found.kind, now=canteen.now)


async def commit(canteen, found, *, who=None, sha256=None):
    app, who = canteen.court.app, who or canteen.cook
    request = CommitImport(kind=found.kind, import_id=found.id, sha256=sha256 or found.sha256)
    await app.get(Imports).commit_import(who, request, key=canteen.key(), now=canteen.now)
    await app.settle()
    return await app.get(Imports).get_import(who, found.id, found.kind, now=canteen.now)


async def drafted(canteen, day=MONDAY):
    """The lines of a day's draft that counts."""
    store, court = MenuStore(canteen.court.app.app.database), canteen.court.code
    pointers = await store.find_draft_days(court, canteen.id, [day])
    if not pointers:
        return {}
    lines = await store.list_draft_lines(court, pointers[0])
    return {(x.period, x.name): (x.price_fen, x.planned) for x in lines}


async def dishes(canteen):
    store = CanteenStore(canteen.court.app.app.database)
    return {d.name: d for d in await store.list_dishes(canteen.court.code, canteen.id)}


class TestMenuImport:
    async def test_drafts_the_weekly_grid_that_a_canteen_keeps(self, canteen):
        found = await checked(canteen, xlsx(GRID, merged=["A1:C1"]))
        assert (found.state, found.rows, found.fault_count) == (ImportState.CHECKED, 6, 0)

        found = await commit(canteen, found)

        assert found.state is ImportState.COMMITTED
        assert await drafted(canteen) == {
            (Period.BREAKFAST, "豆浆"): (200, 100),
            (Period.BREAKFAST, "油条"): (150, 80),
            (Period.LUNCH, "红烧肉"): (1200, 80),
            (Period.LUNCH, "清炒时蔬"): (500, 120),
        }
        assert len(await drafted(canteen, MONDAY + timedelta(days=1))) == 2

    async def test_makes_missing_dishes_with_what_the_sheet_states(self, canteen):
        await canteen.knows_dish("米饭", price=150, allergens=None)

        await commit(canteen, await checked(canteen, xlsx(ROWS)))

        known = await dishes(canteen)
        assert known["红烧肉"].allergens == (Allergen.GLUTEN, Allergen.SOY)
        assert known["红烧肉"].category == "荤菜"
        assert (known["米饭"].allergens, known["米饭"].price_fen) == ((), 150)
        assert (await drafted(canteen))[Period.LUNCH, "米饭"] == (100, 200)

    async def test_can_be_published_afterwards(self, canteen):
        await commit(canteen, await checked(canteen, xlsx(ROWS)))

        await canteen.publishes()

        assert await canteen.left("红烧肉") == 80

    async def test_takes_two_hundred_rows_in_children(self, canteen):
        rows = [
            (MONDAY + timedelta(days=n % 5), "午餐", f"第{chr(0x4E00 + n)}道", 5, 10, "无", "", "")
            for n in range(200)
        ]

        found = await commit(canteen, await checked(canteen, xlsx([LIST, *rows])))

        assert (found.state, found.rows) == (ImportState.COMMITTED, 200)
        assert (
            sum([len(await drafted(canteen, MONDAY + timedelta(days=n))) for n in range(5)]) == 200
        )
        assert len(await dishes(canteen)) == 200
        entries = [size(item) for item in canteen.court.app.engine.items("journal")]
        assert max(entries) <= 1024

    async def test_is_not_seen_before_its_last_step(self, canteen):
        found = await checked(canteen, xlsx(ROWS))
        request = CommitImport(kind=found.kind, import_id=found.id, sha256=found.sha256)

        await canteen.court.app.get(Imports).commit_import(
            canteen.cook, request, key=canteen.key(), now=canteen.now
        )

        assert await drafted(canteen) == {}

    async def test_replaces_the_draft_of_the_meals_it_names_and_no_others(self, canteen):
        await commit(canteen, await checked(canteen, xlsx(GRID)))

        await commit(canteen, await checked(canteen, xlsx(ROWS)))

        assert set(await drafted(canteen)) == {
            (Period.BREAKFAST, "豆浆"),
            (Period.BREAKFAST, "油条"),
            (Period.LUNCH, "红烧肉"),
            (Period.LUNCH, "米饭"),
        }
        assert len(await drafted(canteen, MONDAY + timedelta(days=1))) == 2

    async def test_plans_the_number_given_where_the_sheet_has_none(self, canteen):
        rows = (LIST, ("3月2日", "午餐", "米饭", 1, None, "无", "", ""))

        found = await commit(canteen, await checked(canteen, xlsx(rows), portions=60))

        assert found.state is ImportState.COMMITTED
        assert await drafted(canteen) == {(Period.LUNCH, "米饭"): (100, 60)}


class TestCheckImport:
    async def test_writes_errors_back_beside_their_cells(self, canteen, imports):
        rows = (*ROWS, ("2026-03-02", "下午茶", "", "贵", "很多", "香菜", "", ""))

        found = await checked(canteen, xlsx(rows))

        assert found.state is ImportState.FAULTY
        assert [f.address for f in found.faults] == ["B4", "C4", "D4", "E4", "F4"]
        assert all(f.zh and f.en and f.sheet == "菜单" for f in found.faults)
        files, court = canteen.court.app.app.foundation.files, canteen.court.code
        copy = openpyxl.load_workbook(io.BytesIO(await files.read(court, found.annotated)))
        assert copy["菜单"]["F4"].comment.text.startswith("不认识的过敏原“香菜”")
        assert copy.sheetnames[-1] == ERROR_SHEET
        download = imports.grant_annotated(canteen.cook, found, now=canteen.now)
        assert f"/{found.annotated}?" in download.url

    async def test_changes_nothing_but_the_import(self, canteen):
        await checked(canteen, xlsx(ROWS))

        assert await drafted(canteen) == {}
        assert await dishes(canteen) == {}

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            (b"%PDF-1.7\n" + b"x" * 100, "PDF"),
            (b"<html><table>", "网页"),
            ("菜單,紅燒獅子頭,蔥油雞,魚香茄子,豬腳麵線,鹹蛋炒苦瓜".encode("big5"), "文字编码"),
        ],
        ids=["pdf", "html", "big5"],
    )
    async def test_tells_of_a_file_that_is_no_spreadsheet(self, canteen, data, told):
        found = await checked(canteen, data)

        assert (found.state, found.fault_count, found.annotated) == (ImportState.FAULTY, 1, None)
        assert told in found.faults[0].zh
        assert found.faults[0].address == ""

    async def test_tells_that_the_file_never_came(self, canteen):
        data = xlsx(ROWS)
        request = StartImport(
            kind=ImportKind.MENU,
            canteen=canteen.id,
            filename="a.xlsx",
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
        )
        service = canteen.court.app.get(Imports)
        done = await service.start_import(canteen.cook, request, key=canteen.key(), now=canteen.now)

        found = await check(canteen, done.value.imported)

        assert found.state is ImportState.FAULTY
        assert "尚未上传" in found.faults[0].zh

    async def test_names_days_that_are_over_once_each(self, canteen):
        rows = [(date(2026, 2, 27), "午餐", name, 1, 10, "无", "", "") for name in ("甲菜", "乙菜")]

        found = await checked(canteen, xlsx([LIST, *rows]))

        assert [(f.address, f.zh) for f in found.faults] == [("C2", "这一天已经过去。")]

    async def test_can_be_repeated_until_it_was_taken(self, canteen):
        await canteen.knows_dish("红烧肉", allergens=())
        found = await checked(canteen, xlsx(ROWS))
        assert "不一致" in found.faults[0].zh

        again = await checked(canteen, xlsx(ROWS[:1] + ROWS[2:]))
        taken = await commit(canteen, again)

        with pytest.raises(errors.ImportBusy):
            await check(canteen, taken)


class TestStartImport:
    async def test_replays_with_a_fresh_address(self, canteen, imports):
        request = StartImport(
            kind=ImportKind.MENU, canteen=canteen.id, filename="a.csv", sha256="0" * 64, size=10
        )
        first = await imports.start_import(canteen.cook, request, key="key-1234", now=canteen.now)
        later = canteen.court.app.clock.advance(hours=3)

        again = await imports.start_import(canteen.cook, request, key="key-1234", now=later)

        assert again.replayed
        assert again.value.imported == first.value.imported
        assert again.value.upload.expires_at > first.value.upload.expires_at

    async def test_refuses_what_is_too_large_before_it_is_uploaded(self, canteen):
        before = canteen.court.app.engine.dump()
        request = StartImport(
            kind=ImportKind.MENU,
            canteen=canteen.id,
            filename="a.csv",
            sha256="0" * 64,
            size=5 * 1024 * 1024 + 1,
        )

        with pytest.raises(UnreadableSheet):
            await canteen.court.app.get(Imports).start_import(
                canteen.cook, request, key=canteen.key(), now=canteen.now
            )

        assert canteen.court.app.engine.dump() == before

    async def test_refuses_a_canteen_of_nobody(self, canteen, imports):
        request = StartImport(
            kind=ImportKind.MENU, canteen="NOWHERE", filename="a.csv", sha256="0" * 64, size=9
        )

        with pytest.raises(NotFound):
            await imports.start_import(canteen.cook, request, key=canteen.key(), now=canteen.now)


class TestCommitImport:
    async def test_takes_only_the_file_that_was_checked(self, canteen):
        found = await checked(canteen, xlsx(ROWS))
        before = canteen.court.app.engine.dump()

        with pytest.raises(errors.AnotherFile):
            await commit(canteen, found, sha256="f" * 64)

        assert canteen.court.app.engine.dump() == before

    async def test_takes_nothing_unchecked_or_faulty(self, canteen):
        unchecked = await started(canteen, xlsx(ROWS))
        faulty = await checked(canteen, b"%PDF-1.7 .....")
        before = canteen.court.app.engine.dump()

        for found in (unchecked, faulty):
            with pytest.raises(errors.ImportNotChecked):
                await commit(canteen, found)

        assert canteen.court.app.engine.dump() == before

    async def test_replays_after_it_was_taken(self, canteen, imports):
        found = await checked(canteen, xlsx(ROWS))
        request = CommitImport(kind=found.kind, import_id=found.id, sha256=found.sha256)
        await imports.commit_import(canteen.cook, request, key="commit-1", now=canteen.now)
        await canteen.court.app.settle()
        before = canteen.court.app.engine.dump()

        again = await imports.commit_import(canteen.cook, request, key="commit-1", now=canteen.now)

        assert again.replayed
        assert again.value.state is ImportState.COMMITTED
        assert canteen.court.app.engine.dump() == before
        other = CommitImport(kind=found.kind, import_id=found.id, sha256="0" * 64)
        with pytest.raises(IdempotencyMismatch):
            await imports.commit_import(canteen.cook, other, key="commit-1", now=canteen.now)

    async def test_shows_a_former_cook_nothing_again(self, canteen, imports):
        found = await checked(canteen, xlsx(ROWS))
        request = CommitImport(kind=found.kind, import_id=found.id, sha256=found.sha256)
        await imports.commit_import(canteen.cook, request, key="commit-1", now=canteen.now)
        await canteen.court.revokes(canteen.cook, Role.KITCHEN)
        before = canteen.court.app.engine.dump()

        with pytest.raises(NotPermitted):
            await imports.commit_import(canteen.cook, request, key="commit-1", now=canteen.now)

        assert canteen.court.app.engine.dump() == before


class TestPermissions:
    async def test_keeps_menus_from_finance_and_wallets_from_the_kitchen(self, canteen, imports):
        finance = await canteen.court.somebody(Role.FINANCE)
        diner = await canteen.court.somebody()
        found = await checked(canteen, xlsx(ROWS))
        before = canteen.court.app.engine.dump()

        for who in (finance, diner):
            with pytest.raises(NotPermitted):
                await commit(canteen, found, who=who)
        with pytest.raises(NotPermitted):
            await started(canteen, xlsx(ROWS), kind=ImportKind.TOP_UP)
        with pytest.raises(NotFound):
            await imports.get_import(finance, found.id, ImportKind.TOP_UP, now=canteen.now)

        assert canteen.court.app.engine.dump() == before


class TestTopUpImport:
    async def test_moves_money_into_wallets_once(self, canteen, app):
        finance = await canteen.court.somebody(Role.FINANCE)
        diners = [await canteen.court.somebody() for _ in range(10)]
        numbers = {p.person: n for n, p in (await staff(canteen, diners)).items()}
        rows = [("工号", "金额(元)"), *((numbers[d.person], "20.50") for d in diners)]

        found = await checked(canteen, csv(rows), kind=ImportKind.TOP_UP, who=finance)
        assert (found.rows, found.total_fen) == (10, 20_500)
        found = await commit(canteen, found, who=finance)

        assert found.state is ImportState.COMMITTED
        assert [await canteen.wallet(d) for d in diners] == [2050] * 10
        (fact,) = facts(app.engine, "meals.wallets_topped_up.v1")
        assert (fact.state["rows"], fact.state["total"]) == (10, 20_500)

    async def test_names_staff_numbers_of_nobody(self, canteen):
        finance = await canteen.court.somebody(Role.FINANCE)
        rows = [("工号", "金额"), ("NOBODY1", "20.00"), ("", "3"), ("NOBODY1", "-1")]

        found = await checked(canteen, xlsx(rows), kind=ImportKind.TOP_UP, who=finance)

        assert found.state is ImportState.FAULTY
        assert sorted(f.address for f in found.faults) == ["A2", "A3", "B4"]


async def staff(canteen, diners):
    """Persons by staff number."""
    people = canteen.court.people
    persons = {}
    for diner in diners:
        me = await people.get_me(diner, now=canteen.now)
        persons[me.person.staff_no] = diner
    return persons
