"""The two places where the system is not its seed's alone: random ids, and a child process."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from courtside.kernel import ids
from courtside.kernel.sheets import CellError, Sheet, Template
from courtside.modules.meals import wiring
from courtside.platform.spreadsheets import Spreadsheets, annotating, files, tables, templates


class OwnSpreadsheets(Spreadsheets):
    """Spreadsheets read in this process: another process knows nothing of virtual time."""

    async def read(self, data: bytes) -> list[Sheet]:
        files.kind_of(data)
        return tables.read(data)

    async def annotate(self, data: bytes, *, errors: Sequence[CellError]) -> bytes:
        files.kind_of(data)
        return annotating.annotate(data, tuple(errors))

    async def template(self, template: Template) -> bytes:
        return templates.build(template)


class SeededSecrets:
    """What `secrets` offers, drawn from the seed."""

    def __init__(self, chance: random.Random) -> None:
        self.choice = chance.choice
        self.randbits = chance.getrandbits
        self.token_bytes = chance.randbytes


@contextmanager
def seeded(chance: random.Random) -> Iterator[None]:
    """Ids are drawn from `chance`, files are read in place, for as long as the block runs."""
    with (
        patch.object(ids, "secrets", SeededSecrets(chance)),
        patch.object(wiring, "Spreadsheets", OwnSpreadsheets),
    ):
        yield
