"""Imports: a file is announced and uploaded, checked by a dry run, and taken by its hash."""

from asyncio import gather
from dataclasses import dataclass
from datetime import datetime

from courtside.kernel.actor import Actor, Actors, Principal, permit
from courtside.kernel.errors import NotFound
from courtside.kernel.files import Download, Files, Upload
from courtside.kernel.ids import new_id
from courtside.kernel.jobs import Job, children_of, new_job
from courtside.kernel.journal import Change, Command, Done, Entry, Journal, Recorded, Result, entry
from courtside.kernel.usecase import decides_again, permit_replay
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.imports import (
    CheckImport,
    CommitImport,
    Import,
    ImportKind,
    ImportState,
    StartImport,
)
from courtside.modules.meals.ports import CanteenStore, ImportStore, Spreadsheets
from courtside.modules.meals.rules import PERMITS
from courtside.modules.meals.rules import imports as rules
from courtside.modules.meals.rules.menu_sheets import MENU_TEMPLATE
from courtside.modules.meals.rules.topup_sheets import TOP_UP_TEMPLATE
from courtside.modules.meals.service.wallets import ROWS_A_CHILD

CHECK, MENU, TOP_UP = "meals.check_import", "meals.import", "meals.top_up"
_WORD = {ImportKind.MENU: "menu", ImportKind.TOP_UP: "top_up"}
_TEMPLATES = {ImportKind.MENU: MENU_TEMPLATE, ImportKind.TOP_UP: TOP_UP_TEMPLATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A new import and where its file goes."""

    imported: Import
    upload: Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """Spreadsheets in: menus for the kitchen, top-ups for finance."""

    store: ImportStore
    canteens: CanteenStore
    journal: Journal
    actors: Actors
    files: Files
    spreadsheets: Spreadsheets

    @decides_again
    async def start_import(
        self, principal: Principal, request: StartImport, *, key: str, now: datetime
    ) -> Done[Started]:
        """Announce a file by its hash and size, and get leave to upload exactly that file.

        Refusals: NotFound, InvalidInput, FileTooLarge, UnreadableSheet.
        """
        command = _command(principal, "start", request.kind, key, request)
        recorded, actor = await gather(
            self.journal.recall(command), self.actors.get_actor(principal)
        )
        if recorded is not None:
            return await self._started_before(actor, recorded, request.kind, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        if request.kind is ImportKind.MENU:
            await self._get_canteen(principal.court, request.canteen)
        imported = rules.start(request, import_id=new_id(now), person=actor.person, now=now)
        upload = self._upload(principal, imported, now=now)
        raced = await self.store.save_import(imported, None, _entry(command, imported, now))
        if raced is not None:
            return await self._started_before(actor, raced, request.kind, now=now)
        return Done(value=Started(imported=imported, upload=upload))

    @decides_again
    async def check_import(
        self, principal: Principal, request: CheckImport, *, key: str, now: datetime
    ) -> Done[Import]:
        """Read the uploaded file without taking anything of it, as a job.

        Refusals: NotFound, ImportBusy.
        """
        command = _command(principal, "check", request.kind, key, request)
        recorded, actor, found = await gather(
            self.journal.recall(command),
            self.actors.get_actor(principal),
            self.store.find_import(principal.court, request.import_id),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, request.kind, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        found = rules.known(found, request.kind)
        going = await self._set_going_again(actor, found, ImportState.CHECKING, now=now)
        if going is not None:
            found, stuck = going
            raced = await self.store.save_import(found, None, _entry(command, found, now, stuck))
        else:
            job = _job(command, CHECK, found, 0, now=now)
            found = rules.begin_check(found, job=job.id)
            raced = await self.store.save_import(found, job, _entry(command, found, now, job))
        if raced is not None:
            return await self._replayed(actor, raced, request.kind, now=now)
        return Done(value=found)

    @decides_again
    async def commit_import(
        self, principal: Principal, request: CommitImport, *, key: str, now: datetime
    ) -> Done[Import]:
        """Take the checked file, named by its hash, as a job: a menu becomes the draft of its days,
        top-ups go to their wallets.

        Refusals: NotFound, AnotherFile, ImportNotChecked, FileMissing, AlreadyTaken for a list of
        top-ups that was committed before under another import.
        """
        command = _command(principal, "commit", request.kind, key, request)
        recorded, actor, found = await gather(
            self.journal.recall(command),
            self.actors.get_actor(principal),
            self.store.find_import(principal.court, request.import_id),
        )
        if recorded is not None:
            return await self._replayed(actor, recorded, request.kind, now=now)
        permit(actor, PERMITS, command.operation, now=now)
        found = rules.known(found, request.kind)
        rules.same_file(found, request)
        going = await self._set_going_again(actor, found, ImportState.COMMITTING, now=now)
        if going is not None:
            found, stuck = going
            told = _entry(command, found, now, stuck)
            raced = await self.store.save_import(found, None, told, acting=_payer(actor, found))
        else:
            found, raced = await self._commit(command, actor, found, now=now)
        if raced is not None:
            return await self._replayed(actor, raced, request.kind, now=now)
        return Done(value=found)

    async def get_import(
        self, principal: Principal, import_id: str, kind: ImportKind, *, now: datetime
    ) -> Import:
        """How an import stands: counts, the first faults. Refusals: NotFound."""
        actor, found = await gather(
            self.actors.get_actor(principal), self.store.find_import(principal.court, import_id)
        )
        permit(actor, PERMITS, _reading(kind), now=now)
        return rules.known(found, kind, path=("importId",))

    def grant_annotated(
        self, principal: Principal, imported: Import, *, now: datetime
    ) -> Download | None:
        """Where to fetch the copy that has the faults at their cells, if there are any."""
        if imported.annotated is None:
            return None
        name = f"{imported.filename.rpartition('.')[0] or imported.filename}-检查结果.xlsx"
        return self.files.grant_download(principal.court, imported.annotated, name=name, now=now)

    async def grant_template(
        self, principal: Principal, kind: ImportKind, *, now: datetime
    ) -> Download:
        """Where to fetch the workbook to fill in."""
        actor = await self.actors.get_actor(principal)
        permit(actor, PERMITS, _reading(kind), now=now)
        template = _TEMPLATES[kind]
        data = await self.spreadsheets.template(template)
        file_id = await self.files.put(principal.court, data)
        name = f"{template.title.zh}.xlsx"
        return self.files.grant_download(principal.court, file_id, name=name, now=now)

    async def _commit(
        self, command: Command, actor: Actor, found: Import, *, now: datetime
    ) -> tuple[Import, Recorded | None]:
        job, is_first = _commit_job(command, found, now=now), found.taken_at is None
        taken = rules.begin_commit(found, job=job.id, now=now)
        await self.files.read(actor.court, taken.plan or "")  # a job cannot ask for it
        told = _entry(command, taken, now, job)
        payer = _payer(actor, taken)
        locks = is_first and payer is not None
        raced = await self.store.save_import(taken, job, told, acting=payer, locks_file=locks)
        return taken, raced

    async def _set_going_again(
        self, actor: Actor, found: Import, state: ImportState, *, now: datetime
    ) -> tuple[Import, Job] | None:
        """The import and its job if that has stopped on its way."""
        if found.state is not state or found.job is None:
            return None
        job = await self.store.find_job(actor.court, found.job)
        return rules.set_going_again(found, job, now=now)

    def _upload(self, principal: Principal, imported: Import, *, now: datetime) -> Upload:
        return self.files.grant_upload(
            principal.court, sha256=imported.sha256, size=imported.size, now=now
        )

    async def _get_canteen(self, court: str, canteen: str) -> None:
        if await self.canteens.find_canteen(court, canteen) is None:
            raise NotFound(kind=errors.CANTEEN, path=("input", "canteenId"))

    async def _started_before(
        self, actor: Actor, recorded: Recorded, kind: ImportKind, *, now: datetime
    ) -> Done[Started]:
        """The import as it is now, with a fresh leave to upload its file."""
        done = await self._replayed(actor, recorded, kind, now=now)
        upload = self._upload(actor.principal, done.value, now=now)
        return done.showing(Started(imported=done.value, upload=upload))

    async def _replayed(
        self, actor: Actor, recorded: Recorded, kind: ImportKind, *, now: datetime
    ) -> Done[Import]:
        """The import as it is now, to whoever may see it."""
        permit_replay(actor, PERMITS, _reading(kind), now=now)
        stored = await self.store.find_import(actor.court, recorded.result.id)
        return Done(value=rules.known(stored, kind), replayed=True, outcome=recorded.result.outcome)


def _reading(kind: ImportKind) -> str:
    return f"meals.get_{_WORD[kind]}_import"


def _command(
    principal: Principal, verb: str, kind: ImportKind, key: str, request: object
) -> Command:
    operation = f"meals.{verb}_{_WORD[kind]}_import"
    return Command(principal=principal, operation=operation, key=key, request=request)


def _commit_job(command: Command, found: Import, *, now: datetime) -> Job:
    is_menu = found.kind is ImportKind.MENU
    a_child = rules.ROWS_A_CHILD if is_menu else ROWS_A_CHILD
    kind, children = MENU if is_menu else TOP_UP, children_of(found.rows, a_child=a_child)
    return _job(command, kind, found, children, cursor=found.paid, now=now)


def _payer(actor: Actor, found: Import) -> Actor | None:
    """Who moves other people's money, and must still be granted it when that is written."""
    return actor if found.kind is ImportKind.TOP_UP else None


def _job(
    command: Command, kind: str, found: Import, children: int, *, cursor: int = 0, now: datetime
) -> Job:
    about = {"import": found.id, "canteen": found.canteen, "plan": found.plan or ""}
    return new_job(command, kind, children=children, cursor=cursor, about=about, now=now)


def _entry(command: Command, imported: Import, now: datetime, job: Job | None = None) -> Entry:
    return entry(
        command,
        now=now,
        result=Result(kind="Import", id=imported.id, version=imported.version),
        changes=(Change.of(imported),),
        job=None if job is None else job.name,
    )
