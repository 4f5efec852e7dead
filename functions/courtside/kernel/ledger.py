"""Accounts and their movements: the one way in which anything countable changes.

An account stores `available` and `held`; its balance is their sum. Portions, places, stock, money:
each moves only by movements inside a journal entry, its bound a condition of the transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Unit(StrEnum):
    PORTION = "PORTION"
    PLACE = "PLACE"
    PIECE = "PIECE"
    FEN = "FEN"


class AccountId(NamedTuple):
    """Where an account lives within its court: partition (without the court) and sort key."""

    partition: str
    sort: str

    def __str__(self) -> str:
        return f"{self.partition}|{self.sort}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A balance with its bounds. `opened` is false until a personal account's first movement."""

    id: AccountId
    unit: Unit
    available: int
    held: int = 0
    floor: int = 0
    ceiling: int | None = None
    opened: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A change of one account. `counter` names the other side (an account or a name such as SOLD).

    `opens` is the amount at which a lazily opened account begins, in its first movement only.
    """

    account: AccountId
    available: int = 0
    held: int = 0
    counter: str
    opens: int | None = None


class Short(Exception):
    """An account would pass its floor or ceiling; `missing` is by how much."""

    def __init__(self, account: AccountId, missing: int) -> None:
        super().__init__(str(account))
        self.account = account
        self.missing = missing


def move(account: Account, amount: int, *, counter: str) -> Movement:
    """Add `amount` (negative: take) to what is available; Short beyond floor or ceiling."""
    after = account.available + amount
    if amount < 0 and after < account.floor:
        raise Short(account.id, account.floor - after)
    if amount > 0 and account.ceiling is not None and after + account.held > account.ceiling:
        raise Short(account.id, after + account.held - account.ceiling)
    return _movement(account, available=amount, counter=counter)


def hold(account: Account, amount: int, *, counter: str) -> Movement:
    """Set `amount` aside from what is available; Short if it would fall below the floor."""
    after = account.available - _positive(amount)
    if after < account.floor:
        raise Short(account.id, account.floor - after)
    return _movement(account, available=-amount, held=amount, counter=counter)


def release(account: Account, amount: int, *, counter: str) -> Movement:
    """Give a hold back to what is available; Short if less than that is held."""
    if account.held < _positive(amount):
        raise Short(account.id, amount - account.held)
    return _movement(account, available=amount, held=-amount, counter=counter)


def commit(account: Account, amount: int, *, counter: str) -> Movement:
    """Spend a hold: held falls, what is available stays; Short if less than that is held."""
    if account.held < _positive(amount):
        raise Short(account.id, amount - account.held)
    return _movement(account, held=-amount, counter=counter)


def net(movements: Iterable[Movement]) -> tuple[Movement, ...]:
    """One movement for each account and counter, in order of first mention; those of zero vanish
    unless they open an account."""
    sums: dict[tuple[AccountId, str], Movement] = {}
    for m in movements:
        before = sums.get((m.account, m.counter))
        sums[m.account, m.counter] = m if before is None else _sum(before, m)
    return tuple(m for m in sums.values() if m.available or m.held or m.opens is not None)


def _movement(account: Account, *, available: int = 0, held: int = 0, counter: str) -> Movement:
    opens = None if account.opened else account.available
    return Movement(
        account=account.id, available=available, held=held, counter=counter, opens=opens
    )


def _sum(a: Movement, b: Movement) -> Movement:
    opens = a.opens if a.opens is not None else b.opens
    return Movement(
        account=a.account,
        available=a.available + b.available,
        held=a.held + b.held,
        counter=a.counter,
        opens=opens,
    )


def _positive(amount: int) -> int:
    if amount <= 0:
        raise ValueError("a hold, release or commit takes a positive amount")
    return amount
