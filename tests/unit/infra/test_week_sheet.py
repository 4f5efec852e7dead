"""The sample week is read by the reader that canteens' own sheets go through."""

import json
from datetime import date, datetime

import pytest
from infra.demo import week_sheet
from infra.demo.week_sheet import week_book

from courtside.kernel.money import fen
from courtside.kernel.workdays import ZONE
from courtside.modules.meals.contracts.canteens import Allergen, Dish, Period
from courtside.modules.meals.rules.canteens import dish_id
from courtside.modules.meals.rules.menu_sheets import Layout, read_menu
from courtside.platform.spreadsheets import Spreadsheets
from testkit.sheets import saved

MONDAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)


async def read(**options):
    sheets = await Spreadsheets().read(saved(week_book(MONDAY, **options)))
    told = json.loads(week_sheet._TOLD.read_text("utf-8"))["canteens"][0]["menu"]
    dishes = [
        Dish(
            canteen="c",
            id=dish_id("c", row["name"]),
            name=row["name"],
            category=row["category"],
            price_fen=fen(row["price"]),
            allergens=tuple(Allergen(code) for code in row["allergens"]),
            tags=(),
            version=1,
        )
        for rows in told.values()
        for row in rows
    ]
    return read_menu(sheets, dishes=dishes, portions=60, now=NOW)


class TestWeek:
    async def test_is_a_grid_of_five_days_without_a_doubt(self):
        menu = await read()

        portions = {row.name: row.portions for row in menu.rows if row.date == MONDAY}
        meals = {(row.date, row.period) for row in menu.rows}
        assert menu.errors == ()
        assert menu.layouts == {Layout.GRID}
        assert len(meals) == 15
        assert {period for _, period in meals} == set(Period) - {Period.NIGHT}
        assert (portions["清蒸鲈鱼"], portions["红烧肉"], portions["米饭"]) == (2, 80, 60)

    async def test_has_its_one_slip_where_it_was_made(self):
        menu = await read(slip=True)

        (error,) = menu.errors
        assert (error.cell.sheet, error.cell.a1) == ("一周菜谱", "C10")
        assert error.text.zh.startswith("“红烧肉 80”里的数字 80 是单价还是份数?")


class TestCommand:
    def test_takes_any_day_of_the_week(self, tmp_path, monkeypatch, capsys):
        file = tmp_path / "new" / "menu.xlsx"
        monkeypatch.setenv("WEEK", "2026-03-12")
        monkeypatch.setenv("FILE", str(file))

        week_sheet.main()

        assert file.is_file()
        assert capsys.readouterr().out == f"{file}: 2026-03-09 – 2026-03-13\n"

    @pytest.mark.parametrize("week", ["", "next"])
    def test_asks_for_a_week(self, week, monkeypatch, capsys):
        monkeypatch.setenv("WEEK", week)

        with pytest.raises(SystemExit):
            week_sheet.main()

        assert capsys.readouterr().err.startswith("!! say which week")
