"""Who calls from the command line, and the server that is called."""

import sys
from datetime import datetime
from typing import Any, NoReturn

from infra.local.clock import RunningClock
from infra.local.data import DataFolder, read_json
from infra.local.issuer import DevelopmentIssuer
from infra.local.settings import COURTS

FIRST_COURT = COURTS[0]


def signed(folder: DataFolder, name: str, *, court: str | None, client: str | None) -> str:
    """A token for a day of somebody known by name (of `court`, if given), or of that subject."""
    people = read_json(folder.people) or {}
    who = people.get(f"{name}@{court}" if court else name)
    who = who or {"court": court or FIRST_COURT, "subject": name}
    issuer = DevelopmentIssuer.kept_in(folder.issuer)
    now: datetime = RunningClock(folder.clock).now()
    return issuer.token(who["subject"], court=who["court"], now=now, client=client or "web")


def names(folder: DataFolder) -> str:
    """Whom the folder knows by a name, for a reader who has to choose."""
    known = sorted(read_json(folder.people) or {})
    if read_json(folder.demo) is not None:
        from infra.demo.people import ROLES

        known += [*ROLES, "0001"]
    return "|".join(known) or "<subject>"


def running(folder: DataFolder) -> dict[str, Any]:
    """What the server on this folder says of itself; ends the command if there is none."""
    told: dict[str, Any] | None = read_json(folder.running)
    return told or stop("start it first: make run / 请先运行 make run")


def stop(line: str) -> NoReturn:
    """End the command with one line that says why."""
    print(f"!! {line}", file=sys.stderr)
    raise SystemExit(1)
