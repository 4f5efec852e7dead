"""What goes between the caller and the bounded child: a JSON head, then bytes."""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from courtside.kernel.errors import Text
from courtside.kernel.sheets import (
    Cell,
    CellError,
    Column,
    Kind,
    Sheet,
    SheetProblem,
    Template,
    UnreadableSheet,
)

_LENGTH = struct.Struct(">I")
_DONE = b"+"
_REFUSED = b"-"


@dataclass(frozen=True, slots=True)
class ReadRequest:
    data: bytes


@dataclass(frozen=True, slots=True)
class AnnotateRequest:
    data: bytes
    errors: tuple[CellError, ...]


@dataclass(frozen=True, slots=True)
class TemplateRequest:
    template: Template


Request = ReadRequest | AnnotateRequest | TemplateRequest


def pack_request(request: Request) -> bytes:
    match request:
        case ReadRequest(data=data):
            return _pack({"do": "read"}, data)
        case AnnotateRequest(data=data, errors=errors):
            lines = [[*error.cell, *error.text] for error in errors]
            return _pack({"do": "annotate", "errors": lines}, data)
        case TemplateRequest(template=template):
            return _pack({"do": "template", "template": asdict(template)}, b"")


def unpack_request(packed: bytes) -> Request:
    length = _LENGTH.unpack_from(packed)[0]
    begin = _LENGTH.size + length
    head = json.loads(packed[_LENGTH.size : begin])
    match head["do"]:
        case "read":
            return ReadRequest(packed[begin:])
        case "annotate":
            return AnnotateRequest(packed[begin:], tuple(_error(e) for e in head["errors"]))
        case _:
            return TemplateRequest(_template(head["template"]))


def pack_answer(data: bytes) -> bytes:
    return _DONE + data


def pack_problem(problem: SheetProblem) -> bytes:
    return _REFUSED + problem.value.encode()


def unpack_answer(packed: bytes) -> bytes:
    """The answer, or the UnreadableSheet that the child met. A child that ended without an answer
    ran into its bounds."""
    if packed.startswith(_DONE):
        return packed[1:]
    if packed.startswith(_REFUSED):
        raise UnreadableSheet(problem=SheetProblem(packed[1:].decode()))
    raise UnreadableSheet(problem=SheetProblem.TOO_MANY_CELLS)


def pack_sheets(sheets: Sequence[Sheet]) -> bytes:
    """Sheets as JSON; both maps as lists, since JSON has no keys of two numbers."""
    plain = [
        {
            "name": s.name,
            "hidden": s.hidden,
            "cells": [[row, column, text] for (row, column), text in s.cells.items()],
            "merged": [[*at, *first] for at, first in s.merged.items()],
        }
        for s in sheets
    ]
    return json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")


def unpack_sheets(data: bytes) -> list[Sheet]:
    return [
        Sheet(
            name=s["name"],
            hidden=s["hidden"],
            cells={(row, column): text for row, column, text in s["cells"]},
            merged={(row, column): (top, left) for row, column, top, left in s["merged"]},
        )
        for s in json.loads(data)
    ]


def _pack(head: dict[str, Any], data: bytes) -> bytes:
    packed = json.dumps(head, ensure_ascii=False).encode("utf-8", "replace")
    return _LENGTH.pack(len(packed)) + packed + data


def _error(line: list[Any]) -> CellError:
    sheet, row, column, zh, en = line
    return CellError(Cell(sheet, row, column), Text(zh, en))


def _template(plain: dict[str, Any]) -> Template:
    columns = tuple(
        Column(
            **{
                **c,
                "note": Text(*c["note"]),
                "kind": Kind(c["kind"]),
                "choices": tuple(c["choices"]),
            }
        )
        for c in plain["columns"]
    )
    guide = tuple(Text(*line) for line in plain["guide"])
    return Template(**{**plain, "title": Text(*plain["title"]), "columns": columns, "guide": guide})
