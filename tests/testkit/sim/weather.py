"""What goes wrong in one seed, and how often: drawn once, at its beginning."""

import random
from dataclasses import dataclass

from infra.memory.engine import NO_FAULTS, Faults

SKEW = 0.25  # seconds that a server's clock may be wrong by (ε, kernel.workdays.CLOCK_SKEW)
_CALM = Faults(latency=0.004)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Probabilities and durations in seconds.

    `crash` is for each port call, before and after it. `unsure` is the share of deliveries whose
    work is done and then counted as failed, `duplicated` of those that come once more, later, and
    `forgotten` of batches that the stream brings no more, before a first or a further attempt.
    """

    engine: Faults = NO_FAULTS
    crash: float = 0.0
    forgotten: float = 0.0
    undelivered: float = 0.0
    unreadable: float = 0.0
    unsure: float = 0.0
    duplicated: float = 0.0
    doubled: float = 0.0
    repeated: float = 0.0

    @property
    def longest_flight(self) -> float:
        """How long after its stamp a transaction may take effect."""
        return self.engine.latency + self.engine.overlap


CALM = Weather(engine=_CALM)


def drawn(chance: random.Random) -> Weather:
    """Anything from a fine day to all faults at once."""
    return Weather(
        engine=Faults(
            lost_before=chance.choice((0.0, 0.02, 0.06)),
            lost_after=chance.choice((0.0, 0.03, 0.10)),
            throttled=chance.choice((0.0, 0.02, 0.10)),
            overlap=chance.choice((0.0, 0.004, 0.02)),
            stale=chance.choice((0.0, 0.3, 1.0)),
            lag=chance.choice((0.5, 5.0)),
            latency=chance.choice((0.005, 0.03, 0.2)),
        ),
        crash=chance.choice((0.0, 0.002, 0.01)),
        forgotten=chance.choice((0.0, 0.1)),
        undelivered=chance.choice((0.0, 0.05)),
        unreadable=chance.choice((0.0, 0.05)),
        unsure=chance.choice((0.0, 0.1)),
        duplicated=chance.choice((0.0, 0.2)),
        doubled=chance.choice((0.0, 0.15)),
        repeated=chance.choice((0.0, 0.15)),
    )
