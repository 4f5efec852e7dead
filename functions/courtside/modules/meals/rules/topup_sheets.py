"""Top-ups of wallets from finance's spreadsheet: staff numbers and yuan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from courtside.kernel import money
from courtside.kernel.errors import Text
from courtside.kernel.sheets import (
    ERROR_SHEET,
    EXAMPLE,
    GUIDE_SHEET,
    SCHEMA_SHEET,
    Cell,
    CellError,
    Column,
    Kind,
    Sheet,
    Template,
)
from courtside.modules.meals.rules.menu_sheets.words import tight

MOST_ROWS = 2_000
MOST_FEN = 1_000_000  # ten thousand yuan for one person at once is a slip of the keyboard
HEADING_ROWS = 20
STAFF_LENGTH = 20
_SUMS = ("合计", "总计", "小计")
_OUR_OWN = (ERROR_SHEET, GUIDE_SHEET, SCHEMA_SHEET)

TOP_UP_TEMPLATE = Template(
    schema="courtside.meals.top_up",
    version=1,
    sheet="充值",
    title=Text(zh="餐费充值导入表", en="Wallet top-ups"),
    columns=(
        Column(
            heading="工号",
            note=Text(
                zh="人员的工号,按文本填写,保留开头的 0。",
                en="Staff number as text, with its leading zeros.",
            ),
            example="0001234",
            width=22,
            is_required=True,
        ),
        Column(
            heading="金额(元)",
            note=Text(
                zh="充值金额,以元为单位,最多两位小数,须大于 0。",
                en="Amount in yuan, at most two decimals, more than 0.",
            ),
            example="200.00",
            width=16,
            kind=Kind.MONEY,
            is_open=True,
            is_required=True,
        ),
    ),
    guide=(
        Text(
            zh="一人一行。请勿填写姓名:系统按工号核对。",
            en="One row a person. No names: people are found by staff number.",
        ),
    ),
)


class _Field(StrEnum):
    STAFF = "工号"
    AMOUNT = "金额"


_HEADINGS: Mapping[str, _Field] = {
    **dict.fromkeys(("工号", "职工号", "人员编号", "员工编号", "警号"), _Field.STAFF),
    **dict.fromkeys(("金额", "充值金额", "充值", "金额/元"), _Field.AMOUNT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpRow:
    """One person's top-up. `cell` holds the staff number."""

    cell: Cell
    staff_no: str
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTopUps:
    """All that a workbook says; `total_fen` is for finance to compare with its own books."""

    rows: tuple[TopUpRow, ...]
    errors: tuple[CellError, ...]

    @property
    def total_fen(self) -> int:
        return sum(row.fen for row in self.rows)


def read_top_ups(sheets: Sequence[Sheet]) -> ParsedTopUps:
    """Every row of every visible sheet; one staff number twice is an error naming both cells."""
    rows: list[TopUpRow] = []
    errors: list[CellError] = []
    for sheet in sheets:
        if not sheet.hidden and sheet.name not in _OUR_OWN:
            _read_sheet(sheet, rows, errors)
    errors.extend(_repeated(rows))
    if not rows and not errors:
        errors.append(CellError(Cell(sheets[0].name, 0, 0), _NOTHING))
    if len(rows) > MOST_ROWS:
        errors.append(CellError(rows[MOST_ROWS].cell, _TOO_MANY))
    return ParsedTopUps(rows=tuple(rows), errors=tuple(errors))


def unknown_staff(rows: Sequence[TopUpRow], known: Callable[[str], bool]) -> list[CellError]:
    """Rows whose staff number is nobody's, or that of somebody who has left."""
    return [CellError(row.cell, _unknown(row.staff_no)) for row in rows if not known(row.staff_no)]


def _read_sheet(sheet: Sheet, rows: list[TopUpRow], errors: list[CellError]) -> None:
    headings = _find_headings(sheet)
    if headings is None:
        errors.append(CellError(Cell(sheet.name, 0, 0), _NO_HEADINGS))
        return
    at, columns = headings
    for row in range(at + 1, sheet.rows):
        staff = sheet.text(row, columns[_Field.STAFF])
        amount = sheet.text(row, columns[_Field.AMOUNT])
        first = sheet.text(row, 0)
        if not (staff or amount) or staff.startswith(EXAMPLE) or tight(first) in _SUMS:
            continue
        cells = {field: Cell(sheet.name, row, column) for field, column in columns.items()}
        wrong = [*_staff_errors(staff, cells[_Field.STAFF])]
        fen = _fen(amount)
        if fen is None:
            wrong.append(CellError(cells[_Field.AMOUNT], _amount_error(amount)))
        if fen is not None and not wrong:
            rows.append(TopUpRow(cell=cells[_Field.STAFF], staff_no=tight(staff), fen=fen))
        errors.extend(wrong)


def _find_headings(sheet: Sheet) -> tuple[int, dict[_Field, int]] | None:
    for row in range(min(sheet.rows, HEADING_ROWS)):
        found: dict[_Field, int] = {}
        for column in range(sheet.columns):
            label = tight(sheet.text(row, column)).replace("*", "").split("(")[0]
            if label in _HEADINGS:
                found.setdefault(_HEADINGS[label], column)
        if len(found) == len(_Field):
            return row, found
    return None


def _staff_errors(staff: str, cell: Cell) -> list[CellError]:
    number = tight(staff)
    if 1 <= len(number) <= STAFF_LENGTH and number.isascii() and number.isalnum():
        return []
    return [CellError(cell, _NO_STAFF)]


def _fen(amount: str) -> int | None:
    told = tight(amount).removeprefix("\u00a5").removesuffix("元").replace(",", "")
    try:
        fen = money.fen(told)
    except ValueError:
        return None
    return fen if 0 < fen <= MOST_FEN else None


def _repeated(rows: Sequence[TopUpRow]) -> list[CellError]:
    seen: dict[str, TopUpRow] = {}
    errors: list[CellError] = []
    for row in rows:
        first = seen.setdefault(row.staff_no, row)
        if first is not row:
            text = Text(
                zh=f"工号 {row.staff_no} 出现两次:{first.cell} 和 {row.cell}。请合并为一行。",
                en=f"Staff number {row.staff_no} stands twice: at {first.cell} and {row.cell}. "
                "Make it one row.",
            )
            errors.append(CellError(row.cell, text))
    return errors


_NO_HEADINGS = Text(
    zh="没有找到“工号”和“金额”两列。", en="The columns 工号 and 金额 were not found."
)
_NO_STAFF = Text(
    zh=f"工号应为 1 到 {STAFF_LENGTH} 位字母或数字。",
    en=f"A staff number has 1 to {STAFF_LENGTH} letters or digits.",
)
_NOTHING = Text(zh="表中没有填写任何充值。", en="The sheet has no top-ups.")
_TOO_MANY = Text(
    zh=f"一次最多导入 {MOST_ROWS} 行,请分几次导入。",
    en=f"At most {MOST_ROWS} rows can be imported at once. Split the file.",
)


def _amount_error(amount: str) -> Text:
    told = amount[:20]
    return Text(
        zh=f"金额“{told}”应大于 0、不超过 10000 元,最多两位小数。",
        en=f"The amount “{told}” should be more than 0, at most 10,000 yuan, with two decimals.",
    )


def _unknown(staff_no: str) -> Text:
    return Text(
        zh=f"本院没有工号为 {staff_no} 的在职人员。",
        en=f"Nobody at this court has the staff number {staff_no}.",
    )
