"""`make sample`: a week's menu as the big canteen hangs it on the wall, as a spreadsheet.

Dates across, meals down, several dishes a cell, headings merged. Prices and allergens are not on
it: the dish list knows them. SLIP=yes writes one cell as kitchens do when in a hurry.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.rules.menu_sheets.words import PERIOD_NAMES

DAYS = 5
_TOLD = Path(__file__).with_name("court.json")
PORTIONS = {"清蒸鲈鱼": "2份", "红烧肉": "80份"}  # others: as many as the upload says
SLIP = ("红烧肉 80份", "红烧肉 80")  # eighty yuan, or eighty portions?
_DAILY = ("主食", "饮品", "蛋类", "汤", "水果")  # stands on every day
_A_DAY = 3  # of the other categories
_WEEKDAYS = "一二三四五六日"
_HEAD, _FIRST, _LABELS = 3, 5, 2
_FONT = "宋体"
_LINE = Side(style="thin", color="FF7F7F7F")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
_HEADING = PatternFill("solid", start_color="FFFCE4D6", end_color="FFFCE4D6")
_NO_FILL = PatternFill()
_NOTE = (
    "备注:1. 午餐请于当日 9:30 前订餐,9:00 前可改餐、退餐;2. 清蒸鲈鱼为小灶,限量供应;"
    "3. 菜品如有调整,以当日公布为准。"
)
_SIGNED = "制表:机关服务中心      审核:司法行政装备管理处"


def week_book(monday: date, *, slip: bool = False) -> openpyxl.Workbook:
    """The workbook of that week's five work days."""
    canteen = json.loads(_TOLD.read_text("utf-8"))["canteens"][0]
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "一周菜谱"
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    _headings(sheet, canteen["name"], days)
    below = _body(sheet, canteen["menu"], slip=slip)
    _notes(sheet, below)
    _look(sheet, below)
    _page(sheet, below)
    return book


def _headings(sheet: Worksheet, canteen: str, days: Sequence[date]) -> None:
    last = _LABELS + DAYS
    first, until = days[0], days[-1]
    _merged(sheet, (1, 1, 1, last), f"{canteen}一周菜谱")
    span = f"({first.year}年{first.month}月{first.day}日至{until.month}月{until.day}日)"
    _merged(sheet, (2, 1, 2, last), span)
    _merged(sheet, (_HEAD, 1, _HEAD + 1, 1), "餐次")
    _merged(sheet, (_HEAD, 2, _HEAD + 1, 2), "类别")
    for n, day in enumerate(days):
        sheet.cell(_HEAD, _LABELS + 1 + n, f"{day.month}月{day.day}日")
        sheet.cell(_HEAD + 1, _LABELS + 1 + n, f"星期{_WEEKDAYS[day.weekday()]}")


def _body(sheet: Worksheet, menu: Mapping[str, Sequence[Mapping[str, Any]]], *, slip: bool) -> int:
    """The meals from the first row on; the row below them."""
    row = _FIRST
    for period, dishes in menu.items():
        rows = list(_categories(dishes))
        label = PERIOD_NAMES[Period(period)].zh
        _merged(sheet, (row, 1, row + len(rows) - 1, 1), label)
        for category, names in rows:
            sheet.cell(row, 2, category)
            for n in range(DAYS):
                text = "\n".join(_written(name) for name in _of_day(category, names, n))
                text = text.replace(*SLIP) if slip and n == 0 else text
                sheet.cell(row, _LABELS + 1 + n, text)
            row += 1
    return row


def _categories(dishes: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for category in dict.fromkeys(dish["category"] for dish in dishes):
        yield category, [dish["name"] for dish in dishes if dish["category"] == category]


def _of_day(category: str, names: Sequence[str], n: int) -> list[str]:
    """The category's dishes of the week's day `n`, in turn."""
    if category in _DAILY or len(names) <= 2:  # noqa: PLR2004 - nothing to choose from
        return list(names)
    taken = min(_A_DAY, len(names) - 1)
    return list(dict.fromkeys(names[(n * taken + i) % len(names)] for i in range(taken)))


def _written(name: str) -> str:
    return f"{name} {PORTIONS[name]}" if name in PORTIONS else name


def _notes(sheet: Worksheet, below: int) -> None:
    for n, text in enumerate((_NOTE, _SIGNED)):
        _merged(sheet, (below + n, 1, below + n, _LABELS + DAYS), text)


def _merged(sheet: Worksheet, area: tuple[int, int, int, int], text: str) -> None:
    top, left, bottom, right = area
    sheet.cell(top, left, text)
    if (top, left) != (bottom, right):
        sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)


def _look(sheet: Worksheet, below: int) -> None:
    """As it hangs on the wall: framed, with meals and days shaded."""
    for row in range(_HEAD, below):
        texts = [str(sheet.cell(row, _LABELS + n).value or "") for n in range(DAYS + 1)]
        sheet.row_dimensions[row].height = 16 * max(text.count("\n") + 1 for text in texts) + 6
        for column in range(1, _LABELS + DAYS + 1):
            cell, heading = sheet.cell(row, column), row < _FIRST or column <= _LABELS
            cell.border, cell.alignment = _BORDER, _CENTRE
            cell.font = Font(name=_FONT, size=11, bold=heading)
            cell.fill = _HEADING if heading else _NO_FILL
    for row, size, height in ((1, 20, 34), (2, 12, 22)):
        sheet.cell(row, 1).font = Font(name=_FONT, size=size, bold=row == 1)
        sheet.cell(row, 1).alignment = _CENTRE
        sheet.row_dimensions[row].height = height


def _page(sheet: Worksheet, below: int) -> None:
    """One sheet of A4 across, with the headings staying in sight on a screen."""
    for column in range(1, _LABELS + DAYS + 1):
        width = 8 if column <= _LABELS else 19
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.cell(below, 1).alignment = Alignment(vertical="center", wrap_text=True)
    sheet.row_dimensions[below].height = 32
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9  # A4
    sheet.print_options.horizontalCentered = True
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.freeze_panes = sheet.cell(_FIRST, _LABELS + 1).coordinate


def main() -> None:
    """Write FILE= for the week of WEEK=, a day of it."""
    try:
        day = date.fromisoformat(os.environ.get("WEEK") or "")
    except ValueError:
        print("!! say which week: make sample WEEK=2026-03-09 FILE=menu.xlsx", file=sys.stderr)
        raise SystemExit(1) from None
    file = Path(os.environ.get("FILE") or "menu.xlsx")
    file.parent.mkdir(parents=True, exist_ok=True)
    monday = day - timedelta(days=day.weekday())
    week_book(monday, slip=os.environ.get("SLIP") == "yes").save(file)
    print(f"{file}: {monday.isoformat()} – {monday + timedelta(days=DAYS - 1)}")


if __name__ == "__main__":
    main()
