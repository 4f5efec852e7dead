"""Lambda's event source mapping of one stream shard, as a model: batches, bisection, attempts."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Take = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]


class StreamMapping:
    """Delivers a shard's records in order, at least once each.

    A batch that fails is tried again from its lowest failed record on, or in halves where the
    function itself failed, with records that were done already among the repeated. After
    `attempts` the rest of the batch is set aside in `on_failure`. With `unsure`, that share of
    calls does its work and is then counted as failed (a timeout); with `duplicated`, that share of
    batches is delivered once more at a later time, as after a shard was split.
    """

    def __init__(
        self,
        take: Take,
        *,
        chance: random.Random,
        batch: int = 100,
        attempts: int = 8,
        unsure: float = 0.0,
        duplicated: float = 0.0,
    ) -> None:
        self._take = take
        self._chance = chance
        self._batch = batch
        self._attempts = attempts
        self._unsure = unsure
        self._duplicated = duplicated
        self.on_failure: list[Record] = []
        self.deliveries = 0

    async def run(self, records: Sequence[Record]) -> None:
        """Deliver all records until each was done or set aside."""
        late: list[Sequence[Record]] = []
        start = 0
        while start < len(records):
            size = self._chance.randint(1, self._batch)
            batch = records[start : start + size]
            await self._until_done(batch, 0)
            if self._chance.random() < self._duplicated:
                late.append(batch)
            start += size
        self._chance.shuffle(late)
        for batch in late:
            await self._until_done(batch, 0)

    async def _until_done(self, batch: Sequence[Record], attempt: int) -> None:
        while batch:
            rest = await self._once(batch)
            if rest and attempt + 1 >= self._attempts:
                self.on_failure += rest
                return
            if rest and len(rest) == len(batch) > 1:
                half = len(batch) // 2
                await self._until_done(batch[:half], attempt + 1)
                await self._until_done(batch[half:], attempt + 1)
                return
            batch, attempt = rest, attempt + 1

    async def _once(self, batch: Sequence[Record]) -> Sequence[Record]:
        """What must be delivered again: from the lowest failed record to the batch's end."""
        self.deliveries += len(batch)
        answer = await self._take({"Records": list(batch)})
        if self._chance.random() < self._unsure:
            return batch
        failed = {f["itemIdentifier"] for f in (answer or {}).get("batchItemFailures", ())}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        lowest = next((n for n, number in enumerate(numbers) if number in failed), len(batch))
        return batch[lowest:]
