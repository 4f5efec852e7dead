"""Signals as a test sees them."""

import logging
from collections import Counter
from typing import NamedTuple

from courtside.platform.signals import Signal

RESERVED = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class Told(NamedTuple):
    signal: Signal
    facts: dict[str, str | int]


class RecordedSignals:
    """Keeps every signal instead of sending it anywhere."""

    def __init__(self) -> None:
        self.counts: Counter[Signal] = Counter()
        self.told: list[Told] = []

    def emit(self, signal: Signal, *, count: int = 1, **facts: str | int) -> None:
        if RESERVED & set(facts):
            raise KeyError(f"a log line cannot hold {RESERVED & set(facts)}")
        self.counts[signal] += count
        self.told.append(Told(signal, facts))
