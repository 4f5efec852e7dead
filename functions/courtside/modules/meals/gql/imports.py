"""Spreadsheets in: menus for the kitchen, top-ups for finance."""

from datetime import datetime
from typing import Any

import strawberry

from courtside.kernel import files
from courtside.kernel.errors import NotFound, Refusal
from courtside.kernel.ids import decode, encode
from courtside.kernel.sheets import SheetProblem, UnreadableSheet
from courtside.modules.meals import errors
from courtside.modules.meals.contracts import imports as contracts
from courtside.modules.meals.contracts.imports import ImportKind, ImportState
from courtside.modules.meals.gql import ids
from courtside.modules.meals.service.imports import Imports
from courtside.platform.gql.commands import carry_out
from courtside.platform.gql.context import RequestContext
from courtside.platform.gql.payloads import (
    Info,
    Payload,
    UserError,
    mutation,
    query,
)
from courtside.platform.gql.scalars import Yuan

strawberry.enum(
    ImportState,
    description="导入状态 / UPLOADING → CHECKING → CHECKED or FAULTY → COMMITTING → COMMITTED.",
)
strawberry.enum(SheetProblem, description="文件为何无法读取 / Why a file cannot be read at all.")


@strawberry.type(description="表格中的一处问题 / What is wrong at one cell.")
class SheetFault:
    sheet: str = strawberry.field(description="工作表;整个文件的问题为空 / Empty: the whole file.")
    address: str = strawberry.field(description="单元格,如 B7 / The cell, for example B7.")
    zh: str
    en: str


@strawberry.type(description="限时下载地址 / Where to fetch a file, until before expiresAt.")
class FileDownload:
    url: str
    expires_at: datetime

    @staticmethod
    def of(download: files.Download) -> "FileDownload":
        return FileDownload(url=download.url, expires_at=download.expires_at)


@strawberry.type
class FileHeader:
    name: str
    value: str


@strawberry.type(
    description="上传地址:PUT 该文件并带上这些请求头 / PUT the file with these headers."
)
class FileUpload:
    url: str
    headers: list[FileHeader]
    expires_at: datetime

    @staticmethod
    def of(upload: files.Upload) -> "FileUpload":
        headers = [FileHeader(name=name, value=value) for name, value in upload.headers.items()]
        return FileUpload(url=upload.url, headers=headers, expires_at=upload.expires_at)


@strawberry.type(description="一次表格导入 / One uploaded spreadsheet and what came of it.")
class SheetImport:
    id: strawberry.ID
    state: ImportState
    filename: str
    sha256: str
    rows: int = strawberry.field(description="读到的行数(菜品或人员)/ Dishes or persons read.")
    total: Yuan | None = strawberry.field(description="充值总额;菜单为空 / Sum of top-ups.")
    fault_count: int
    faults: list[SheetFault] = strawberry.field(
        description="前 50 处问题;标注副本有前 1000 处 / The first 50; 1,000 in the copy."
    )
    annotated: FileDownload | None = strawberry.field(
        description="标注了问题的副本 / The copy with the faults at their cells."
    )
    job_id: strawberry.ID | None
    at: datetime

    @staticmethod
    def of(found: contracts.Import, context: RequestContext) -> "SheetImport":
        copy = context.get(Imports).grant_annotated(context.principal, found, now=context.now)
        is_menu = found.kind is ImportKind.MENU
        return SheetImport(
            id=import_id(found.id),
            state=found.state,
            filename=found.filename,
            sha256=found.sha256,
            rows=found.rows,
            total=None if is_menu else Yuan(found.total_fen),
            fault_count=found.fault_count,
            faults=[
                SheetFault(sheet=f.sheet, address=f.address, zh=f.zh, en=f.en) for f in found.faults
            ],
            annotated=None if copy is None else FileDownload.of(copy),
            job_id=None if found.job is None else ids.job_id(found.job),
            at=found.at,
        )


@strawberry.type(name="UnreadableSheet", description="文件无法读取 / The file cannot be read.")
class UnreadableSheetError(UserError):
    problem: SheetProblem

    @staticmethod
    def of(refusal: UnreadableSheet, **common: Any) -> "UnreadableSheetError":
        return UnreadableSheetError(problem=refusal.problem, **common)


