"""Wallets: finance's top-ups, as the job that an import of its list asks for."""

from asyncio import gather
from dataclasses import dataclass
from datetime import datetime

from courtside.kernel.jobs import Job, child_command
from courtside.kernel.journal import Journal, Result, entry
from courtside.kernel.ledger import Account, Unit, move
from courtside.kernel.usecase import decides_again
from courtside.modules.meals.contracts.orders import wallet_account
from courtside.modules.meals.ports import OrderStore

TOP_UP = "TOP_UP"
ROWS_A_CHILD = 8  # their movements and the rest of the entry stay within one kilobyte


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallets:
    """Money into wallets; it leaves them through orders alone."""

    orders: OrderStore
    journal: Journal

    @decides_again
    async def top_up(self, job: Job, n: int, rows: list[tuple[str, int]], *, now: datetime) -> None:
        """Child `n` of an import: each row's fen into its person's wallet, opened if need be."""
        command = child_command(job, n, request=rows)
        accounts = list(dict.fromkeys(wallet_account(person) for person, _ in rows))
        recorded, found = await gather(
            self.journal.recall(command), self.orders.find_balances(job.court, accounts)
        )
        if recorded is not None:
            return
        wallets = {
            account: held or Account(id=account, unit=Unit.FEN, available=0, opened=False)
            for account, held in zip(accounts, found, strict=True)
        }
        movements = tuple(
            move(wallets[wallet_account(person)], fen, counter=TOP_UP) for person, fen in rows
        )
        told = entry(command, now=now, result=Result(kind="Job", id=job.id), movements=movements)
        await self.orders.save_top_ups(job, told)
