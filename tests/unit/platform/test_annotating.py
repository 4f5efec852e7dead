"""The copy of a file with its errors at their cells, in which nothing computes."""

import io

import openpyxl
import pytest
from openpyxl.styles import PatternFill

from courtside.kernel.errors import Text
from courtside.kernel.sheets import (
    ERROR_SHEET,
    Cell,
    CellError,
)
from courtside.platform.spreadsheets import Spreadsheets
from testkit.sheets import LIST, csv, saved, xls, xlsx

ROWS = (LIST, ("2026-03-02", "午餐", "红烧肉", 12.5, 80, "大豆", "", "荤菜"))


@pytest.fixture
def spreadsheets():
    return Spreadsheets()


def an_error(row: int, column: int, sheet: str = "菜单") -> CellError:
    return CellError(Cell(sheet, row, column), Text(zh="单价有误。", en="The price is wrong."))


async def annotated(spreadsheets, data: bytes, *errors: CellError) -> openpyxl.Workbook:
    copy = await spreadsheets.annotate(data, errors=errors)
    return openpyxl.load_workbook(io.BytesIO(copy))


class TestAnnotate:
    @pytest.mark.parametrize("data", [xlsx(ROWS), xls(ROWS)], ids=["xlsx", "xls"])
    async def test_marks_the_cell_and_lists_it_last(self, spreadsheets, data):
        book = await annotated(spreadsheets, data, an_error(1, 3))

        cell = book["菜单"]["D2"]
        assert cell.comment.text == "单价有误。\nThe price is wrong."
        assert cell.fill.start_color.rgb == "FFFFC7CE"
        assert book["菜单"]["C2"].comment is None
        assert book.sheetnames[-1] == ERROR_SHEET
        listed = [c.value for c in book[ERROR_SHEET][2]]
        assert listed == ["1", "菜单!D2", "12.5", "单价有误。", "The price is wrong."]
        assert book[ERROR_SHEET]["B2"].hyperlink.location == "'菜单'!D2"

    async def test_makes_a_workbook_of_a_csv(self, spreadsheets):
        book = await annotated(spreadsheets, csv(ROWS), an_error(1, 2, "CSV"))

        assert book["CSV"]["C2"].value == "红烧肉"
        assert book["CSV"]["C2"].comment is not None

    async def test_keeps_the_looks_of_the_original(self, spreadsheets):
        book = openpyxl.load_workbook(io.BytesIO(xlsx(ROWS, merged=["A3:C3"])))
        book["菜单"].column_dimensions["C"].width = 33
        book["菜单"]["A1"].fill = PatternFill("solid", start_color="FF00B050")

        copy = await annotated(spreadsheets, saved(book), an_error(1, 3))

        assert copy["菜单"].column_dimensions["C"].width == 33
        assert copy["菜单"]["A1"].fill.start_color.rgb == "FF00B050"
        assert [str(area) for area in copy["菜单"].merged_cells.ranges] == ["A3:C3"]

    @pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"])
    async def test_neutralises_formulas(self, spreadsheets, text):
        """Also what would become one when the copy is saved as .csv."""
        for data in (xlsx([["x", text]]), csv([["x", text]])):
            book = await annotated(spreadsheets, data, an_error(0, 0, (await self._name(data))))

            cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
            assert not any(c.data_type == "f" for c in cells)
            assert not any(str(c.value).startswith(("=", "+", "-", "@", "\t")) for c in cells)

    async def _name(self, data: bytes) -> str:
        return (await Spreadsheets().read(data))[0].name

    async def test_leaves_numbers_and_dashes_alone(self, spreadsheets):
        book = await annotated(spreadsheets, csv([["-5", "-", "x"]]), an_error(0, 2, "CSV"))

        assert [c.value for c in book["CSV"][1]] == ["-5", "-", "x"]

    async def test_takes_the_marks_of_an_earlier_check_away(self, spreadsheets):
        once = await spreadsheets.annotate(xlsx(ROWS), errors=[an_error(1, 3)])

        book = await annotated(spreadsheets, once, an_error(1, 4))

        assert book["菜单"]["D2"].comment is None
        assert book["菜单"]["D2"].fill.fill_type is None
        assert book["菜单"]["E2"].comment is not None
        assert book.sheetnames == ["菜单", ERROR_SHEET]
        assert book[ERROR_SHEET].max_row == 2
