"""The jobs behind imports: the dry run, the drafts of a menu, the top-ups of wallets.

Each step is a use case of `system:meals` under its job's key; running one again changes nothing.
"""

import json
from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from courtside.kernel.actor import PersonStatus
from courtside.kernel.errors import Refusal
from courtside.kernel.files import FileMissing, Files, FileTooLarge
from courtside.kernel.jobs import Freed, Job, child_command
from courtside.kernel.journal import Change, Command, Entry, Fact, Journal, Result, entry
from courtside.kernel.sheets import MAX_BYTES, CellError, UnreadableSheet
from courtside.kernel.usecase import decides_again
from courtside.modules.meals import events
from courtside.modules.meals.contracts.imports import Import, ImportKind, RowFault
from courtside.modules.meals.ports import CanteenStore, ImportStore, MenuStore, Spreadsheets
from courtside.modules.meals.rules import imports as rules
from courtside.modules.meals.rules import topup_sheets
from courtside.modules.meals.rules.menu_sheets import read_menu
from courtside.modules.meals.service.wallets import ROWS_A_CHILD, Wallets
from courtside.modules.people.service import People

STAFF_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a dry run found: the plan, or what is wrong with the file."""

    rows: int
    plan: bytes = b""
    total_fen: int = 0
    errors: Sequence[CellError] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """`meals.check_import`: one step without children; nothing but the import itself changes."""

    store: ImportStore
    canteens: CanteenStore
    people: People
    journal: Journal
    files: Files
    spreadsheets: Spreadsheets

    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:  # noqa: ARG002
        """There is none."""
        raise LookupError(f"{job.name} has no child {n}")

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Read the file and keep what it comes to: a plan, or faults and the annotated copy."""
        command = child_command(job, 0)
        recorded, found = await gather(
            self.journal.recall(command), self.store.find_import(job.court, job.about["import"])
        )
        if recorded is not None or found is None:
            return
        try:
            data = await self.files.read(job.court, found.file, limit=MAX_BYTES)
            ended = await self._check(job, found, data, now=now)
        except (UnreadableSheet, FileMissing, FileTooLarge) as refusal:
            ended = rules.faulty(found, rows=0, faults=[_whole_file(refusal)], annotated=None)
        report = {"state": ended.state.value, "rows": ended.rows, "faults": ended.fault_count}
        await self.store.end_import(ended, (), job, report, _entry(command, ended, now))

    async def free(self, job: Job) -> Freed:
        """The import, to be checked again."""
        return await _freed(self.store, job)

    async def _check(self, job: Job, found: Import, data: bytes, *, now: datetime) -> Import:
        read = await (
            self._read_menu(job.court, found, data, now=now)
            if found.kind is ImportKind.MENU
            else self._read_top_ups(job.court, data)
        )
        if read.errors:
            copy = await self.spreadsheets.annotate(data, errors=read.errors[: rules.MARKED_FAULTS])
            annotated = await self.files.put(job.court, copy)
            faults = rules.faults_of(read.errors)
            return rules.faulty(found, rows=read.rows, faults=faults, annotated=annotated)
        plan = await self.files.put(job.court, read.plan)
        return rules.checked(found, plan=plan, rows=read.rows, total_fen=read.total_fen)

    async def _read_menu(self, court: str, found: Import, data: bytes, *, now: datetime) -> _Read:
        sheets, dishes = await gather(
            self.spreadsheets.read(data), self.canteens.list_dishes(court, found.canteen)
        )
        menu = read_menu(sheets, dishes=dishes, portions=found.portions, now=now)
        wrong = (*menu.errors, *rules.check_days(menu.rows, now=now))
        return _Read(rows=len(menu.rows), plan=rules.menu_plan(menu.rows), errors=wrong)

    async def _read_top_ups(self, court: str, data: bytes) -> _Read:
        parsed = topup_sheets.read_top_ups(await self.spreadsheets.read(data))
        persons = await self._persons(court, [row.staff_no for row in parsed.rows])
        unknown = topup_sheets.unknown_staff(parsed.rows, persons.__contains__)
        plan = [[persons[row.staff_no], row.fen] for row in parsed.rows if row.staff_no in persons]
        return _Read(
            rows=len(parsed.rows),
            plan=json.dumps(plan, separators=(",", ":")).encode(),
            total_fen=parsed.total_fen,
            errors=(*parsed.errors, *unknown),
        )

    async def _persons(self, court: str, staff_nos: Sequence[str]) -> dict[str, str]:
        """Ids by staff number, of those who have not left."""
        wanted = sorted(set(staff_nos))
        persons: dict[str, str] = {}
        for at in range(0, len(wanted), STAFF_AT_ONCE):
            numbers = wanted[at : at + STAFF_AT_ONCE]
            found = await self.people.find_persons_by_staff_no(court, numbers)
            here = {n: p.id for n, p in found.items() if p.status is not PersonStatus.LEFT}
            persons.update(here)
        return persons


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """`meals.import`: lines are written into a batch that nobody reads, then the days turn."""

    store: ImportStore
    menus: MenuStore
    journal: Journal
    files: Files

    @decides_again
    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """Draft at most nine lines, with the dishes that are new."""
        command, canteen = child_command(job, n), str(job.about["canteen"])
        recorded, plan = await gather(
            self.journal.recall(command), self.files.read(job.court, job.about["plan"])
        )
        if recorded is not None:
            return
        planned = rules.chunk_of_plan(plan, n, canteen)
        ids = sorted({dish.id for _, dish in planned})
        existing = await self.menus.find_dishes(job.court, canteen, ids)
        dishes = rules.dishes_to_write(planned, existing)
        changes = tuple(Change.of(dish) for dish in dishes)
        told = entry(command, now=now, result=Result(kind="Job", id=job.id), changes=changes)
        await self.store.save_drafts([line for line, _ in planned], dishes, job, told)

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Turn the drafts of all meals to this import at once."""
        command, canteen = child_command(job, job.children), str(job.about["canteen"])
        recorded, plan, found = await gather(
            self.journal.recall(command),
            self.files.read(job.court, job.about["plan"]),
            self.store.find_import(job.court, job.about["import"]),
        )
        if recorded is not None or found is None:
            return
        meals = rules.meals_of_plan(plan)
        before = await self.menus.find_draft_days(job.court, canteen, list(meals))
        drafts = rules.turned(meals, before, canteen=canteen, batch=job.id)
        ended = rules.committed(found)
        report = {"rows": found.rows, "days": [day.isoformat() for day in meals]}
        await self.store.end_import(ended, drafts, job, report, _entry(command, ended, now))

    async def free(self, job: Job) -> Freed:
        """The import, to be committed again."""
        return await _freed(self.store, job)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppingUp:
    """`meals.top_up`: each child moves money into at most eight wallets."""

    store: ImportStore
    wallets: Wallets
    journal: Journal
    files: Files

    async def run_child(self, job: Job, n: int, *, now: datetime) -> None:
        """The rows of child `n` into their wallets."""
        rows = json.loads(await self.files.read(job.court, job.about["plan"]))
        at = n * ROWS_A_CHILD
        chunk = [(str(person), int(fen)) for person, fen in rows[at : at + ROWS_A_CHILD]]
        await self.wallets.top_up(job, n, chunk, now=now)

    @decides_again
    async def finish(self, job: Job, *, now: datetime) -> None:
        """Say that finance's list was carried out whole."""
        command = child_command(job, job.children)
        recorded, found = await gather(
            self.journal.recall(command), self.store.find_import(job.court, job.about["import"])
        )
        if recorded is not None or found is None:
            return
        ended = rules.committed(found)
        fact = events.WalletsToppedUp(
            aggregate=ended.aggregate,
            version=ended.version,
            rows=found.rows,
            total=found.total_fen,
        )
        told = _entry(command, ended, now, Fact.of(fact))
        await self.store.end_import(ended, (), job, {"rows": found.rows}, told)

    async def free(self, job: Job) -> Freed:
        """The import, to be committed again; it goes on after what was paid."""
        return await _freed(self.store, job)


async def _freed(store: ImportStore, job: Job) -> Freed:
    found = await store.find_import(job.court, job.about["import"])
    if found is None or found.job != job.id:
        return Freed()
    return store.free_import(job.court, rules.freed(found, job))


def _entry(command: Command, imported: Import, now: datetime, *facts: Fact) -> Entry:
    return entry(
        command,
        now=now,
        result=Result(kind="Import", id=imported.id, version=imported.version),
        changes=(Change.of(imported),),
        facts=facts,
    )


def _whole_file(refusal: Refusal) -> RowFault:
    """What is wrong with a file that has no cells."""
    return RowFault(sheet="", address="", zh=refusal.message("zh"), en=refusal.message("en"))
