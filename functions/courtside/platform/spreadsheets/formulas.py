"""Cells of an .xlsx file whose formula has no usable result; runs in the bounded child only.

The reader shows such cells as blank, and a blank would lose what a kitchen wrote.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from courtside.kernel.sheets import MAX_COLUMNS, MAX_ROWS

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_HINTS = (b"<f", b't="e"')

Place = tuple[int, int]


def without_result(data: bytes) -> dict[str, dict[Place, str]]:
    """By sheet: `=…` where a formula was never computed, `#REF!` and the like where it failed.

    A formula whose result is an empty text is simply blank.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            name: dict(_found(archive, part))
            for name, part in _parts(archive)
            if any(hint in archive.read(part) for hint in _HINTS)
        }


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Each sheet's name and the part of the archive that holds it."""
    relations = _parse(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id"): r.get("Target", "") for r in relations}
    names = set(archive.namelist())
    for sheet in _parse(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
        if part in names:
            yield sheet.get("name", ""), part


def _found(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[Place, str]]:
    with archive.open(part) as stream:
        # Entities are bounded by expat itself, everything else by the child's limits.
        for _, cell in ET.iterparse(stream):  # noqa: S314
            if cell.tag == f"{_MAIN}c":
                place = _place(cell.get("r", ""))
                text = _complaint(cell)
                if text and place is not None:
                    yield place, text
                cell.clear()
            elif cell.tag == f"{_MAIN}row":
                cell.clear()


def _complaint(cell: ET.Element) -> str:
    formula, value = cell.find(f"{_MAIN}f"), cell.findtext(f"{_MAIN}v")
    if cell.get("t") == "e":
        return value or "#"
    if formula is None or value or (cell.get("t") == "str" and value is not None):
        return ""
    return f"={formula.text or ''}"


def _place(reference: str) -> Place | None:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    place = (int(match[2]) - 1, column - 1)
    return place if place[0] < MAX_ROWS and place[1] < MAX_COLUMNS else None


def _parse(xml: bytes) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 - as above
