"""Queues as SQS keeps its promises: at least once, in any order, hidden while worked on."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from courtside.platform.queues import ATTEMPTS, VISIBILITY, Message, Received


@dataclass(slots=True)
class _Kept:
    id: str
    body: str
    receives: int = 0
    is_visible: bool = True
    turn: int = 0  # of hiding: an older one's end means nothing


@dataclass(slots=True)
class SimQueue:
    """One queue with its dead letters."""

    name: str
    chance: random.Random
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0
    dead: list[_Kept] = field(default_factory=list)

    def put(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._count += 1
            kept = _Kept(f"{self.name}-{self._count}", json.dumps(message, ensure_ascii=False))
            self._kept[kept.id] = kept
        self._arrived.set()

    async def receive(self, most: int) -> list[Received]:
        """Up to `most` messages in no order, hidden from now on; waits until there is one."""
        while not (due := [kept for kept in self._kept.values() if kept.is_visible]):
            self._arrived.clear()
            await self._arrived.wait()
        self.chance.shuffle(due)
        return [self._hidden(kept) for kept in due[:most]]

    def done(self, message: Received) -> None:
        """Forget a message that was worked on."""
        self._kept.pop(message.id, None)

    def again(self, receipt: str, *, after: float) -> None:
        """Show a message again in `after` seconds, or lay it aside after its last attempt."""
        kept = self._kept.get(receipt)
        if kept is not None and not kept.is_visible:
            self._hide(kept, after)

    def redrive(self) -> int:
        """Dead letters come back as new messages; how many there were."""
        redriven, self.dead = self.dead, []
        for kept in redriven:
            self._kept[kept.id] = _Kept(kept.id, kept.body)
        self._arrived.set()
        return len(redriven)

    @property
    def is_empty(self) -> bool:
        return not self._kept

    def _hidden(self, kept: _Kept) -> Received:
        kept.receives += 1
        kept.is_visible = False
        self._hide(kept, VISIBILITY)
        return Received(kept.id, kept.body, kept.receives)

    def _hide(self, kept: _Kept, seconds: float) -> None:
        kept.turn += 1
        asyncio.get_running_loop().call_later(seconds, self._show, kept, kept.turn)

    def _show(self, kept: _Kept, turn: int) -> None:
        if self._kept.get(kept.id) is not kept or kept.turn != turn:
            return
        if kept.receives >= ATTEMPTS:
            self.dead.append(self._kept.pop(kept.id))
            return
        kept.is_visible = True
        self._arrived.set()
