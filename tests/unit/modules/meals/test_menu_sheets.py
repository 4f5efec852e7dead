"""What canteens write, and what it means; what could mean two things is an error at its cell."""

from datetime import UTC, date, datetime, timedelta

import pytest

from courtside.kernel.sheets import SCHEMA_SHEET, Cell, Sheet
from courtside.modules.meals.contracts.canteens import Allergen, Dish, Period, Tag
from courtside.modules.meals.rules.menu_sheets import Layout, read_menu
from testkit.sheets import LIST, a_sheet, a_week

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)


def a_dish(name, *, price=500, allergens=(), category="荤菜"):
    return Dish(
        canteen="C1",
        id=name,
        name=name,
        category=category,
        price_fen=price,
        allergens=allergens,
        tags=(),
        version=1,
    )


def menu(rows, *, dishes=(), portions=50, merged=None, now=NOW):
    sheet = a_sheet(rows)
    if merged:
        sheet = Sheet(name=sheet.name, cells=sheet.cells, merged=merged)
    return read_menu([sheet], dishes=dishes, portions=portions, now=now)


def seen(parsed):
    """The rows, without what a test does not ask about."""
    return [(r.date, r.period, r.name, r.price_fen, r.portions) for r in parsed.rows]


def faults(parsed):
    return [(e.cell.a1, e.text.zh) for e in parsed.errors]


class TestList:
    def test_takes_every_column(self):
        parsed = menu(
            [
                ["食堂菜单"],
                LIST,
                ["2026-03-02", "午餐", "红烧肉", "12.5", "80", "大豆", "微辣", "荤菜"],
            ]
        )

        (row,) = parsed.rows
        assert parsed.errors == ()
        assert parsed.layouts == {Layout.LIST}
        assert seen(parsed) == [(MONDAY, Period.LUNCH, "红烧肉", 1250, 80)]
        assert (row.allergens, row.tags, row.category) == (
            (Allergen.SOY,),
            (Tag.SPICY_1,),
            "荤菜",
        )

    def test_finds_columns_in_any_order_and_under_usual_names(self):
        parsed = menu(
            [["品名", "餐别", "供餐日期"], ["米饭", "晚餐", "3月3日"]], dishes=[a_dish("米饭")]
        )

        assert seen(parsed) == [(TUESDAY, Period.DINNER, "米饭", 500, 50)]

    def test_names_every_fault_at_its_cell(self):
        parsed = menu([LIST, ["昨天", "茶点", "", "贵", "多", "香菜", "好吃", ""]])

        assert [a1 for a1, _ in faults(parsed)] == ["A2", "B2", "C2", "D2", "E2", "F2", "G2"]
        assert parsed.rows == ()

    def test_says_which_column_is_missing(self):
        assert faults(menu([["日期", "菜名"], ["3月2日", "米饭"]])) == [("A1", "缺少“餐次”列。")]

    def test_refuses_two_columns_of_one_name(self):
        parsed = menu(
            [["日期", "餐次", "菜名", "单价", "价格"], ["3月2日", "午餐", "米饭", "1", "2"]]
        )

        assert faults(parsed)[0][0] == "E1"

    def test_takes_merged_dates_and_meals_for_all_their_rows(self):
        rows = [LIST, ["3月2日", "午餐", "甲菜", 1, 1], ["", "", "乙菜", 2, 2]]

        parsed = menu(rows, merged={(2, 0): (1, 0), (2, 1): (1, 1)})

        assert [r[:3] for r in seen(parsed)] == [
            (MONDAY, Period.LUNCH, "甲菜"),
            (MONDAY, Period.LUNCH, "乙菜"),
        ]

    def test_refuses_a_menu_template_of_another_version(self):
        other = Sheet(name=SCHEMA_SHEET, cells={(0, 0): "courtside.meals.menu", (0, 1): "99"})
        sheet = a_sheet([LIST, ["3月2日", "午餐", "米饭", 1, 1]])

        parsed = read_menu([sheet, other], dishes=(), portions=None, now=NOW)

        assert [e.cell for e in parsed.errors] == [Cell(SCHEMA_SHEET, 0, 0)]


