"""Who calls from the command line, and the server that is called."""

import os
import sys
from datetime import datetime
from typing import Any, NoReturn

from infra.local.clock import RunningClock
from infra.local.data import DataFolder, read_json
from infra.local.issuer import DevelopmentIssuer
from infra.local.settings import COURTS

from courtside.kernel.actor import Role

FIRST_COURT = COURTS[0]


def signed_in(folder: DataFolder) -> str:
    """A token for a day of AS=, a name that the folder knows (of COURT=, if given), or of SUBJECT=,
    anybody's name at sign-in; CLIENT= if another. Ends the command for a name that is nobody's."""
    court, subject = os.environ.get("COURT") or None, os.environ.get("SUBJECT")
    if subject:
        who = {"court": court or FIRST_COURT, "subject": subject}
    else:
        who = _known(folder, os.environ.get("AS") or "", court)
    issuer = DevelopmentIssuer.kept_in(folder.issuer)
    now: datetime = RunningClock(folder.clock).now()
    client = os.environ.get("CLIENT") or "web"
    return issuer.token(who["subject"], court=who["court"], now=now, client=client)


def caller() -> str:
    """What AS= or SUBJECT= says, for a reader."""
    subject, name = os.environ.get("SUBJECT"), os.environ.get("AS")
    return f"SUBJECT={subject}" if subject else f"AS={name or ''}"


def names(folder: DataFolder) -> list[tuple[str, str]]:
    """Whom the folder knows by a name, each with the role."""
    known = [(name, Role.ADMINISTRATOR.value) for name in sorted(read_json(folder.people) or {})]
    if read_json(folder.demo) is None:
        return known
    from infra.demo.people import ROLES, numbers

    roles = [(name, (role or Role.MEMBER).value) for name, role in ROLES.items()]
    others = [number for number in numbers() if number not in ROLES]
    return [*known, *roles, *((number, Role.MEMBER.value) for number in others)]


def _known(folder: DataFolder, name: str, court: str | None) -> dict[str, str]:
    people: dict[str, dict[str, str]] = read_json(folder.people) or {}
    found = people.get(f"{name}@{court}" if court else name)
    if found is not None:
        return found
    known = names(folder)
    if court in (None, FIRST_COURT) and name in dict(known):
        return {"court": FIRST_COURT, "subject": name}
    asked = f"nobody is called {name}{f' in {court}' if court else ''}" if name else "say who"
    lines = [f"   AS={who:14} {role}" for who, role in _first_of_each(known)]
    others = "   SUBJECT=...       anybody else, by the name at sign-in"
    return stop("\n".join((f"{asked}:", *(lines or ["   (first: make run)"]), others)))


def _first_of_each(known: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Everybody with a name, and of those with a number the first."""
    numbered = [(name, role) for name, role in known if name.isdecimal()]
    return [*(each for each in known if each not in numbered), *numbered[:1]]


def running(folder: DataFolder) -> dict[str, Any]:
    """What the server on this folder says of itself; ends the command if there is none."""
    told: dict[str, Any] | None = read_json(folder.running)
    return told or stop("start it first: make run / 请先运行 make run")


def stop(line: str) -> NoReturn:
    """End the command with one line that says why."""
    print(f"!! {line}", file=sys.stderr)
    raise SystemExit(1)
