"""What is written to the log: codes, random ids, and of an exception no text."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from courtside.platform.observability import SERVICE, Line, Observer
from courtside.platform.signals import Signal

CANARY = "张三110101199003077777"
LINE = Line(
    operation="PlaceOrder",
    principal="phone~7N3K",
    outcome="SOLD_OUT",
    status=200,
    milliseconds=12.34,
    calls=2,
    rounds=2,
    attempts=1,
    correlation="c0ffee",
)


class Output:
    """What was printed since it was last read."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]


@pytest.fixture
def output(capsys) -> Output:
    return Output(capsys)


@pytest.fixture
def observer(output) -> Iterator[Observer]:
    """A new container's: its logger is bound to the standard output of now."""
    loggers = logging.Logger.manager.loggerDict
    before = loggers.pop(SERVICE, None)
    yield Observer(stage="test")
    loggers.pop(SERVICE, None)
    if before is not None:
        loggers[SERVICE] = before


class TestOperation:
    def test_is_one_log_line_and_one_metric(self, output, observer):
        observer.operation(LINE)

        log, metric = output.lines()
        assert log["operation"] == metric["operation"] == "PlaceOrder"
        assert (log["outcome"], log["ms"], log["calls"]) == ("SOLD_OUT", 12.3, 2)
        assert (log["service"], log["stage"]) == ("courtside", "test")
        assert metric["duration"] == [12.34]
        (told,) = metric["_aws"]["CloudWatchMetrics"]
        assert told["Namespace"] == "Courtside"
        assert told["Dimensions"] == [["stage", "operation", "outcome", "service"]]

    def test_keeps_nothing_from_one_line_to_the_next(self, output, observer):
        observer.operation(LINE)
        observer.emit(Signal.TOKEN_REFUSED, reason="TIME")

        log, metric = output.lines()[2:]
        assert "operation" not in log
        assert metric["token_refused"] == [1]


class TestFault:
    def test_names_exceptions_and_places_without_their_text(self, output, observer):
        try:
            try:
                json.loads(f'{{"{CANARY}": }}')
            except ValueError as inner:
                raise KeyError(CANARY) from inner
        except KeyError as fault:
            observer.fault(fault, correlation="c0ffee")

        (log,) = output.lines()
        assert log["exceptions"] == ["KeyError", "JSONDecodeError"]
        assert log["correlation"] == "c0ffee"
        assert all(":" in place for place in log["at"])
        assert CANARY not in json.dumps(log, ensure_ascii=False)
