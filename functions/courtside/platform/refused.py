"""Refusals where nobody waits for an answer: each becomes an entry with a fact for the officer.

A consumer or a job that is refused is not a fault and never a dead letter. Until there is an
inbox, the fact's `notify` names who must be told, and the signal counts it.
"""

from datetime import datetime

from courtside.kernel.actor import Role, system
from courtside.kernel.errors import Refusal
from courtside.kernel.journal import (
    Command,
    Delivered,
    Fact,
    Json,
    Notify,
    Result,
    aggregate,
    entry,
)
from courtside.platform.dynamo.database import Database

CONSUMER_REFUSED = "consumer_refused"
_FOUNDATION = {"people", "calendar"}


class Refused:
    """Writes the entry of a refusal, once for each module and fact."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_consumer(
        self, module: str, delivered: Delivered, refusal: Refusal, *, now: datetime
    ) -> None:
        """Journal that `module` was refused when it consumed a fact; repeated, nothing happens."""
        command = Command(
            principal=system(delivered.court, module),
            operation=f"{module}.{CONSUMER_REFUSED}",
            key=delivered.id,
            request={"fact": delivered.id},
        )
        recorded = await self._database.journal.recall(command)
        if recorded is not None:
            return
        told = entry(
            command,
            now=now,
            result=Result(kind="Fact", id=delivered.id, outcome={"code": refusal.code}),
            facts=(_fact(module, delivered, refusal),),
        )
        await self._database.transaction(told).commit()


def officer_of(module: str) -> str:
    """The audience that answers for a module."""
    role = Role.ADMINISTRATOR if module in _FOUNDATION else Role.LOGISTICS_OFFICER
    return f"role:{role.value}"


def _fact(module: str, delivered: Delivered, refusal: Refusal) -> Fact:
    state: Json = {
        "code": refusal.code,
        "cause": delivered.fact.name,
        "fact": delivered.id,
        "aggregate": delivered.fact.aggregate,
    }
    notify = Notify(
        audience=officer_of(module),
        template=CONSUMER_REFUSED,
        key=f"{delivered.id}#{module}",
    )
    return Fact(
        name=f"{module}.{CONSUMER_REFUSED}.v1",
        aggregate=aggregate("Refusal", module, delivered.id),
        version=1,
        state=state,
        notify=(notify,),
    )
