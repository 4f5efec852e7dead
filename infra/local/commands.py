"""The commands beside `make run`: url, token, clock, court, reconcile, redrive, verify."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from infra.local.callers import running, signed_in, stop
from infra.local.clock import Backwards, RunningClock, parse, shown
from infra.local.data import DataFolder, read_json, write_json
from infra.local.settings import COURTS, STAGE, local_settings

from courtside import bootstrap
from courtside.kernel.errors import Refusal
from courtside.modules.people.contracts import CourtLevel, CreateCourt
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.observability import Observer
from courtside.platform.queues import LocalQueues
from courtside.platform.reconcile import Reconciler
from courtside.platform.verify import Verifier

_STAFF_NO = "A0001"  # of a new court's first administrator


def url(folder: DataFolder) -> None:
    """Print the address of the running API."""
    print(running(folder)["url"])


def token(folder: DataFolder) -> None:
    """Print a token for a day: AS= a known name, or SUBJECT=; COURT= and CLIENT= if others."""
    print(signed_in(folder))


def clock(folder: DataFolder) -> None:
    """Show the clock, or move it forward to AT=."""
    moving = RunningClock(folder.clock)
    wanted = os.environ.get("AT")
    if wanted:
        folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            moving.move(_instant(wanted))
        except Backwards:
            stop(f"the clock only moves forward; it is {shown(moving.now())} / 时钟只能向前拨")
    print(shown(moving.now()))


def court(folder: DataFolder) -> None:
    """Create the court NAME= (CODE= if not the next free one) with its first administrator."""
    name = os.environ.get("NAME") or stop("say its name: make court NAME=东江市中级人民法院")
    asyncio.run(_create_court(folder, name))


def reconcile(folder: DataFolder) -> None:
    """Compare every balance with the sum of its movements; exits with 1 at any finding."""
    asyncio.run(_reconcile(folder, os.environ.get("COURT") or None))


def verify(folder: DataFolder) -> None:
    """Compare the journal with its seals, from SINCE= or the court's first day on; exits with 1 at
    any finding."""
    wanted = os.environ.get("SINCE")
    since = _day(wanted) if wanted else None
    asyncio.run(_verify(folder, os.environ.get("COURT") or None, since))


def redrive(folder: DataFolder) -> None:
    """Let what failed in all its attempts be tried again; a running server takes it up at once."""
    if not folder.queues.is_file():
        stop("nothing has run here yet / 这里还没有运行过")
    queues = LocalQueues(folder.queues, RunningClock(folder.clock))
    try:
        print(f"{queues.redrive()} messages are tried again")
    finally:
        queues.close()


async def _create_court(folder: DataFolder, name: str) -> None:
    async with _app(folder) as app:
        code = os.environ.get("CODE") or _next(await app.courts())
        wanted = CreateCourt(
            name=name,
            level=CourtLevel(os.environ.get("LEVEL") or "INTERMEDIATE"),
            administrator_name="管理员",
            administrator_staff_no=_STAFF_NO,
        )
        await app.create_court(code, wanted)
    who = {"court": code, "subject": _STAFF_NO}
    known = read_json(folder.people) or {}
    write_json(folder.people, {"administrator": who, **known, f"administrator@{code}": who})
    print(f"{code} {name}: make -s token AS=administrator COURT={code}")


async def _reconcile(folder: DataFolder, only: str | None) -> None:
    found = 0
    async with _app(folder) as app:
        signals = Observer(stage=STAGE, level="ERROR")
        reconciler = Reconciler(app.database, clock=app.clock, signals=signals)
        for code, since in (await app.courts()).items():
            if only in (None, code):
                report = await reconciler.reconcile(code, since=since, lines_since=since)
                found += len(report.findings)
                print(
                    f"{code}: {report.entries} entries, {report.accounts} accounts, "
                    f"{len(report.findings)} findings"
                )
                for finding in report.findings:
                    print("  ", *asdict(finding).values())
    if found:
        raise SystemExit(1)


async def _verify(folder: DataFolder, only: str | None, since: date | None) -> None:
    found = 0
    async with _app(folder) as app:
        signals = Observer(stage=STAGE, level="ERROR")
        vault = app.foundation.vault
        verifier = Verifier(app.database, vault, clock=app.clock, signals=signals)
        for code, founded in (await app.courts()).items():
            if only in (None, code):
                report = await verifier.verify(code, first=max(since or founded, founded))
                found += len(report.findings)
                print(
                    f"{code}: {report.entries} entries in {report.seals} seals, "
                    f"{report.pending} not sealed yet, {len(report.findings)} findings"
                )
                for finding in report.findings:
                    print("  ", *asdict(finding).values())
    if found:
        raise SystemExit(1)


@asynccontextmanager
async def _app(folder: DataFolder) -> AsyncIterator[bootstrap.App]:
    """The application on the tables of the running server."""
    settings = local_settings(folder, endpoint=running(folder)["tables"])
    engine = DynamoEngine(settings)
    try:
        yield bootstrap.build(settings, clock=RunningClock(folder.clock), engine=engine)
    finally:
        await engine.close()


def _next(taken: Mapping[str, Any]) -> str:
    return next((code for code in COURTS if code not in taken), None) or stop("no code is left")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(f"not a date: {text}; for example SINCE=2026-03-02")


def _instant(text: str) -> datetime:
    try:
        return parse(text)
    except ValueError:
        stop(f"not a time: {text}; for example AT=2026-03-02T09:30+08:00")


COMMANDS = {each.__name__: each for each in (url, token, clock, court, reconcile, redrive, verify)}

if __name__ == "__main__":
    try:
        COMMANDS[sys.argv[1]](DataFolder.chosen())
    except Refusal as refusal:
        stop(f"{refusal.message('zh')} / {refusal.message('en')}")
