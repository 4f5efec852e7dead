"""What kind of file it is, by its content and never by its name; refused before it is parsed."""

import io
import struct
import zipfile
from enum import StrEnum

from courtside.kernel.sheets import MAX_BYTES, SheetProblem, UnreadableSheet

MAX_UNPACKED = 40 * 1024 * 1024
MAX_RATIO = 200  # deflate reaches 1,000 on blanks; spreadsheets people make stay under 60
SMALL = 1024 * 1024  # below this no ratio is suspicious
MAX_ENTRIES = 2_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLD_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*")
ARCHIVES = (b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
MARKUP = (b"<!doctype", b"<html", b"<table", b"<head", b"<meta", b"mime-version:")
XML = b"<?xml"


class FileKind(StrEnum):
    XLSX = "XLSX"
    XLS = "XLS"
    CSV = "CSV"


def kind_of(data: bytes) -> FileKind:
    """The kind of a file that may be parsed; UnreadableSheet for everything else.

    A zip is judged by its central directory alone: nothing is unpacked here.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableSheet(problem=SheetProblem.TOO_LARGE)
    if not data.strip(b"\x00\t\r\n ,;"):
        raise UnreadableSheet(problem=SheetProblem.EMPTY)
    if data.startswith(b"PK"):
        _check_archive(data)
        return FileKind.XLSX
    if data.startswith(OLE):
        _check_compound(data)
        return FileKind.XLS
    _refuse_other(data)
    return FileKind.CSV


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableSheet(problem=SheetProblem.DAMAGED) from error
    _check_size(entries)
    names = {entry.filename.replace("\\", "/").lower() for entry in entries}
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableSheet(problem=SheetProblem.ENCRYPTED)
    if any(name.endswith("vbaproject.bin") for name in names):
        raise UnreadableSheet(problem=SheetProblem.MACROS)
    if "xl/workbook.bin" in names or "content.xml" in names or "index/document.iwa" in names:
        raise UnreadableSheet(problem=SheetProblem.OLD_OR_OTHER_FORMAT)
    if not any(name.startswith("xl/worksheets/") for name in names):
        raise UnreadableSheet(problem=SheetProblem.DOCUMENT)


def _check_size(entries: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    swollen = unpacked > SMALL and unpacked > MAX_RATIO * max(packed, 1)
    if unpacked > MAX_UNPACKED or swollen or len(entries) > MAX_ENTRIES:
        raise UnreadableSheet(problem=SheetProblem.ZIP_BOMB)


def _check_compound(data: bytes) -> None:
    """An OLE file: its directory names its streams in UTF-16."""
    if _names(data, "EncryptedPackage"):
        raise UnreadableSheet(problem=SheetProblem.ENCRYPTED)
    if _names(data, "_VBA_PROJECT_CUR"):
        raise UnreadableSheet(problem=SheetProblem.MACROS)
    if _names(data, "Workbook"):
        return
    if _names(data, "Book"):
        raise UnreadableSheet(problem=SheetProblem.OLD_OR_OTHER_FORMAT)
    if _names(data, "WordDocument") or _names(data, "PowerPoint Document"):
        raise UnreadableSheet(problem=SheetProblem.DOCUMENT)
    raise UnreadableSheet(problem=SheetProblem.DAMAGED)


def _names(data: bytes, stream: str) -> bool:
    return f"{stream}\0".encode("utf-16-le") in data


def _refuse_other(data: bytes) -> None:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"%pdf-" in data[:1024].lower():
        raise UnreadableSheet(problem=SheetProblem.PDF)
    if head.startswith(MARKUP):
        raise UnreadableSheet(problem=SheetProblem.HTML)
    if data.startswith(IMAGES):
        raise UnreadableSheet(problem=SheetProblem.IMAGE)
    if data.startswith((*ARCHIVES, b"{\\rtf")):
        raise UnreadableSheet(problem=SheetProblem.DOCUMENT)
    if data.startswith(OLD_BIFF) or head.startswith(XML):
        raise UnreadableSheet(problem=SheetProblem.OLD_OR_OTHER_FORMAT)
