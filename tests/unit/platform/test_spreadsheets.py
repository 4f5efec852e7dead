"""Reading foreign files: what people keep is read, everything else is refused by name, and no file
takes more memory than it may."""

import io
import os
import struct
import subprocess
import sys
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl.styles import PatternFill

from courtside.kernel.sheets import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    SheetProblem,
    UnreadableSheet,
)
from courtside.platform.spreadsheets import Spreadsheets, files, tables, wire, worker
from testkit.sheets import LIST, csv, saved, xls, xlsx

ROWS = (LIST, ("2026-03-02", "午餐", "红烧肉", 12.5, 80, "大豆", "", "荤菜"))
READ = {
    **{(0, column): heading for column, heading in enumerate(LIST)},
    (1, 0): "2026-03-02",
    (1, 1): "午餐",
    (1, 2): "红烧肉",
    (1, 3): "12.5",
    (1, 4): "80",
    (1, 5): "大豆",
    (1, 7): "荤菜",
}
BIG5 = "菜單,紅燒獅子頭,蔥油雞,魚香茄子,豬腳麵線".encode("big5")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


@pytest.fixture
def spreadsheets():
    return Spreadsheets()


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return out.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return out.getvalue()


def replaced(data: bytes, name: str, content: bytes) -> bytes:
    """The archive with one part exchanged."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return out.getvalue()


def with_flags(data: bytes, flags: int) -> bytes:
    """The first entry of the table of contents with those flags, as an encrypted zip has."""
    at = data.index(b"PK\x01\x02") + 8
    return data[:at] + struct.pack("<H", flags) + data[at + 2 :]


def far_away() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = 1
    book.worksheets[0].cell(1_048_576, 16_384, 1)
    return saved(book)


def far_away_xls() -> bytes:
    return xls([["x", *[""] * 254, "y"], *[[""]] * 65_534, ["z"]])


def of_stream(name: str) -> bytes:
    return OLE + f"{name}\0".encode("utf-16-le")


def bomb() -> bytes:
    return with_part(xlsx(ROWS), "xl/media/blank.png", b"\0" * (30 * 1024 * 1024))


def shared_string_bomb() -> bytes:
    """Few bytes, few cells, but each of them the same very long text."""
    rows = "".join(
        f'<row r="{r}">'
        + "".join(f'<c t="s" r="{c}{r}"><v>0</v></c>' for c in "ABCDEFGHIJ")
        + "</row>"
        for r in range(1, 4001)
    )
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>"
    text = f"<sst {main}><si><t>{'饭' * 30_000}</t></si></sst>"
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "x"
    data = replaced(saved(book), "xl/worksheets/sheet1.xml", sheet.encode())
    return (
        with_part(data, "xl/sharedStrings.xml", text.encode())
        if ("xl/sharedStrings.xml" not in zipfile.ZipFile(io.BytesIO(data)).namelist())
        else replaced(data, "xl/sharedStrings.xml", text.encode())
    )


BAD = {
    "nothing": (lambda: b"", SheetProblem.EMPTY),
    "blanks only": (lambda: b" \r\n,,,\r\n" * 100, SheetProblem.EMPTY),
    "an empty workbook": (lambda: xlsx([]), SheetProblem.EMPTY),
    "ten megabytes of blanks": (lambda: b" " * (10 << 20), SheetProblem.TOO_LARGE),
    "one byte too many": (lambda: b"a," * (MAX_BYTES // 2) + b"b", SheetProblem.TOO_LARGE),
    "a zip bomb": (bomb, SheetProblem.ZIP_BOMB),
    "a bomb of entries": (
        lambda: with_part(archive(**{f"n{n}": b"" for n in range(2_001)}), "xl/x", b""),
        SheetProblem.ZIP_BOMB,
    ),
    "a cell at the far corner": (far_away, SheetProblem.TOO_MANY_CELLS),
    "a cell at the far corner of .xls": (far_away_xls, SheetProblem.TOO_MANY_CELLS),
    "a row too many": (lambda: csv([["x"]] * (MAX_ROWS + 1)), SheetProblem.TOO_MANY_CELLS),
    "a column too many": (
        lambda: csv([["x"] * (MAX_COLUMNS + 1)]),
        SheetProblem.TOO_MANY_CELLS,
    ),
    "a text too long": (lambda: csv([["饭" * 4_001]]), SheetProblem.TOO_MANY_CELLS),
    "an unclosed quotation": (lambda: b'a,"' + b"b" * 200_000, SheetProblem.TOO_MANY_CELLS),
    "one long text many times": (shared_string_bomb, SheetProblem.TOO_MANY_CELLS),
    "a renamed PDF": (lambda: b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", SheetProblem.PDF),
    "a web page": ("\ufeff<html><table>菜单".encode, SheetProblem.HTML),
    "a web page from a portal": (lambda: b" \n<TABLE border=1><tr>", SheetProblem.HTML),
    "a photo": (lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF", SheetProblem.IMAGE),
    "a screenshot": (lambda: b"\x89PNG\r\n\x1a\n\x00\x00", SheetProblem.IMAGE),
    "a Word document": (
        lambda: archive(word__document_dot_xml=b"<w/>"),
        SheetProblem.DOCUMENT,
    ),
    "an old Word document": (lambda: of_stream("WordDocument"), SheetProblem.DOCUMENT),
    "an archive": (lambda: b"Rar!\x1a\x07\x01\x00", SheetProblem.DOCUMENT),
    "OpenDocument": (
        lambda: archive(content_dot_xml=b"<office/>"),
        SheetProblem.OLD_OR_OTHER_FORMAT,
    ),
    "binary .xlsb": (
        lambda: archive(xl__workbook_dot_bin=b"\x83\x01"),
        SheetProblem.OLD_OR_OTHER_FORMAT,
    ),
    "Excel 95": (lambda: of_stream("Book"), SheetProblem.OLD_OR_OTHER_FORMAT),
    "Excel 2003 XML": (
        lambda: b'<?xml version="1.0"?><Workbook>',
        SheetProblem.OLD_OR_OTHER_FORMAT,
    ),
    "macros": (
        lambda: with_part(xlsx(ROWS), "xl/vbaProject.bin", b"\0"),
        SheetProblem.MACROS,
    ),
    "macros in .xls": (
        lambda: xls(ROWS) + "_VBA_PROJECT_CUR\0".encode("utf-16-le"),
        SheetProblem.MACROS,
    ),
    "a password": (lambda: of_stream("EncryptedPackage"), SheetProblem.ENCRYPTED),
    "an encrypted zip": (lambda: with_flags(xlsx(ROWS), 1), SheetProblem.ENCRYPTED),
    "half a workbook": (lambda: xlsx(ROWS)[:900], SheetProblem.DAMAGED),
    "half an .xls": (lambda: xls(ROWS)[:1_500], SheetProblem.DAMAGED),
    "broken XML": (
        lambda: replaced(xlsx(ROWS), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row"),
        SheetProblem.DAMAGED,
    ),
    "no list of sheets": (
        lambda: archive(xl__worksheets__sheet1_dot_xml=b"<worksheet/>"),
        SheetProblem.DAMAGED,
    ),
    "Big5": (lambda: BIG5, SheetProblem.UNKNOWN_ENCODING),
    "Latin-1": (
        lambda: "Café;12,50\r\nCrème;8,00".encode("latin-1"),
        SheetProblem.UNKNOWN_ENCODING,
    ),
    "a program": (lambda: b"\x7fELF\x02\x01\x01" + bytes(range(256)), SheetProblem.NOT_A_TABLE),
}


class TestReadRefuses:
    @pytest.mark.parametrize("name", BAD)
    async def test_by_name_and_in_both_languages(self, spreadsheets, name):
        make, problem = BAD[name]

        with pytest.raises(UnreadableSheet) as refused:
            await spreadsheets.read(make())

        assert refused.value.problem is problem
        assert refused.value.message("zh") != refused.value.message("en")

    async def test_blanks_that_unpack_to_ten_megabytes_are_only_blanks(self, spreadsheets):
        """A sheet formatted to its last row is what people really send."""
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        fill = PatternFill("solid", start_color="FFFFFF00")
        for row in range(1, 4_001):
            for column in range(1, 61):
                sheet.cell(row, column).fill = fill
        sheet["B2"] = "红烧肉"
        data = saved(book)
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            assert sum(entry.file_size for entry in packed.infolist()) > 5 << 20

        (read,) = await spreadsheets.read(data)

        assert read.cells == {(1, 1): "红烧肉"}


MEASURED = """
import sys
from courtside.platform.spreadsheets import worker
worker.main()
lines = open("/proc/self/status").read().split("VmHWM:")
sys.stderr.write(lines[1].split()[0])
"""


def peak_of_reading(data: bytes) -> int | None:
    """Kilobytes that the child held at its peak; None if its limits ended it."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED],
        input=wire.pack_request(wire.ReadRequest(data)),
        capture_output=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    return int(done.stderr) if done.returncode == 0 else None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
