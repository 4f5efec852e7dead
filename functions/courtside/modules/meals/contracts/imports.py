"""Imports of menus and top-ups: an uploaded file, its dry run, its commit by hash."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from courtside.kernel.journal import aggregate


class ImportKind(StrEnum):
    MENU = "MENU"
    TOP_UP = "TOP_UP"


class ImportState(StrEnum):
    """UPLOADING → CHECKING → CHECKED or FAULTY → COMMITTING → COMMITTED."""

    UPLOADING = "UPLOADING"
    CHECKING = "CHECKING"
    CHECKED = "CHECKED"
    FAULTY = "FAULTY"
    COMMITTING = "COMMITTING"
    COMMITTED = "COMMITTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """What is wrong at one cell, for example `B7`; sheet by its name."""

    sheet: str
    address: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One uploaded file and what came of it. `canteen` is empty for top-ups; `annotated` is the
    file id of the copy that has the faults beside their cells, `plan` that of the rows as the dry
    run understood them, which is what a commit carries out.

    `portions` is planned for dishes whose cell says no number. `total_fen` sums up top-ups, of
    which `paid` children were carried out by a job that was stopped: the next one goes on there.
    `taken_at` is when it was first committed.
    """

    id: str
    kind: ImportKind
    canteen: str
    state: ImportState
    filename: str
    sha256: str
    size: int
    file: str
    requested_by: str
    at: datetime
    version: int
    portions: int | None = None
    rows: int = 0
    total_fen: int = 0
    faults: tuple[RowFault, ...] = ()
    fault_count: int = 0
    annotated: str | None = None
    plan: str | None = None
    job: str | None = None
    paid: int = 0
    taken_at: datetime | None = None

    @property
    def aggregate(self) -> str:
        return aggregate("Import", self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartImport:
    kind: ImportKind
    canteen: str
    filename: str
    sha256: str
    size: int
    portions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckImport:
    kind: ImportKind
    import_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitImport:
    """Take the checked file, named by its hash."""

    kind: ImportKind
    import_id: str
    sha256: str
