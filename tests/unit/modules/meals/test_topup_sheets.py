"""Finance's list of top-ups: whom, how much, and what is wrong at which cell."""

import pytest

from courtside.modules.meals.rules.topup_sheets import (
    TOP_UP_TEMPLATE,
    read_top_ups,
    unknown_staff,
)
from courtside.platform.spreadsheets import tables, templates
from testkit.sheets import a_sheet

HEADINGS = ["姓名", "工号", "金额(元)"]


def read(*rows):
    return read_top_ups([a_sheet([HEADINGS, *rows])])


def faults(parsed):
    return [error.cell.a1 for error in parsed.errors]


class TestTopUps:
    def test_are_read_by_staff_number_and_summed(self):
        parsed = read(
            ["甲", "0001234", "200"], ["乙", "P2", "¥1,000.50元"], ["合计", "", "1200.50"]
        )

        assert parsed.errors == ()
        assert [(row.staff_no, row.fen) for row in parsed.rows] == [
            ("0001234", 20_000),
            ("P2", 100_050),
        ]
        assert parsed.total_fen == 120_050

    @pytest.mark.parametrize("amount", ["", "0", "-5", "1.234", "10000.01", "二百", "1e3"])
    def test_of_no_sensible_amount_are_errors(self, amount):
        parsed = read(["甲", "P1", amount])

        assert (faults(parsed), parsed.rows) == (["C2"], ())

    @pytest.mark.parametrize("staff", ["", "张三", "P 1;2", "9" * 21])
    def test_of_no_staff_number_are_errors(self, staff):
        parsed = read(["甲", staff, "20"])

        assert (faults(parsed), parsed.rows) == (["B2"], ())

    def test_name_both_cells_of_one_person_twice(self):
        parsed = read(["甲", "P1", "20"], ["甲", "P1", "30"])

        assert faults(parsed) == ["B3"]
        assert "B2" in parsed.errors[0].text.zh

    def test_of_nobody_are_errors_at_their_staff_number(self):
        parsed = read(["甲", "P1", "20"], ["乙", "P2", "30"])

        errors = unknown_staff(parsed.rows, {"P1"}.__contains__)

        assert [error.cell.a1 for error in errors] == ["B3"]

    def test_need_their_two_columns(self):
        parsed = read_top_ups([a_sheet([["姓名", "工号"], ["甲", "P1"]])])

        assert faults(parsed) == ["A1"]

    def test_the_empty_template_says_so(self):
        parsed = read_top_ups(tables.read(templates.build(TOP_UP_TEMPLATE)))

        assert [error.text.zh for error in parsed.errors] == ["表中没有填写任何充值。"]
