"""Imports as stored, and the drafts that they write."""

import json
from collections.abc import Sequence

from courtside.kernel.actor import Actor
from courtside.kernel.errors import Stale
from courtside.kernel.jobs import Freed, Job, JobState
from courtside.kernel.journal import Change, Entry, Json, Recorded
from courtside.modules.meals.contracts.canteens import Dish
from courtside.modules.meals.contracts.imports import Import, ImportKind, ImportState, RowFault
from courtside.modules.meals.contracts.menus import DraftDay, DraftLine
from courtside.modules.meals.errors import AlreadyTaken
from courtside.modules.meals.store.canteens import dish_item
from courtside.modules.meals.store.items import (
    DraftDayItem,
    DraftLineItem,
    ImportItem,
    TakenItem,
)
from courtside.platform import jobs
from courtside.platform.dynamo.database import Database, create, load, replace
from courtside.platform.dynamo.grants import still_granted
from courtside.platform.dynamo.values import Item, from_instant, instant

IMPORTS = "MEALS#IMPORTS"


class ImportStore:
    """An import is one item; what it drafts stands in a batch of its own until it is turned."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_import(self, court: str, import_id: str) -> Import | None:
        item = await self._database.of(court).get(ImportItem, IMPORTS, import_id)
        return None if item is None else _import(item)

    async def save_import(
        self,
        imported: Import,
        job: Job | None,
        entry: Entry,
        *,
        acting: Actor | None = None,
        locks_file: bool = False,
    ) -> Recorded | None:
        court = entry.command.court
        transaction = self._database.transaction(entry)
        for check in still_granted(acting) if acting is not None else ():
            transaction.add(check)
        transaction.add(replace(_item(court, imported), by="import"))
        if locks_file:
            transaction.add(create(_taken(court, imported), by="taken file"), explain=_taken_before)
        if job is not None:
            transaction.add(jobs.begin(job))
        return await transaction.commit()

    async def find_job(self, court: str, job_id: str) -> Job | None:
        return await jobs.JobStore(self._database).find(court, job_id)

    def free_import(self, court: str, imported: Import) -> Freed:
        write = replace(_item(court, imported), by="import")
        return Freed(changes=(Change.of(imported),), writes=(write,))

    async def end_import(
        self, imported: Import, drafts: Sequence[DraftDay], job: Job, report: Json, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        transaction.add(replace(_item(job.court, imported), by="import"))
        for draft in drafts:
            transaction.add(replace(_draft_day(job.court, draft), by="draft day"))
        transaction.add(jobs.end(job, JobState.DONE, report))
        return await transaction.commit()

    async def save_drafts(
        self, lines: Sequence[DraftLine], dishes: Sequence[Dish], job: Job, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        for line in lines:
            transaction.add(create(_draft_line(job, line), by="draft line"))
        for dish in dishes:
            transaction.add(replace(dish_item(job.court, dish), by="dish"))
        transaction.add(jobs.step(job))
        return await transaction.commit()


def _item(court: str, imported: Import) -> ImportItem:
    faults = [[f.sheet, f.address, f.zh, f.en] for f in imported.faults]
    return ImportItem(
        pk=f"{court}#{IMPORTS}",
        sk=imported.id,
        version=imported.version,
        kind=imported.kind.value,
        canteen=imported.canteen,
        state=imported.state.value,
        filename=imported.filename,
        sha256=imported.sha256,
        size=imported.size,
        requested_by=imported.requested_by,
        at=instant(imported.at),
        portions=imported.portions,
        rows=imported.rows,
        total=imported.total_fen,
        faults=json.dumps(faults, ensure_ascii=False, separators=(",", ":")),
        fault_count=imported.fault_count,
        annotated=imported.annotated,
        plan=imported.plan,
        job=imported.job,
        paid=imported.paid,
        taken_at=None if imported.taken_at is None else instant(imported.taken_at),
    )


def _taken(court: str, imported: Import) -> TakenItem:
    return TakenItem(
        pk=f"{court}#MEALS#TAKEN#{imported.kind.value}",
        sk=imported.sha256,
        imported=imported.id,
        at=instant(imported.taken_at or imported.at),
    )


def _taken_before(item: Item | None) -> Exception:
    """Who took the same file first says the lock itself."""
    if item is None:
        return Stale()
    taken = load(TakenItem, item)
    return AlreadyTaken(import_id=taken.imported, at=from_instant(taken.at))


def _import(item: ImportItem) -> Import:
    faults = (RowFault(sheet=s, address=a, zh=z, en=e) for s, a, z, e in json.loads(item.faults))
    return Import(
        id=item.sk,
        kind=ImportKind(item.kind),
        canteen=item.canteen,
        state=ImportState(item.state),
        filename=item.filename,
        sha256=item.sha256,
        size=int(item.size),
        file=item.sha256,
        requested_by=item.requested_by,
        at=from_instant(item.at),
        version=int(item.version),
        portions=None if item.portions is None else int(item.portions),
        rows=int(item.rows),
        total_fen=int(item.total),
        faults=tuple(faults),
        fault_count=int(item.fault_count),
        annotated=item.annotated,
        plan=item.plan,
        job=item.job,
        paid=int(item.paid),
        taken_at=None if item.taken_at is None else from_instant(item.taken_at),
    )


def _draft_day(court: str, draft: DraftDay) -> DraftDayItem:
    return DraftDayItem(
        pk=f"{court}#MEALS#DRAFTS#{draft.canteen}",
        sk=draft.date.isoformat(),
        version=draft.version,
        batches={period.value: batch for period, batch in draft.batches.items()},
    )


def _draft_line(job: Job, line: DraftLine) -> DraftLineItem:
    return DraftLineItem(
        pk=f"{job.court}#MEALS#DRAFT#{job.about['canteen']}#{job.id}",
        sk=f"{line.date.isoformat()}#{line.period.value}#{line.dish}",
        name=line.name,
        price=line.price_fen,
        planned=line.planned,
    )
