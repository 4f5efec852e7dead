"""A menu from a canteen's spreadsheet: our template, or the weekly grid that canteens keep.

Which of the two a sheet is, is recognised by itself. A merged range counts as its first cell. What
can be understood in one way only is taken; what could mean two things is an error at its cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from courtside.kernel.errors import Text
from courtside.kernel.sheets import (
    ERROR_SHEET,
    GUIDE_SHEET,
    SCHEMA_SHEET,
    Cell,
    CellError,
    Sheet,
)
from courtside.kernel.workdays import business_day
from courtside.modules.meals.contracts.canteens import Dish
from courtside.modules.meals.rules.menu_sheets import grids, lists
from courtside.modules.meals.rules.menu_sheets.rows import (
    Findings,
    Layout,
    MenuRow,
    ParsedMenu,
    settle,
)
from courtside.modules.meals.rules.menu_sheets.template import MENU_TEMPLATE
from courtside.modules.meals.rules.menu_sheets.words import name_key

MOST_ROWS = 2_000
_OUR_OWN = (ERROR_SHEET, GUIDE_SHEET, SCHEMA_SHEET)

__all__ = ["MENU_TEMPLATE", "Layout", "MenuRow", "ParsedMenu", "name_key", "read_menu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    sheet: Sheet
    layout: Layout | None
    findings: Findings


def read_menu(
    sheets: Sequence[Sheet],
    *,
    dishes: Sequence[Dish],
    portions: int | None,
    now: datetime,
) -> ParsedMenu:
    """Everything that the visible sheets of a workbook say, completed from the canteen's dishes.

    Dates without a year are the nearest to `now`. `portions` is planned for a dish where the sheet
    gives no number; without it that is an error.
    """
    by_name = {name_key(dish.name): dish for dish in dishes}
    wanted = [s for s in sheets if not s.hidden and s.name not in _OUR_OWN and s.cells]
    read = [_read(sheet, by_name, now) for sheet in wanted]
    menus = [one for one in read if one.layout is not None]
    errors = [*_schema(sheets), *(e for one in menus for e in one.findings.errors)]
    drafts = [draft for one in menus for draft in one.findings.drafts]
    rows, open_ends = settle(drafts, dishes=by_name, portions=portions)
    errors.extend(open_ends)
    if not drafts and not errors:
        errors.append(_nothing(read, sheets))
    if len(rows) > MOST_ROWS:
        errors.append(CellError(rows[MOST_ROWS].cell, _TOO_MANY))
    return ParsedMenu(
        layouts=frozenset(one.layout for one in menus if one.layout),
        rows=rows,
        errors=tuple(sorted(errors, key=lambda error: _place(error, sheets))),
        skipped=tuple(one.sheet.name for one in read if one.layout is None),
    )


def _read(sheet: Sheet, dishes: Mapping[str, Dish], now: datetime) -> _Read:
    today = business_day(now)
    headings = lists.find_headings(sheet)
    if headings is not None:
        found = lists.read_list(sheet, headings, today=today)
        return _Read(sheet=sheet, layout=Layout.LIST, findings=found)
    heads = grids.find_grid(sheet, today=today)
    if heads:
        found = grids.read_grid(
            sheet, heads, today=today, known=lambda name: name_key(name) in dishes
        )
        return _Read(sheet=sheet, layout=Layout.GRID, findings=found)
    return _Read(sheet=sheet, layout=None, findings=Findings())


def _schema(sheets: Sequence[Sheet]) -> list[CellError]:
    """A template of another kind, or of a version that is not known here."""
    expected = (MENU_TEMPLATE.schema, str(MENU_TEMPLATE.version))
    for sheet in sheets:
        if sheet.name == SCHEMA_SHEET and (sheet.text(0, 0), sheet.text(0, 1)) != expected:
            return [CellError(Cell(SCHEMA_SHEET, 0, 0), _OTHER_TEMPLATE)]
    return []


def _nothing(read: Sequence[_Read], sheets: Sequence[Sheet]) -> CellError:
    name = read[0].sheet.name if read else sheets[0].name
    if not read or any(one.layout for one in read):
        return CellError(Cell(name, 0, 0), _EMPTY)
    missing = lists.missing_headings(read[0].sheet)
    if not missing:
        return CellError(Cell(name, 0, 0), _UNKNOWN_LAYOUT)
    columns = "、".join(f"“{heading}”" for heading in missing)
    text = Text(zh=f"缺少{columns}列。", en=f"Columns are missing: {columns}.")
    return CellError(Cell(name, 0, 0), text)


def _place(error: CellError, sheets: Sequence[Sheet]) -> tuple[int, int, int]:
    names = [sheet.name for sheet in sheets]
    sheet = names.index(error.cell.sheet) if error.cell.sheet in names else len(names)
    return sheet, error.cell.row, error.cell.column


_EMPTY = Text(zh="表中没有填写任何菜品。", en="The sheet has no dishes.")
_UNKNOWN_LAYOUT = Text(
    zh="认不出这张表的格式。请使用菜单模板(日期、餐次、菜名……),或日期在上、餐次在左的周菜单。",
    en="The layout is not recognised. Use the template (日期, 餐次, 菜名 …), or a weekly grid with "
    "dates across and meals down.",
)
_OTHER_TEMPLATE = Text(
    zh="这不是菜单模板,或模板版本过旧。请下载新的菜单模板。",
    en="This is not the menu template, or an outdated one. Download the current template.",
)
_TOO_MANY = Text(
    zh=f"一次最多导入 {MOST_ROWS} 行,请分几次导入。",
    en=f"At most {MOST_ROWS} rows can be imported at once. Split the file.",
)
