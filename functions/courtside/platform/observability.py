"""Logs and metrics: powertools in one place, enumerated codes, nothing personal.

Whatever is logged goes through `Observer`: there is no call that takes free text. A fault is told
by the names of its exceptions and the places that raised them, never by their messages, since a
message may quote what a person entered.
"""

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from courtside.platform.signals import Signal

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.metrics import EphemeralMetrics

SERVICE = "courtside"
FRAMES = 4  # innermost places of a fault that are logged
PACKAGE = "courtside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One operation of the API as it is logged.

    `operation` is a name of the manifest or one of our own words, never a client's; `principal` is
    client and random id; `outcome` a code.
    """

    operation: str
    principal: str
    outcome: str
    status: int
    milliseconds: float
    calls: int
    rounds: int
    attempts: int
    correlation: str


class Observer:
    """One container's log and metrics, as JSON lines on its standard output."""

    def __init__(self, *, stage: str, level: str = "INFO") -> None:
        self._stage = stage
        self._level = level

    def operation(self, line: Line) -> None:
        """One line and one duration an operation, by outcome."""
        self._logger.info(
            "operation",
            extra={
                "operation": line.operation,
                "principal": line.principal,
                "outcome": line.outcome,
                "status": line.status,
                "ms": round(line.milliseconds, 1),
                "calls": line.calls,
                "rounds": line.rounds,
                "attempts": line.attempts,
                "correlation": line.correlation,
            },
        )
        metrics = self._metrics()
        metrics.add_dimension("operation", line.operation)
        metrics.add_dimension("outcome", line.outcome)
        metrics.add_metric(name="duration", unit="Milliseconds", value=line.milliseconds)
        metrics.flush_metrics()

    def fault(self, error: BaseException, *, correlation: str) -> None:
        """A fault with its correlation id, without any text of it."""
        told = {"exceptions": list(_names(error)), "at": _places(error)}
        self._logger.error("fault", extra={**told, "correlation": correlation})

    def emit(self, signal: Signal, *, count: int = 1, **facts: str | int) -> None:
        """Count a signal and log it with its facts, which are codes and random ids."""
        self._logger.warning("signal", extra={"signal": signal.value, "count": count, **facts})
        metrics = self._metrics()
        metrics.add_metric(name=signal.value, unit="Count", value=count)
        metrics.flush_metrics()

    @cached_property
    def _logger(self) -> "Logger":
        from aws_lambda_powertools import Logger

        logger = Logger(service=SERVICE, level=self._level, location=None, utc=True)
        logger.append_keys(stage=self._stage)
        return logger

    def _metrics(self) -> "EphemeralMetrics":
        from aws_lambda_powertools.metrics import EphemeralMetrics

        metrics = EphemeralMetrics(namespace="Courtside", service=SERVICE)
        metrics.add_dimension("stage", self._stage)
        return metrics


def _names(error: BaseException) -> Iterator[str]:
    """Names of the exception and of those behind it, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield type(current).__qualname__
        original = getattr(current, "original_error", None)
        current = original if isinstance(original, BaseException) else current.__cause__


def _places(error: BaseException) -> list[str]:
    """`file:line` of the innermost frames in our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f"/{PACKAGE}/" in f.filename] or list(frames)
    return [
        f"{f.filename.rpartition(f'/{PACKAGE}/')[2]}:{f.lineno}" for f in reversed(own[-FRAMES:])
    ]