class TestGrid:
    def test_takes_dates_across_and_meals_down(self):
        parsed = menu(
            a_week(
                {"早餐": ["豆浆 2元", "油条 1元 30份"], "午餐": ["红烧肉 12元\n米饭 1元", "休息"]}
            )
        )

        assert parsed.errors == ()
        assert parsed.layouts == {Layout.GRID}
        assert seen(parsed) == [
            (MONDAY, Period.BREAKFAST, "豆浆", 200, 50),
            (TUESDAY, Period.BREAKFAST, "油条", 100, 30),
            (MONDAY, Period.LUNCH, "红烧肉", 1200, 50),
            (MONDAY, Period.LUNCH, "米饭", 100, 50),
        ]

    def test_takes_price_and_allergens_of_known_dishes_from_the_dish_list(self):
        dish = a_dish("红烧肉", price=1300, allergens=(Allergen.SOY,), category="小炒")

        parsed = menu(a_week({"午餐": ["红烧肉"]}), dishes=[dish])

        (row,) = parsed.rows
        assert (row.price_fen, row.allergens, row.category) == (1300, (Allergen.SOY,), "小炒")

    def test_takes_the_price_of_a_new_dish_from_another_cell(self):
        parsed = menu(a_week({"午餐": ["红烧肉 12元", "红烧肉"]}))

        assert [row.price_fen for row in parsed.rows] == [1200, 1200]

    def test_an_unknown_dish_without_a_price_is_an_error_at_its_cell(self):
        assert [a1 for a1, _ in faults(menu(a_week({"午餐": ["", "佛跳墙"]})))] == ["C3"]

    def test_without_a_number_anywhere_is_an_error(self):
        parsed = menu(a_week({"午餐": ["红烧肉 12元"]}), portions=None)

        assert faults(parsed) == [("B3", "“红烧肉”没有写份数,例如“80份”。")]

    def test_takes_merged_meals_categories_and_blank_labels(self):
        rows = [
            ["", "", "3月2日", "3月3日"],
            ["午餐", "荤菜", "红烧肉 1元", "甲菜 1元"],
            ["", "素菜", "乙菜 1元", "丙菜 1元"],
            ["晚餐", "", "丁菜 1元", ""],
            ["备注:以当日供应为准", "", "", ""],
        ]

        parsed = menu(rows, merged={(2, 0): (1, 0)})

        assert parsed.errors == ()
        assert [(r.name, r.period, r.category) for r in parsed.rows] == [
            ("红烧肉", Period.LUNCH, "荤菜"),
            ("甲菜", Period.LUNCH, "荤菜"),
            ("乙菜", Period.LUNCH, "素菜"),
            ("丙菜", Period.LUNCH, "素菜"),
            ("丁菜", Period.DINNER, ""),
        ]

    def test_takes_weekdays_above_or_below_the_dates(self):
        below = [
            ["", "3月2日", "3月3日"],
            ["", "星期一", "星期二"],
            ["午餐", "甲菜 1元", "乙菜 1元"],
        ]
        above = [below[1], below[0], below[2]]

        for rows in (below, above):
            parsed = menu(rows)
            assert parsed.errors == ()
            assert [(r.date, r.name) for r in parsed.rows] == [(MONDAY, "甲菜"), (TUESDAY, "乙菜")]

    def test_takes_weekdays_under_a_title_that_names_the_week(self):
        rows = [
            ["一周菜谱(3月2日-3月6日)"],
            ["", "星期一", "星期二"],
            ["午餐", "甲菜 1元", "乙菜 1元"],
        ]

        parsed = menu(rows)

        assert [(r.date, r.name) for r in parsed.rows] == [(MONDAY, "甲菜"), (TUESDAY, "乙菜")]

    def test_weekdays_alone_are_no_dates(self):
        parsed = menu([["", "星期一", "星期二"], ["午餐", "甲菜 1元", "乙菜 1元"]])

        assert [a1 for a1, _ in faults(parsed)][:2] == ["B1", "C1"]
        assert parsed.rows == ()

    def test_takes_columns_of_their_own_for_price_and_portions(self):
        rows = [
            ["", "3月2日", "", "", "3月3日", "", ""],
            ["餐次", "菜名", "单价", "份数", "菜名", "单价", "份数"],
            ["午餐", "红烧肉", "12", "80", "米饭", "1", "200"],
            ["", "青菜", "5", "", "", "", ""],
        ]

        parsed = menu(rows, merged={(0, 2): (0, 1), (0, 3): (0, 1), (0, 5): (0, 4), (0, 6): (0, 4)})

        assert parsed.errors == ()
        assert seen(parsed) == [
            (MONDAY, Period.LUNCH, "红烧肉", 1200, 80),
            (TUESDAY, Period.LUNCH, "米饭", 100, 200),
            (MONDAY, Period.LUNCH, "青菜", 500, 50),
        ]

    def test_takes_several_weeks_of_one_sheet(self):
        first = a_week({"午餐": ["甲菜 1元"]})
        second = a_week({"午餐": ["甲菜 1元"]}, begins=MONDAY + timedelta(days=7))

        parsed = menu([*first, *second])

        assert [r.date for r in parsed.rows] == [MONDAY, MONDAY + timedelta(days=7)]

    def test_takes_a_make_up_saturday(self):
        saturday = date(2026, 2, 28)

        parsed = menu(a_week({"午餐": ["甲菜 1元"]}, begins=saturday))

        assert [r.date for r in parsed.rows] == [saturday]

    @pytest.mark.parametrize(
        ("rows", "merged", "at", "told"),
        [
            (
                [["", "3月2日 星期二", "3月3日"], ["午餐", "甲菜 1元", "乙菜 1元"]],
                {},
                "B1",
                "是星期一",
            ),
            ([["", "3月2日", "2月30日"], ["午餐", "甲菜 1元", ""]], {}, "C1", "没有"),
            (
                [["", "3月2日"], ["午餐", "甲菜 1元"], ["茶点", "乙菜 1元"]],
                {},
                "A3",
                "不认识的餐次",
            ),
            ([["", "3月2日", ""], ["午餐", "甲菜 1元", "乙菜 1元"]], {}, "C2", "没有日期"),
            (
                [["", "3月2日", "3月3日"], ["午餐", "米饭 1元", ""]],
                {(1, 2): (1, 1)},
                "B2",
                "合并单元格",
            ),
            (
                [["", "3月2日"], ["午餐", "米饭 1元"], ["晚餐", ""]],
                {(2, 1): (1, 1)},
                "B2",
                "合并单元格",
            ),
            ([["", "3月2日"], ["", "甲菜 1元"], ["午餐", "乙菜 1元"]], {}, "B2", "没有写餐次"),
        ],
        ids=["weekday", "no such day", "meal", "no date", "two days", "two meals", "no meal"],
    )
    def test_what_is_ambiguous_is_an_error_at_its_cell(self, rows, merged, at, told):
        parsed = menu(rows, merged=merged)

        assert [(a1, told in zh) for a1, zh in faults(parsed)] == [(at, True)]


