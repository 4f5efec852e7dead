"""Spreadsheets as plain values: what was read, what is wrong at which cell, and templates.

Rows and columns count from 0. Every cell is canonical text: numbers without exponent or trailing
zeros, dates as 2026-03-02, instants as ISO 8601, truth as TRUE or FALSE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from courtside.kernel.errors import Path, Refusal, Text

MAX_BYTES = 5 * 1024 * 1024
MAX_COLUMNS = 60
MAX_ROWS = 5_000
SCHEMA_SHEET = "_courtside"  # the hidden sheet of our templates: name and version of the schema
GUIDE_SHEET = "填写说明"
ERROR_SHEET = "错误清单"  # last sheet of an annotated copy; not read when the copy comes back
EXAMPLE = "示例"  # how the example row of a template begins; that row is not read


class Cell(NamedTuple):
    """Where a cell stands; as text `菜单!B3`."""

    sheet: str
    row: int
    column: int

    @property
    def a1(self) -> str:
        """The address as people read it, without the sheet."""
        return f"{column_letters(self.column)}{self.row + 1}"

    def __str__(self) -> str:
        return f"{self.sheet}!{self.a1}"


class CellError(NamedTuple):
    """What is wrong at a cell, in both languages."""

    cell: Cell
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet: its cells that are not blank, and for the others of a merged range its first."""

    name: str
    cells: Mapping[tuple[int, int], str]
    merged: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    hidden: bool = False

    rows: int = field(init=False)
    columns: int = field(init=False)

    def __post_init__(self) -> None:
        """Measure the sheet once: readers ask for its size in every row."""
        object.__setattr__(self, "rows", 1 + max((row for row, _ in self.cells), default=-1))
        object.__setattr__(
            self, "columns", 1 + max((column for _, column in self.cells), default=-1)
        )

    def text(self, row: int, column: int) -> str:
        """What stands in the cell itself: a merged range has it in its first cell only."""
        return self.cells.get((row, column), "")

    def spread(self, row: int, column: int) -> str:
        """What a reader sees there: every cell of a merged range shows its first."""
        return self.cells.get(self.merged.get((row, column), (row, column)), "")

    def cell(self, row: int, column: int) -> Cell:
        """The address of the first cell of what covers this place."""
        return Cell(self.name, *self.merged.get((row, column), (row, column)))


class Kind(StrEnum):
    """How a template's column is formatted."""

    TEXT = "TEXT"
    DATE = "DATE"
    MONEY = "MONEY"
    COUNT = "COUNT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a template. `choices` become a list to pick from, or to go beyond if `is_open`;
    `note` explains the heading."""

    heading: str
    note: Text
    example: str
    width: int
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    is_open: bool = False
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A workbook to fill in. Its example row begins with EXAMPLE and is skipped when read."""

    schema: str
    version: int
    sheet: str
    title: Text
    columns: tuple[Column, ...]
    guide: tuple[Text, ...] = ()


