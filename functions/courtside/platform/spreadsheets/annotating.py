"""The copy of an uploaded file with its errors at their cells; runs in the bounded child only."""

import io
from collections.abc import Iterable, Mapping, Sequence

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell
from openpyxl.cell.cell import Cell as XlsxCell
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from courtside.kernel.sheets import ERROR_SHEET, SCHEMA_SHEET, CellError, Sheet
from courtside.platform.spreadsheets import looks, tables
from courtside.platform.spreadsheets.files import FileKind, kind_of

AUTHOR = "Courtside"
WIDTHS = (10, 40)  # of a rebuilt column, narrowest and widest
LIST_COLUMNS = (
    ("序号", 7),
    ("单元格", 16),
    ("原内容", 26),
    ("问题与办法", 56),
    ("What is wrong", 64),
)
LINE_HEIGHT = 17


def annotate(data: bytes, errors: Sequence[CellError]) -> bytes:
    """The copy as .xlsx. A workbook in that form keeps its looks; others are written anew.

    Formulas become the values they had, links to other files are cut.
    """
    sheets = tables.read(data)
    book = _own_looks(data) if kind_of(data) is FileKind.XLSX else None
    if book is None:
        book = _rebuilt(sheets)
    _clean(book, sheets)
    for sheet in book.worksheets:
        _mark(sheet, [e for e in errors if e.cell.sheet == sheet.title])
    _list_errors(book, errors, {sheet.name: sheet for sheet in sheets})
    first = errors[0].cell.sheet if errors else book.sheetnames[0]
    book.active = book.sheetnames.index(first) if first in book.sheetnames else 0
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _own_looks(data: bytes) -> Workbook | None:
    """The workbook as it looks, or None where only its values could be read."""
    try:
        return openpyxl.load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
    except Exception:  # noqa: BLE001 - openpyxl fails in many ways; the values are at hand
        return None


def _rebuilt(sheets: Sequence[Sheet]) -> Workbook:
    book = Workbook()
    del book[book.sheetnames[0]]
    for sheet in sheets:
        written = book.create_sheet(sheet.name)
        written.sheet_state = "hidden" if sheet.hidden else "visible"
        for (row, column), text in sheet.cells.items():
            cell = written.cell(row + 1, column + 1)
            _put(cell, text)
            cell.font, cell.alignment, cell.border = looks.TEXT_FONT, looks.WRAP, looks.GRID
        _merge(written, sheet)
        _widen(written, sheet)
    return book


def _merge(written: Worksheet, sheet: Sheet) -> None:
    corners: dict[tuple[int, int], tuple[int, int]] = {}
    for at, first in sheet.merged.items():
        corners[first] = max(corners.get(first, first), at)
    for (top, left), (bottom, right) in corners.items():
        written.merge_cells(
            start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1
        )


def _widen(written: Worksheet, sheet: Sheet) -> None:
    narrowest, widest = WIDTHS
    widths: dict[int, int] = {}
    for (row, column), text in sheet.cells.items():
        if (row, column) not in sheet.merged.values():
            widths[column] = max(widths.get(column, narrowest), looks.width_of(text) + 2)
    for column, width in widths.items():
        written.column_dimensions[get_column_letter(column + 1)].width = min(width, widest)


def _clean(book: Workbook, sheets: Sequence[Sheet]) -> None:
    """Take an earlier copy's marks away, and everything that could compute."""
    if ERROR_SHEET in book.sheetnames and len(book.sheetnames) > 1:
        del book[ERROR_SHEET]
    read = {sheet.name: sheet.cells for sheet in sheets}
    for sheet in book.worksheets:
        uncomputed = {
            place: text for place, text in read.get(sheet.title, {}).items() if text[0] == "="
        }
        for (row, column), text in uncomputed.items():
            _put(sheet.cell(row + 1, column + 1), text)
        for line in sheet.iter_rows():
            _calm(cell for cell in line if isinstance(cell, XlsxCell))


def _calm(cells: Iterable[XlsxCell]) -> None:
    for cell in cells:
        if isinstance(cell.value, str):
            _put(cell, cell.value)
        if cell.comment is not None and cell.comment.author == AUTHOR:
            cell.comment = None
            cell.fill = looks.NO_FILL
            cell.border = looks.GRID


def _put(cell: XlsxCell | MergedCell, text: str) -> None:
    """Text and nothing but text, whatever it begins with."""
    if isinstance(cell, XlsxCell):
        cell.value = looks.harmless(ILLEGAL_CHARACTERS_RE.sub("", text))
        cell.data_type = "s"


def _mark(sheet: Worksheet, errors: Sequence[CellError]) -> None:
    at: dict[tuple[int, int], list[CellError]] = {}
    for error in errors:
        at.setdefault((error.cell.row, error.cell.column), []).append(error)
    for (row, column), found in at.items():
        cell = sheet.cell(row + 1, column + 1)
        cell.fill, cell.border = looks.ERROR_FILL, looks.ERROR_BORDER
        lines = [line for error in found for line in error.text]
        comment = Comment(ILLEGAL_CHARACTERS_RE.sub("", "\n".join(lines)), AUTHOR)
        comment.width, comment.height = 320, 40 + 34 * len(lines)
        if isinstance(cell, XlsxCell):
            cell.comment = comment


def _list_errors(book: Workbook, errors: Sequence[CellError], sheets: Mapping[str, Sheet]) -> None:
    sheet = book.create_sheet(ERROR_SHEET)
    for column, (heading, width) in enumerate(LIST_COLUMNS, start=1):
        cell = sheet.cell(1, column, heading)
        cell.font, cell.fill, cell.alignment = (
            looks.HEADING_FONT,
            looks.HEADING_FILL,
            looks.CENTRE,
        )
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, error in enumerate(errors, start=1):
        told = sheets.get(error.cell.sheet)
        content = told.text(error.cell.row, error.cell.column) if told else ""
        _list_one(sheet, number, error, content)
    sheet.row_dimensions[1].height = 24
    sheet.freeze_panes = "A2"
    sheet.sheet_properties.tabColor = "FFC00000"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _list_one(sheet: Worksheet, number: int, error: CellError, content: str) -> None:
    line = (str(number), str(error.cell), content[:200], error.text.zh, error.text.en)
    for column, text in enumerate(line, start=1):
        cell = sheet.cell(number + 1, column)
        _put(cell, text)
        cell.font, cell.border = looks.TEXT_FONT, looks.GRID
        cell.alignment = looks.CENTRE if column == 1 else looks.WRAP
    lines = [
        sum(1 + looks.width_of(part) // width for part in text.splitlines() or [""])
        for text, (_, width) in zip(line, LIST_COLUMNS, strict=True)
    ]
    sheet.row_dimensions[number + 1].height = LINE_HEIGHT * max(lines) + 5
    address = sheet.cell(number + 1, 2)
    quoted = error.cell.sheet.replace("'", "''")
    if error.cell.sheet != SCHEMA_SHEET and isinstance(address, XlsxCell):
        address.hyperlink = Hyperlink(
            ref=address.coordinate, location=f"'{quoted}'!{error.cell.a1}"
        )
        address.font = looks.LINK_FONT
