"""How large transactions become: what a test commits stays within what a use case may write."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from courtside.kernel.journal import Recorded
from courtside.platform.dynamo.transaction import MAX_ITEMS, Transaction


@dataclass(slots=True)
class Sizes:
    """Items of every transaction that was to be committed, on whatever engine."""

    committed: list[int] = field(default_factory=list)

    @property
    def too_large(self) -> list[int]:
        return [items for items in self.committed if items > MAX_ITEMS]


@contextmanager
def watched_sizes() -> Iterator[Sizes]:
    """Count the items of all transactions inside the block, also of those that then fail."""
    sizes, commit = Sizes(), Transaction.commit

    async def counted(transaction: Transaction) -> Recorded | None:
        sizes.committed.append(transaction.items)
        return await commit(transaction)

    with patch.object(Transaction, "commit", counted):
        yield sizes