class SheetProblem(StrEnum):
    """Why a file could not be read as a spreadsheet at all."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    ZIP_BOMB = "ZIP_BOMB"
    TOO_MANY_CELLS = "TOO_MANY_CELLS"
    PDF = "PDF"
    HTML = "HTML"
    IMAGE = "IMAGE"
    DOCUMENT = "DOCUMENT"
    OLD_OR_OTHER_FORMAT = "OLD_OR_OTHER_FORMAT"
    MACROS = "MACROS"
    ENCRYPTED = "ENCRYPTED"
    DAMAGED = "DAMAGED"
    UNKNOWN_ENCODING = "UNKNOWN_ENCODING"
    NOT_A_TABLE = "NOT_A_TABLE"


_SAVE_AS = Text(
    zh="请在 Excel 或 WPS 中打开,另存为 .xlsx 后再上传。",
    en="Open it in Excel or WPS, save it as .xlsx and upload that.",
)
PROBLEMS: Mapping[SheetProblem, Text] = {
    SheetProblem.EMPTY: Text(zh="文件里没有任何内容。", en="The file holds nothing."),
    SheetProblem.TOO_LARGE: Text(
        zh="文件超过 5 MB,请删去图片和用不到的工作表。",
        en="The file is larger than 5 MB. Remove pictures and sheets that are not needed.",
    ),
    SheetProblem.ZIP_BOMB: Text(
        zh="文件解压后异常庞大,为安全起见不予读取。",
        en="The file unpacks to an abnormal size and is not read, for safety.",
    ),
    SheetProblem.TOO_MANY_CELLS: Text(
        zh=f"表格超过 {MAX_ROWS} 行或 {MAX_COLUMNS} 列(或文字过多)。若看上去没有这么大,"
        "请检查远处是否有多余内容,并删除多余的行和列。",
        en=f"More than {MAX_ROWS} rows or {MAX_COLUMNS} columns, or too much text. If it looks "
        "smaller, something stands far to the right or far below: delete those rows and columns.",
    ),
    SheetProblem.PDF: Text(
        zh="这是 PDF 文件,不是表格。请上传原来的 Excel 或 WPS 表格。",
        en="This is a PDF, not a spreadsheet. Upload the spreadsheet it was made from.",
    ),
    SheetProblem.HTML: Text(
        zh=f"这是网页格式的文件,只是改了扩展名。{_SAVE_AS.zh}",
        en=f"This is a web page under a spreadsheet's name. {_SAVE_AS.en}",
    ),
    SheetProblem.IMAGE: Text(
        zh="这是图片,不是表格。请上传 .xlsx、.xls 或 .csv 文件。",
        en="This is a picture. Upload an .xlsx, .xls or .csv file.",
    ),
    SheetProblem.DOCUMENT: Text(
        zh="这是文档、演示文稿或压缩包,里面没有工作表。请上传 .xlsx、.xls 或 .csv 文件。",
        en="A document, presentation or archive without sheets. Upload .xlsx, .xls or .csv.",
    ),
    SheetProblem.OLD_OR_OTHER_FORMAT: Text(
        zh=f"不支持这种表格格式。{_SAVE_AS.zh}",
        en=f"This kind of spreadsheet is not supported. {_SAVE_AS.en}",
    ),
    SheetProblem.MACROS: Text(
        zh=f"文件含有宏,不予读取。{_SAVE_AS.zh}",
        en=f"The file contains macros and is not read. {_SAVE_AS.en}",
    ),
    SheetProblem.ENCRYPTED: Text(
        zh="文件设有打开密码,请取消密码后再上传。",
        en="The file needs a password to open. Remove it and upload again.",
    ),
    SheetProblem.DAMAGED: Text(
        zh=f"文件已损坏或不完整,无法读取。{_SAVE_AS.zh}",
        en=f"The file is damaged or incomplete. {_SAVE_AS.en}",
    ),
    SheetProblem.UNKNOWN_ENCODING: Text(
        zh="无法识别文字编码,请另存为“CSV UTF-8”或 .xlsx 后再上传。",
        en="The text encoding is not recognised. Save as “CSV UTF-8” or .xlsx and upload that.",
    ),
    SheetProblem.NOT_A_TABLE: Text(
        zh="这不是表格文件。请上传 .xlsx、.xls 或 .csv 文件。",
        en="This is not a spreadsheet. Upload an .xlsx, .xls or .csv file.",
    ),
}


class UnreadableSheet(Refusal):
    """The file as a whole cannot be read; `problem` says why, `reason_*` what to do about it."""

    code = "UNREADABLE_SHEET"
    text = Text(zh="{reason_zh}", en="{reason_en}")

    def __init__(self, *, problem: SheetProblem, path: Path = ()) -> None:
        super().__init__(path=path)
        self.problem = problem
        self.reason_zh, self.reason_en = PROBLEMS[problem]


def column_letters(column: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
