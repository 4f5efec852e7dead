"""Reading a file that passed `files.kind_of` into sheets; runs in the bounded child only."""

import csv
import io
import math
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from xml.etree.ElementTree import ParseError

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from courtside.kernel.sheets import (
    MAX_COLUMNS,
    MAX_ROWS,
    Sheet,
    SheetProblem,
    UnreadableSheet,
)
from courtside.platform.spreadsheets import formulas
from courtside.platform.spreadsheets.files import FileKind, kind_of

MAX_SHEETS = 60
MAX_CELL = 4_000  # characters; Excel itself stops at 32,767
MAX_TEXT = 4_000_000  # characters of all cells together
MAX_MERGES = 5_000
SNIFFED = 65_536  # characters of a text in which its separator is looked for
MOJIBAKE = 0.05  # share of rare characters above which a legacy encoding was guessed wrongly
DAMAGE = (
    CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    NotImplementedError,
)
_UNUSUAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ue000-\uf8ff]")

Place = tuple[int, int]
Area = tuple[Place, Place]


def read(data: bytes) -> list[Sheet]:
    """All sheets that hold anything; UnreadableSheet if the file as a whole cannot be read."""
    kind = kind_of(data)
    if kind is FileKind.CSV:
        sheets = [Sheet(name="CSV", cells=_cells(_csv_rows(data)))]
    else:
        sheets = _workbook(data, is_xlsx=kind is FileKind.XLSX)
    if sum(len(text) for s in sheets for text in s.cells.values()) > MAX_TEXT:
        raise UnreadableSheet(problem=SheetProblem.TOO_MANY_CELLS)
    if not any(s.cells for s in sheets):
        raise UnreadableSheet(problem=SheetProblem.EMPTY)
    return [s for s in sheets if s.cells]


def _workbook(data: bytes, *, is_xlsx: bool) -> list[Sheet]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        wanted = [m for m in book.sheets_metadata if m.typ is SheetTypeEnum.WorkSheet]
        if len(wanted) > MAX_SHEETS:
            raise UnreadableSheet(problem=SheetProblem.TOO_MANY_CELLS)
        hidden = {m.name for m in wanted if m.visible is not SheetVisibleEnum.Visible}
        sheets = [_sheet(book, m.name, hidden=m.name in hidden) for m in wanted]
        sheets = _with_failed(data, sheets) if is_xlsx else sheets
    except PasswordError as error:
        raise UnreadableSheet(problem=SheetProblem.ENCRYPTED) from error
    except DAMAGE as error:
        raise UnreadableSheet(problem=SheetProblem.DAMAGED) from error
    return sheets


def _sheet(book: CalamineWorkbook, name: str, *, hidden: bool) -> Sheet:
    found = book.get_sheet_by_name(name)
    bottom, right = found.end or (-1, -1)
    if bottom >= MAX_ROWS or right >= MAX_COLUMNS:
        raise UnreadableSheet(problem=SheetProblem.TOO_MANY_CELLS)
    values = found.to_python(skip_empty_area=False) if found.end else []
    cells = _cells([_canonical(value) for value in row] for row in values)
    merged = _merged(found.merged_cell_ranges or [])
    return Sheet(name=name, cells=cells, merged=merged, hidden=hidden)


def _cells(rows: Iterable[Iterable[str]]) -> dict[Place, str]:
    """What is not blank, bounded in both directions; blanks cost nothing."""
    cells: dict[Place, str] = {}
    for at, row in enumerate(rows):
        for column, raw in enumerate(row):
            text = raw.strip()
            if not text:
                continue
            if at >= MAX_ROWS or column >= MAX_COLUMNS or len(text) > MAX_CELL:
                raise UnreadableSheet(problem=SheetProblem.TOO_MANY_CELLS)
            cells[at, column] = text
    return cells


def _merged(areas: list[Area]) -> dict[Place, Place]:
    """Every other cell of a merged range to its first, within the bounds of a sheet."""
    if len(areas) > MAX_MERGES:
        raise UnreadableSheet(problem=SheetProblem.TOO_MANY_CELLS)
    merged: dict[Place, Place] = {}
    covered = 0
    for first, (bottom, right) in areas:
        last_row, last_column = min(bottom, MAX_ROWS - 1), min(right, MAX_COLUMNS - 1)
        covered += max(0, last_row - first[0] + 1) * max(0, last_column - first[1] + 1)
        if covered > MAX_ROWS * MAX_COLUMNS:  # only overlapping ranges reach this
            raise UnreadableSheet(problem=SheetProblem.DAMAGED)
        for row in range(first[0], last_row + 1):
            for column in range(first[1], last_column + 1):
                merged[row, column] = first
        merged.pop(first, None)
    return merged


def _canonical(value: object) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return _number(value)
        case datetime():
            midnight = value.time() == time()
            return value.date().isoformat() if midnight else value.isoformat(timespec="minutes")
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _number(value: float) -> str:
    """Fifteen significant digits, as Excel keeps them: 12.3 and never 12.300000000000001."""
    if not math.isfinite(value):
        return str(value)
    text = f"{Decimal(f'{value:.15g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _with_failed(data: bytes, sheets: list[Sheet]) -> list[Sheet]:
    """Formulas count with the value stored beside them; one without a usable value is shown as
    what it is, so that it becomes an error at its cell and not a blank."""
    failed = formulas.without_result(data)
    return [replace(s, cells={**failed.get(s.name, {}), **s.cells}) for s in sheets]


def _csv_rows(data: bytes) -> Iterator[list[str]]:
    text = decode(data)
    head = text[:SNIFFED]
    separator = max(",;\t", key=head.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error as error:
        raise UnreadableSheet(problem=SheetProblem.TOO_MANY_CELLS) from error


def decode(data: bytes) -> str:
    """The text of a file in UTF-8 (with or without a mark), UTF-16 or GB 18030; otherwise
    UnreadableSheet, never a guess that would turn into other characters."""
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_plausible(text, legacy=encoding == "gb18030"):
            return text.removeprefix("\ufeff")
    is_text = b"\x00" not in data[:SNIFFED]
    problem = SheetProblem.UNKNOWN_ENCODING if is_text else SheetProblem.NOT_A_TABLE
    raise UnreadableSheet(problem=problem)


def _encodings(data: bytes) -> tuple[str, ...]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    if b"\x00" in data[:SNIFFED]:
        odd = data[1:SNIFFED:2].count(0) > data[0:SNIFFED:2].count(0)
        return ("utf-16-le",) if odd else ("utf-16-be",)
    return ("utf-8", "gb18030")


def _is_plausible(text: str, *, legacy: bool) -> bool:
    if _UNUSUAL.search(text):
        return False
    foreign = [c for c in text if ord(c) > 0x7F]  # noqa: PLR2004 - beyond ASCII
    if not legacy or not foreign:
        return True
    rare = sum(not _is_common(c) for c in foreign)
    return rare <= MOJIBAKE * len(foreign)


def _is_common(char: str) -> bool:
    """In the 6,763 characters of GB 2312, punctuation or a symbol."""
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return unicodedata.category(char)[0] in "PSZ"
    return True
