"""Signals as a test sees them."""

from collections import Counter
from typing import NamedTuple

from courtside.platform.signals import Signal


class Told(NamedTuple):
    signal: Signal
    facts: dict[str, str | int]


class RecordedSignals:
    """Keeps every signal instead of sending it anywhere."""

    def __init__(self) -> None:
        self.counts: Counter[Signal] = Counter()
        self.told: list[Told] = []

    def emit(self, signal: Signal, *, count: int = 1, **facts: str | int) -> None:
        self.counts[signal] += count
        self.told.append(Told(signal, facts))