class TestMemory:
    """Peak memory of the process that reads, as the kernel counted it."""

    def test_of_an_ordinary_menu(self):
        assert peak_of_reading(xlsx([LIST, *[ROWS[1]] * 300])) <= 80 * 1024

    def test_of_five_megabytes_of_commas(self):
        assert peak_of_reading(b"x" + b"," * (MAX_BYTES - 2)) <= 180 * 1024

    @pytest.mark.parametrize("name", ["one long text many times", "a cell at the far corner"])
    def test_of_a_bomb_is_what_the_operating_system_allows(self, name):
        peak = peak_of_reading(BAD[name][0]())

        assert peak is None or peak * 1024 <= worker.MAX_MEMORY

    def test_is_limited_by_the_operating_system(self):
        limits = (
            "import resource as r; print(r.getrlimit(r.RLIMIT_AS)[0], r.getrlimit(r.RLIMIT_CPU)[0])"
        )
        code = f"from courtside.platform.spreadsheets import worker; worker._bound(); {limits}"

        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            timeout=60,
        )

        assert done.stdout.split() == [b"536870912", b"20"]


class TestRead:
    @pytest.mark.parametrize(
        "data",
        [
            xlsx(ROWS),
            xls(ROWS),
            csv(ROWS),
            csv(ROWS, encoding="utf-8-sig"),
            csv(ROWS, encoding="gb18030"),
            csv(ROWS, encoding="utf-16"),
            csv(ROWS, encoding="utf-16-le"),
            csv(ROWS, encoding="utf-16-be"),
            csv(ROWS, separator="\t"),
            csv(ROWS, separator=";", encoding="gb18030"),
        ],
        ids=["xlsx", "xls", "utf-8", "bom", "gb18030", "utf-16", "le", "be", "tabs", "semicolons"],
    )
    async def test_takes_every_form_for_the_same_sheet(self, spreadsheets, data):
        (sheet,) = await spreadsheets.read(data)

        assert sheet.cells == READ

    async def test_writes_dates_numbers_and_truth_in_one_way(self, spreadsheets):
        at_half_past = datetime(2026, 3, 2, 11, 30)  # noqa: DTZ001 - a sheet has no zone
        values = (date(2026, 3, 2), at_half_past, 46083, 12.1 * 3, 1e-7, 1e15, True)

        (sheet,) = await spreadsheets.read(xlsx([values]))

        assert [sheet.text(0, column) for column in range(len(values))] == [
            "2026-03-02",
            "2026-03-02T11:30",
            "46083",
            "36.3",
            "0.0000001",
            "1000000000000000",
            "TRUE",
        ]

    async def test_keeps_merged_ranges_as_their_first_cell(self, spreadsheets):
        for data in (
            xlsx([["午餐", "a"], [None, "b"]], merged=["A1:A2"]),
            xls([["午餐", "a"], ["", "b"]], merged=[(0, 1, 0, 0)]),
        ):
            (sheet,) = await spreadsheets.read(data)

            assert (sheet.text(1, 0), sheet.spread(1, 0)) == ("", "午餐")
            assert sheet.cell(1, 0).a1 == "A1"

    async def test_marks_hidden_sheets(self, spreadsheets):
        sheets = await spreadsheets.read(xlsx(ROWS, hidden="旧菜单"))

        assert [(s.name, s.hidden) for s in sheets] == [("菜单", False), ("旧菜单", True)]

    async def test_counts_formulas_by_their_stored_value_and_never_as_blanks(self, spreadsheets):
        cells = (
            '<c r="A1"><f>1+1</f><v>2</v></c>'
            '<c r="B1"><f>6*2</f></c>'
            '<c r="C1" t="str"><f>IF(1,"","x")</f><v></v></c>'
            '<c r="D1" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
        )
        main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        xml = f'<worksheet {main}><sheetData><row r="1">{cells}</row></sheetData></worksheet>'

        (sheet,) = await spreadsheets.read(
            replaced(xlsx(ROWS), "xl/worksheets/sheet1.xml", xml.encode())
        )

        assert sheet.cells == {(0, 0): "2", (0, 1): "=6*2", (0, 3): "#DIV/0!"}

    def test_judges_by_content_and_not_by_name(self):
        assert files.kind_of(xlsx(ROWS)) is files.FileKind.XLSX
        assert files.kind_of(xls(ROWS)) is files.FileKind.XLS
        assert files.kind_of(csv(ROWS)) is files.FileKind.CSV

    def test_does_not_guess_an_encoding(self):
        assert tables.decode("宫保鸡丁、麻婆豆腐 €5".encode("gb18030")).startswith("宫保鸡丁")
        with pytest.raises(UnreadableSheet):
            tables.decode("カレーライス、とんかつ定食".encode("shift_jis"))