@strawberry.type(description="同一份充值表已提交过 / The very list was committed before.")
class AlreadyTaken(UserError):
    import_id: strawberry.ID = strawberry.field(description="先前的导入 / The import that took it.")
    at: datetime

    @staticmethod
    def of(refusal: errors.AlreadyTaken, **common: Any) -> "AlreadyTaken":
        return AlreadyTaken(import_id=import_id(refusal.import_id), at=refusal.at, **common)


ERROR_TYPES: dict[type[Refusal], type[Any]] = {
    UnreadableSheet: UnreadableSheetError,
    errors.AlreadyTaken: AlreadyTaken,
}
_STARTING = (NotFound, files.FileTooLarge, UnreadableSheet)
_COMMITTING = (NotFound, errors.AnotherFile, errors.ImportNotChecked, files.FileMissing)


def import_id(found: str) -> strawberry.ID:
    return strawberry.ID(encode("SheetImport", found))


@strawberry.input
class StartMenuImportInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    filename: str
    sha256: str = strawberry.field(description="文件 SHA-256(小写十六进制)/ In lower-case hex.")
    size: int = strawberry.field(description="字节数,最多 5 MB / Bytes, at most 5 MB.")
    portions: int | None = strawberry.field(
        default=None,
        description="表中没有写份数时的默认份数 / Planned where the sheet gives no number.",
    )

    def request(self) -> contracts.StartImport:
        return contracts.StartImport(
            kind=ImportKind.MENU,
            canteen=ids.to_canteen(self.canteen_id),
            filename=self.filename,
            sha256=self.sha256,
            size=self.size,
            portions=self.portions,
        )


@strawberry.input
class StartTopUpImportInput:
    idempotency_key: str
    filename: str
    sha256: str
    size: int

    def request(self) -> contracts.StartImport:
        return contracts.StartImport(
            kind=ImportKind.TOP_UP,
            canteen="",
            filename=self.filename,
            sha256=self.sha256,
            size=self.size,
        )


@strawberry.input
class CheckImportInput:
    idempotency_key: str
    import_id: strawberry.ID

    def request(self, kind: ImportKind) -> contracts.CheckImport:
        (found,) = decode("SheetImport", self.import_id, path=("input", "importId"))
        return contracts.CheckImport(kind=kind, import_id=found)


@strawberry.input
class CommitImportInput:
    idempotency_key: str
    import_id: strawberry.ID
    sha256: str = strawberry.field(description="检查过的那个文件 / The file that was checked.")

    def request(self, kind: ImportKind) -> contracts.CommitImport:
        (found,) = decode("SheetImport", self.import_id, path=("input", "importId"))
        return contracts.CommitImport(kind=kind, import_id=found, sha256=self.sha256)


@strawberry.type
class StartMenuImportPayload(Payload):
    menu_import: SheetImport | None = None
    upload: FileUpload | None = None


@strawberry.type
class CheckMenuImportPayload(Payload):
    menu_import: SheetImport | None = None


@strawberry.type
class CommitMenuImportPayload(Payload):
    menu_import: SheetImport | None = None


@strawberry.type
class StartTopUpImportPayload(Payload):
    top_up_import: SheetImport | None = None
    upload: FileUpload | None = None


@strawberry.type
class CheckTopUpImportPayload(Payload):
    top_up_import: SheetImport | None = None


@strawberry.type
class CommitTopUpImportPayload(Payload):
    top_up_import: SheetImport | None = None


@strawberry.type
class Query:
    @query(
        "meals.get_menu_import", description="菜单导入进度与问题 / A menu import and its faults."
    )
    async def menu_import(self, info: Info, import_id: strawberry.ID) -> SheetImport:
        return await _show(info.context, import_id, ImportKind.MENU)

    @query("meals.get_top_up_import", description="充值导入进度与问题 / A top-up import.")
    async def top_up_import(self, info: Info, import_id: strawberry.ID) -> SheetImport:
        return await _show(info.context, import_id, ImportKind.TOP_UP)

    @query("meals.get_menu_import", description="菜单模板 / The workbook for menus, to fill in.")
    async def menu_template(self, info: Info) -> FileDownload:
        return await _template(info.context, ImportKind.MENU)

    @query("meals.get_top_up_import", description="充值模板 / The workbook for top-ups.")
    async def top_up_template(self, info: Info) -> FileDownload:
        return await _template(info.context, ImportKind.TOP_UP)


