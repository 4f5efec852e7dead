"""The menu template: what is filled in is what is read."""

import io
from datetime import UTC, date, datetime

import openpyxl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from courtside.kernel.sheets import SCHEMA_SHEET
from courtside.modules.meals.rules.menu_sheets import MENU_TEMPLATE, read_menu
from courtside.modules.meals.rules.menu_sheets.words import (
    ALLERGEN_NAMES,
    PERIOD_NAMES,
)
from courtside.platform.spreadsheets import tables, templates
from testkit.sheets import LIST, saved, xlsx

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


NAMES = st.text(alphabet="红烧肉宫保鸡丁清炒时蔬米饭馒头", min_size=2, max_size=8)
PLANNED = st.tuples(
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.sampled_from(list(PERIOD_NAMES)),
    NAMES,
    st.integers(0, 100_000),
    st.integers(1, 9_999),
    st.frozensets(st.sampled_from(list(ALLERGEN_NAMES))),
)
EMPTY_TEMPLATE = templates.build(MENU_TEMPLATE)


def opened(data):
    return openpyxl.load_workbook(io.BytesIO(data))


def filled(planned):
    book = opened(EMPTY_TEMPLATE)
    for at, (day, period, name, fen, portions, allergens) in enumerate(
        planned, start=templates.FIRST_ROW
    ):
        stated = "、".join(ALLERGEN_NAMES[a] for a in allergens) or "无"
        told = (day, PERIOD_NAMES[period].zh, name, fen / 100, portions, stated)
        for column, value in enumerate(told, start=1):
            book["菜单"].cell(at, column, value)
    return saved(book)


class TestTemplate:
    @settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate])
    @given(st.lists(PLANNED, min_size=1, max_size=8, unique_by=lambda row: row[2]))
    def test_what_is_filled_in_is_what_is_read(self, planned):
        """The template itself, filled in, saved, and read back: nothing lost, nothing added."""
        data = filled(planned)

        parsed = read_menu(tables.read(data), dishes=(), portions=None, now=NOW)

        assert parsed.errors == ()
        assert [
            (r.date, r.period, r.name, r.price_fen, r.portions, set(r.allergens))
            for r in parsed.rows
        ] == planned

    def test_empty_says_so(self):
        sheets = tables.read(EMPTY_TEMPLATE)

        parsed = read_menu(sheets, dishes=(), portions=None, now=NOW)

        assert [(str(e.cell), e.text.zh) for e in parsed.errors] == [
            ("菜单!A1", "表中没有填写任何菜品。")
        ]

    def test_has_lists_to_pick_from_a_frozen_heading_and_a_hidden_version(self):
        book = opened(EMPTY_TEMPLATE)

        sheet = book["菜单"]
        lists = {v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"}
        assert '"早餐,午餐,晚餐,夜宵"' in lists
        assert sheet.freeze_panes == "A3"
        assert book[SCHEMA_SHEET].sheet_state == "hidden"
        assert [c.value for c in book[SCHEMA_SHEET][1]] == ["courtside.meals.menu", 1]


class TestLargeSheets:
    def test_two_thousand_rows_are_the_most(self):
        rows = [["3月2日", "午餐", f"{chr(0x4E00 + n)}菜", 1, 1] for n in range(2_001)]

        parsed = read_menu(tables.read(xlsx([LIST, *rows])), dishes=(), portions=None, now=NOW)

        assert [e.cell.a1 for e in parsed.errors] == ["C2002"]
