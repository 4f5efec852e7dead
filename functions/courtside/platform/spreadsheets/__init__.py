"""Spreadsheets: reading what people keep, writing errors beside their cells, making templates.

Files are foreign: they are parsed in a child process with bounded memory and time. What may be read
at all is decided before, by the file's first bytes and its table of contents.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

from courtside.kernel.sheets import CellError, Sheet, Template
from courtside.platform.spreadsheets import files, wire

WORKER = "courtside.platform.spreadsheets.worker"
KEPT = ("LD_LIBRARY_PATH", "LANG", "LC_ALL")
TIMEOUT = 40.0  # seconds of waiting; the child itself stops after 20 of processor time


class Spreadsheets:
    """The one door to spreadsheets for services; holds nothing."""

    async def read(self, data: bytes) -> list[Sheet]:
        """The sheets of an .xlsx, .xls or .csv file that hold anything, each cell as text.

        Formulas count with their stored values. UnreadableSheet says why a file is refused.
        """
        files.kind_of(data)
        return wire.unpack_sheets(await _ask(wire.ReadRequest(data)))

    async def annotate(self, data: bytes, *, errors: Sequence[CellError]) -> bytes:
        """A copy as .xlsx with each error at its cell (red, with a comment) and a last sheet that
        lists all of them in both languages. Nothing in the copy computes."""
        files.kind_of(data)
        return await _ask(wire.AnnotateRequest(data, tuple(errors)))

    async def template(self, template: Template) -> bytes:
        """The workbook (.xlsx) to fill in."""
        return await _ask(wire.TemplateRequest(template))


def _environment() -> dict[str, str]:
    """What the child needs to start, and none of the caller's credentials."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}


async def _ask(request: wire.Request) -> bytes:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        WORKER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            answer, _ = await child.communicate(wire.pack_request(request))
    except TimeoutError:
        answer = b""
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return wire.unpack_answer(answer)
