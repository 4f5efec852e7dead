"""Workbooks to fill in, from a module's `Template`; runs in the bounded child only."""

import io

from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from courtside.kernel.sheets import EXAMPLE, GUIDE_SHEET, SCHEMA_SHEET, Column, Kind, Template
from courtside.platform.spreadsheets import looks

TITLE_ROW, HEADING_ROW, EXAMPLE_ROW, FIRST_ROW = 1, 2, 3, 4
LINED_ROWS = 120  # drawn with lines; validation reaches further
LAST_ROW = 2_000
A4 = 9
FORMATS = {
    Kind.TEXT: "@",
    Kind.DATE: "yyyy-mm-dd",
    Kind.MONEY: "0.00",
    Kind.COUNT: "0",
}


def build(template: Template) -> bytes:
    """The workbook: headings that stay in view, lists to pick from, one example row, a guide, and a
    hidden sheet that names the schema and its version."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = template.sheet
    _title(sheet, template)
    for number, column in enumerate(template.columns, start=1):
        _column(sheet, number, column)
    sheet.freeze_panes = f"A{EXAMPLE_ROW}"
    _print_setup(sheet)
    _guide(book.create_sheet(GUIDE_SHEET), template)
    schema = book.create_sheet(SCHEMA_SHEET)
    schema.append([template.schema, template.version])
    schema.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _title(sheet: Worksheet, template: Template) -> None:
    title = sheet.cell(TITLE_ROW, 1, f"{template.title.zh}  {template.title.en}")
    title.font, title.alignment = looks.TITLE_FONT, looks.CENTRE
    sheet.merge_cells(
        start_row=TITLE_ROW, start_column=1, end_row=TITLE_ROW, end_column=len(template.columns)
    )
    sheet.row_dimensions[TITLE_ROW].height = 34
    sheet.row_dimensions[HEADING_ROW].height = 26


def _column(sheet: Worksheet, number: int, column: Column) -> None:
    letter = get_column_letter(number)
    sheet.column_dimensions[letter].width = column.width
    heading = sheet.cell(HEADING_ROW, number, f"{column.heading}{' *' * column.is_required}")
    heading.font, heading.fill = looks.HEADING_FONT, looks.HEADING_FILL
    heading.alignment, heading.border = looks.CENTRE, looks.GRID
    comment = Comment(f"{column.note.zh}\n{column.note.en}", "Courtside")
    comment.width, comment.height = 300, 110
    heading.comment = comment
    example = sheet.cell(EXAMPLE_ROW, number, f"{EXAMPLE} " * (number == 1) + column.example)
    example.font, example.border, example.alignment = looks.QUIET_FONT, looks.GRID, looks.WRAP
    for row in range(FIRST_ROW, FIRST_ROW + LINED_ROWS):
        cell = sheet.cell(row, number)
        cell.font, cell.border, cell.alignment = looks.TEXT_FONT, looks.GRID, looks.WRAP
        cell.number_format = FORMATS[column.kind]
    validation = _validation(column)
    validation.add(f"{letter}{FIRST_ROW}:{letter}{LAST_ROW}")
    sheet.add_data_validation(validation)


def _validation(column: Column) -> DataValidation:
    """What may be typed, with a prompt while typing. Open lists suggest and never refuse."""
    match column:
        case Column(choices=choices) if choices:
            rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"')
        case Column(kind=Kind.MONEY):
            rule = DataValidation(type="decimal", operator="between", formula1="0", formula2="1000")
        case Column(kind=Kind.COUNT):
            rule = DataValidation(type="whole", operator="between", formula1="1", formula2="9999")
        case _:
            rule = DataValidation()
    rule.allow_blank = True
    rule.showErrorMessage = not column.is_open
    rule.showInputMessage = True
    rule.promptTitle = column.heading
    rule.prompt = column.note.zh
    rule.errorTitle = column.heading
    rule.error = column.note.zh
    return rule


def _print_setup(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{TITLE_ROW}:{HEADING_ROW}"


def _guide(sheet: Worksheet, template: Template) -> None:
    sheet.column_dimensions["A"].width = 14
    sheet.column_dimensions["B"].width = 62
    sheet.column_dimensions["C"].width = 72
    sheet.append([GUIDE_SHEET, "", "How to fill it in"])
    for column in template.columns:
        sheet.append([column.heading, column.note.zh, column.note.en])
    for line in template.guide:
        sheet.append(["", line.zh, line.en])
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.font, cell.alignment, cell.border = looks.TEXT_FONT, looks.WRAP, looks.GRID
    for cell in sheet[1]:
        cell.font = looks.TITLE_FONT
    for number in range(2, sheet.max_row + 1):
        sheet.row_dimensions[number].height = 36
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
