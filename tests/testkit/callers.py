"""Who calls: the situations in which every operation is tried, and what a refusal leaves behind."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from courtside.kernel.actor import Role
from courtside.modules.people.contracts import GrantRole
from testkit.app import TestApp
from testkit.factories.people import OTHER_COURT, ACourt, a_court
from testkit.graphql import Answer
from testkit.screens import Screen, screens

ROLES: Sequence[Role] = sorted(set(Role) - {Role.SYSTEM})  # MEMBER: of the court, without a grant
GRANTED: Sequence[Role] = [role for role in ROLES if role is not Role.MEMBER]
OUTSIDERS = ("nobody", "stranger", "left")
CALLERS: Sequence[str] = (*ROLES, "lapsed", *OUTSIDERS)
ANYBODY = frozenset(ROLES)


async def a_caller(court: ACourt, who: str) -> Screen:
    """The screen of somebody in that situation: with one role; `lapsed`, whose every role ended a
    moment ago; `left`, who had every role; a `stranger` to the court; `nobody` without a token."""
    number = {"nobody": None, "stranger": "S0001"}.get(who, "C0001")
    if who == "left":
        await court.leaves(await court.somebody(*GRANTED, staff_no="C0001"))
    elif who == "lapsed":
        await _had_every_role(court)
    elif who not in OUTSIDERS:
        await court.somebody(*({Role(who)} - {Role.MEMBER}), staff_no="C0001")
    return screens(court.app).of(number, court=court.code)


async def a_foreigner(app: TestApp) -> Screen:
    """The screen of somebody who holds every role, in another court."""
    abroad = await a_court(app, code=OTHER_COURT)
    await abroad.somebody(*GRANTED, staff_no="X0001")
    return screens(app).of("X0001", court=OTHER_COURT)


def expected(who: str, allowed: Collection[Role]) -> list[str]:
    """The codes with which that caller is refused what `allowed` may do; none if one of them."""
    if who == "nobody":
        return ["NOT_SIGNED_IN"]
    held = {Role.MEMBER} if who == "lapsed" else {Role.MEMBER, who} if who in ROLES else set()
    return [] if held & set(allowed) else ["NOT_PERMITTED"]


def refusals(answer: Answer) -> list[str]:
    """The codes of an answer's refusals, of the response or of its payloads."""
    if answer.codes:
        return answer.codes
    payloads = [payload for payload in answer.data.values() if isinstance(payload, Mapping)]
    return [error["code"] for payload in payloads for error in payload.get("errors", ())]


def left_behind(app: TestApp, before: Mapping[str, Any]) -> list[str]:
    """What refusals wrote since `before` (`app.engine.dump()`): operation and first part of the key
    of each new journal entry. Fails if anything else was written."""
    after = app.engine.dump()
    assert {**after, "journal": before["journal"]} == before
    new = [item["pk"]["S"] for item in after["journal"] if item not in before["journal"]]
    return ["#".join(pk.split("#")[3:5]) for pk in new]


def audited(codes: Sequence[str]) -> list[str]:
    """What `left_behind` must be after those refusals: refused permissions, and nothing else."""
    return [f"R#{code}" for code in codes if code == "NOT_PERMITTED"]


async def _had_every_role(court: ACourt) -> None:
    person = (await court.somebody(staff_no="C0001")).person
    ends_at = court.now + timedelta(minutes=1)
    for role in GRANTED:
        request = GrantRole(person=person, role=role, ends_at=ends_at)
        await court.people.grant_role(court.administrator, request, key=court.key(), now=court.now)
    court.app.clock.advance(minutes=1)
