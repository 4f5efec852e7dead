"""Scalars: money as a decimal string in yuan, instants with an offset, local dates, opaque ids."""

from datetime import date, datetime, time
from typing import NewType, TypeVar

import strawberry
from graphql import GraphQLError

from courtside.kernel import money
from courtside.kernel.workdays import ZONE

Yuan = NewType("Yuan", int)
# Years that a court's books can mean: others overflow when they are shifted to UTC or compared.
FIRST_YEAR, LAST_YEAR = 2000, 2200

Day = TypeVar("Day", bound=date)


def _yuan(value: object) -> Yuan:
    if not isinstance(value, str):
        raise GraphQLError(f"{money.MONEY_FORMAT.zh} / {money.MONEY_FORMAT.en}")
    try:
        return Yuan(money.fen(value))
    except ValueError:
        raise GraphQLError(f"{money.MONEY_FORMAT.zh} / {money.MONEY_FORMAT.en}") from None


def _instant(value: object) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise GraphQLError("时间须带时区 / expected a time with offset: 2026-03-02T09:30:00+08:00")
    return _within(parsed)


def _day(value: object) -> date:
    try:
        parsed = date.fromisoformat(value) if isinstance(value, str) else _refuse_day()
    except ValueError:
        parsed = _refuse_day()
    return _within(parsed)


def _within(at: Day) -> Day:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        years = f"{FIRST_YEAR}-{LAST_YEAR}"
        raise GraphQLError(f"年份须在 {years} 之间 / expected a year of {years}")
    return at


def _refuse_day() -> date:
    raise GraphQLError("日期格式应为 2026-03-02 / expected a date such as 2026-03-02")


def _clock_time(value: object) -> time:
    try:
        parsed = time.fromisoformat(str(value))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is not None:
        raise GraphQLError("时刻格式应为 09:30 / expected a local time such as 09:30")
    return parsed


SCALARS = {
    Yuan: strawberry.scalar(
        name="Money",
        description='以元为单位的十进制字符串 / Yuan as a decimal string, for example "12.50".',
        serialize=money.yuan,
        parse_value=_yuan,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description=(
            "带时区的时间 / ISO 8601 with offset, years 2000 to 2200; answers are in Asia/Shanghai."
        ),
        serialize=lambda at: at.astimezone(ZONE).isoformat(timespec="milliseconds"),
        parse_value=_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="当地日期 / A local date of the years 2000 to 2200, for example 2026-03-02.",
        serialize=date.isoformat,
        parse_value=_day,
    ),
    time: strawberry.scalar(
        name="Time",
        description="当地时刻 / A local wall-clock time, for example 09:30.",
        serialize=lambda at: at.isoformat(timespec="minutes"),
        parse_value=_clock_time,
    ),
}
