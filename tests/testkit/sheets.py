"""Spreadsheets as canteens keep them, built when a test needs one."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import openpyxl
import xlwt

from courtside.kernel.sheets import Sheet

Row = Sequence[object]
WEEKDAYS = "一二三四五六日"


def xlsx(
    rows: Iterable[Row], *, name: str = "菜单", merged: Iterable[str] = (), hidden: str = ""
) -> bytes:
    """A workbook of one sheet (and one that is hidden, if it is named)."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = name
    for row in rows:
        sheet.append(list(row))
    for area in merged:
        sheet.merge_cells(area)
    if hidden:
        other = book.create_sheet(hidden)
        other["A1"] = "去年的菜单"
        other.sheet_state = "hidden"
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(rows: Iterable[Row], *, merged: Iterable[tuple[int, int, int, int]] = ()) -> bytes:
    """The binary format of Excel 97 to 2003; merged areas are top, bottom, left, right."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("菜单")
    days = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                sheet.write(at, column, value, days)
            elif value not in (None, ""):
                sheet.write(at, column, value)
    for area in merged:
        sheet.merge(*area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv(rows: Iterable[Row], *, encoding: str = "utf-8", separator: str = ",") -> bytes:
    text = "\r\n".join(separator.join(_quoted(value) for value in row) for row in rows)
    return text.encode(encoding)


def a_sheet(rows: Sequence[Row], *, name: str = "菜单") -> Sheet:
    """A sheet as it is after reading: every cell is text."""
    cells = {
        (at, column): str(value)
        for at, row in enumerate(rows)
        for column, value in enumerate(row)
        if value not in (None, "")
    }
    return Sheet(name=name, cells=cells)


def a_week(
    meals: Mapping[str, Sequence[str]], *, begins: date = date(2026, 3, 2), title: str = ""
) -> list[list[object]]:
    """A weekly grid: dates across with their weekdays, meals down; one cell a meal and day."""
    width = max(len(cells) for cells in meals.values())
    days = [begins + timedelta(days=n) for n in range(width)]
    heads = [f"{day.month}月{day.day}日 星期{WEEKDAYS[day.weekday()]}" for day in days]
    rows: list[list[object]] = [[title], ["餐次", *heads]]
    rows.extend([meal, *cells] for meal, cells in meals.items())
    return rows


LIST = ("日期", "餐次", "菜名", "单价(元)", "份数", "过敏原", "标签", "类别")


def _quoted(value: object) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',;\t"\n') else text
