"""What refusals of permission, money, assets and minors leave: one entry a code and minute."""

from dataclasses import dataclass

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Refusal
from courtside.kernel.journal import Command, Result, entry
from courtside.platform.dynamo.database import Database
from courtside.platform.signals import Signal, Signals

OPERATION = "R"


@dataclass(frozen=True, slots=True)
class _Refused:
    """The request of the entry: the same for all refusals that share it."""

    code: str


class JournalRefusals:
    """Writes `R#<code>#<minute>` in a transaction of its own, in the name of who was refused.

    The first of a minute is the entry and names the operation; those after it are only counted. It
    fails closed: without the entry there is no answer but a fault.
    """

    def __init__(self, database: Database, signals: Signals) -> None:
        self._database = database
        self._signals = signals

    async def record(self, principal: Principal, operation: str, refusal: Refusal) -> None:
        now = self._database.clock.now()
        command = Command(
            principal=principal,
            operation=OPERATION,
            key=f"{refusal.code}#{now:%Y%m%dT%H%MZ}",
            request=_Refused(refusal.code),
        )
        result = Result(kind="Refusal", id=operation, outcome={"code": refusal.code})
        written = entry(command, now=now, result=result)
        before = await self._database.transaction(written).commit()
        if before is not None:
            self._signals.emit(Signal.REFUSAL_REPEATED, code=refusal.code, operation=operation)