@strawberry.type
class Mutation:
    @mutation(
        "meals.start_menu_import",
        refuses=_STARTING,
        description="登记一份菜单并取得上传地址 / Announce a menu's file; answers where to put it.",
    )
    async def start_menu_import(
        self, info: Info, input: StartMenuImportInput
    ) -> StartMenuImportPayload:
        context = info.context
        use_case = context.get(Imports).start_import
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return StartMenuImportPayload(
            menu_import=SheetImport.of(done.value.imported, context),
            upload=FileUpload.of(done.value.upload),
            replayed=done.replayed,
        )

    @mutation(
        "meals.check_menu_import",
        refuses=(NotFound, errors.ImportBusy),
        description="检查已上传的菜单,不改动任何数据 / Dry run: read the file, take nothing of it.",
    )
    async def check_menu_import(
        self, info: Info, input: CheckImportInput
    ) -> CheckMenuImportPayload:
        context = info.context
        request = input.request(ImportKind.MENU)
        use_case = context.get(Imports).check_import
        done = await carry_out(info, use_case, input.idempotency_key, request)
        shown = SheetImport.of(done.value, context)
        return CheckMenuImportPayload(menu_import=shown, replayed=done.replayed)

    @mutation(
        "meals.commit_menu_import",
        refuses=_COMMITTING,
        description="导入检查过的菜单为草稿,覆盖所含日期原有的草稿 / "
        "Make the checked file the draft of its days, in place of what was drafted for them.",
    )
    async def commit_menu_import(
        self, info: Info, input: CommitImportInput
    ) -> CommitMenuImportPayload:
        context = info.context
        use_case = context.get(Imports).commit_import
        done = await carry_out(
            info, use_case, input.idempotency_key, input.request(ImportKind.MENU)
        )
        shown = SheetImport.of(done.value, context)
        return CommitMenuImportPayload(menu_import=shown, replayed=done.replayed)

    @mutation(
        "meals.start_top_up_import",
        refuses=_STARTING,
        description="登记一份充值表并取得上传地址 / Announce a list of top-ups.",
    )
    async def start_top_up_import(
        self, info: Info, input: StartTopUpImportInput
    ) -> StartTopUpImportPayload:
        context = info.context
        use_case = context.get(Imports).start_import
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return StartTopUpImportPayload(
            top_up_import=SheetImport.of(done.value.imported, context),
            upload=FileUpload.of(done.value.upload),
            replayed=done.replayed,
        )

    @mutation(
        "meals.check_top_up_import",
        refuses=(NotFound, errors.ImportBusy),
        description="检查充值表,不动任何款项 / Dry run: no money moves.",
    )
    async def check_top_up_import(
        self, info: Info, input: CheckImportInput
    ) -> CheckTopUpImportPayload:
        context = info.context
        use_case = context.get(Imports).check_import
        done = await carry_out(
            info, use_case, input.idempotency_key, input.request(ImportKind.TOP_UP)
        )
        shown = SheetImport.of(done.value, context)
        return CheckTopUpImportPayload(top_up_import=shown, replayed=done.replayed)

    @mutation(
        "meals.commit_top_up_import",
        refuses=(*_COMMITTING, errors.AlreadyTaken),
        description="按检查过的充值表入账 / Move the money of the checked list into wallets.",
    )
    async def commit_top_up_import(
        self, info: Info, input: CommitImportInput
    ) -> CommitTopUpImportPayload:
        context = info.context
        use_case = context.get(Imports).commit_import
        done = await carry_out(
            info, use_case, input.idempotency_key, input.request(ImportKind.TOP_UP)
        )
        shown = SheetImport.of(done.value, context)
        return CommitTopUpImportPayload(top_up_import=shown, replayed=done.replayed)


async def _show(context: RequestContext, opaque: str, kind: ImportKind) -> SheetImport:
    (found,) = decode("SheetImport", opaque, path=("importId",))
    imported = await context.get(Imports).get_import(
        context.principal, found, kind, now=context.now
    )
    return SheetImport.of(imported, context)


async def _template(context: RequestContext, kind: ImportKind) -> FileDownload:
    service = context.get(Imports)
    return FileDownload.of(await service.grant_template(context.principal, kind, now=context.now))