class TestMenu:
    def test_names_both_cells_of_a_repetition(self):
        parsed = menu(a_week({"午餐": ["米饭 1元\n青菜 2元\n米饭 1元"], "晚餐": ["米饭"]}))

        (error,) = parsed.errors
        assert (error.cell.a1, "B3" in error.text.zh) == ("B3", True)
        assert [r.period for r in parsed.rows] == [Period.LUNCH, Period.LUNCH, Period.DINNER]

    def test_finds_repetitions_across_sheets(self):
        rows = a_week({"午餐": ["米饭 1元"]})

        parsed = read_menu(
            [a_sheet(rows, name="一"), a_sheet(rows, name="二")], dishes=(), portions=1, now=NOW
        )

        (error,) = parsed.errors
        assert str(error.cell) == "二!B3"
        assert "一!B3" in error.text.en

    def test_does_not_let_a_file_change_what_was_stated_of_allergens(self):
        row = ["3月2日", "午餐", "红烧肉", 12, 80, "无"]

        parsed = menu([LIST, row], dishes=[a_dish("红烧肉", allergens=(Allergen.SOY,))])

        assert parsed.rows == ()
        assert "不一致" in faults(parsed)[0][1]

    def test_refuses_two_statements_of_one_new_dish(self):
        rows = [["3月2日", m, "红烧肉", 12, 80, a] for m, a in (("午餐", "无"), ("晚餐", "大豆"))]

        assert [a1 for a1, _ in faults(menu([LIST, *rows]))] == ["C3"]

    def test_passes_over_hidden_sheets_and_names_those_that_hold_no_menu(self):
        hidden = Sheet(name="旧", cells=a_sheet(a_week({"午餐": ["米饭 1元"]})).cells, hidden=True)
        notes = a_sheet([["通讯录"], ["张师傅", "分机 12"]], name="联系人")

        parsed = read_menu(
            [hidden, notes, a_sheet(a_week({"午餐": ["青菜 1元"]}))],
            dishes=(),
            portions=1,
            now=NOW,
        )

        assert [r.name for r in parsed.rows] == ["青菜"]
        assert parsed.skipped == ("联系人",)

    @pytest.mark.parametrize("rows", [[["通讯录"], ["张师傅", "分机"]], [LIST]])
    def test_a_file_without_a_menu_is_an_error(self, rows):
        parsed = menu(rows)

        assert [a1 for a1, _ in faults(parsed)] == ["A1"]
