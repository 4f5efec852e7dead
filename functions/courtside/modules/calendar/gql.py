"""The work calendar at the API: a month for a phone, and the office's changes to it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import strawberry

from courtside.kernel.errors import Refusal
from courtside.kernel.workdays import CalendarYearMissing, DayKind
from courtside.modules.calendar import contracts, errors
from courtside.modules.calendar.service import Calendar
from courtside.platform.gql.commands import carry_out
from courtside.platform.gql.payloads import (
    Info,
    Payload,
    UserError,
    mutation,
    query,
)

strawberry.enum(
    DayKind,
    description="工作日、周末、节假日、调休上班、本院休息 / MAKEUP_WORKDAY is a weekend day worked "
    "instead of a holiday's weekday.",
)


@strawberry.type(description="该年日历尚未导入 / No data for that year; nothing is guessed.")
class YearNotImported(UserError):
    year: int

    @staticmethod
    def of(refusal: CalendarYearMissing, **common: Any) -> "YearNotImported":
        return YearNotImported(year=refusal.year, **common)


ERROR_TYPES: Mapping[type[Refusal], type[Any]] = {CalendarYearMissing: YearNotImported}


@strawberry.type(description="某一天 / One day of the court's calendar.")
class CalendarDay:
    on: date
    kind: DayKind
    is_worked: bool
    set_by_court: bool = strawberry.field(
        description="本院另行规定 / The court set it otherwise than the State Council."
    )

    @staticmethod
    def of(day: contracts.CalendarDay) -> "CalendarDay":
        return CalendarDay(
            on=day.on,
            kind=day.kind,
            is_worked=day.kind.is_worked,
            set_by_court=day.set_by_court,
        )


@strawberry.type(description="一个月的工作日历 / A month of the court's work calendar.")
class CalendarMonth:
    year: int
    month: int
    provisional: bool = strawberry.field(
        description="国务院通知前的暂定安排 / Entered before the notice; may still change."
    )
    days: list[CalendarDay]
    server_now: datetime


@strawberry.type(description="一年的放假安排 / What a year's notice says.")
class CalendarYear:
    year: int
    provisional: bool
    days_off: list[date]
    makeup_workdays: list[date]

    @staticmethod
    def of(year: contracts.CalendarYear) -> "CalendarYear":
        special = year.imported.special if year.imported else {}
        return CalendarYear(
            year=year.year,
            provisional=year.imported is not None and year.imported.provisional,
            days_off=[on for on, kind in special.items() if not kind.is_worked],
            makeup_workdays=[on for on, kind in special.items() if kind.is_worked],
        )


@strawberry.type
class Query:
    @query("calendar.get_month", description="本院工作日历 / Which days of a month are worked.")
    async def work_calendar(self, info: Info, year: int, month: int) -> CalendarMonth:
        context = info.context
        found = await context.get(Calendar).get_month(
            context.principal, year=year, month=month, now=context.now
        )
        return CalendarMonth(
            year=found.year,
            month=found.month,
            provisional=found.provisional,
            days=[CalendarDay.of(day) for day in found.days],
            server_now=context.now,
        )


@strawberry.input
class SetCourtDayInput:
    idempotency_key: str
    on: date
    kind: DayKind | None = strawberry.field(
        description="空为恢复国务院安排 / Null: as the State Council has it."
    )

    def request(self) -> contracts.SetCourtDay:
        return contracts.SetCourtDay(on=self.on, kind=self.kind)


@strawberry.input(description="放假起止,含首尾 / Days off from start to end, both included.")
class HolidayInput:
    starts_on: date
    ends_on: date


@strawberry.input
class ImportCalendarYearInput:
    idempotency_key: str
    year: int
    provisional: bool = strawberry.field(
        description="尚无国务院通知 / True until the State Council's notice is out."
    )
    holidays: list[HolidayInput]
    makeup_workdays: list[date]

    def request(self) -> contracts.ImportYear:
        return contracts.ImportYear(
            year=self.year,
            provisional=self.provisional,
            holidays=tuple(
                contracts.Holiday(starts_on=one.starts_on, ends_on=one.ends_on)
                for one in self.holidays
            ),
            makeup_workdays=tuple(self.makeup_workdays),
        )


@strawberry.type
class SetCourtDayPayload(Payload):
    day: CalendarDay | None = None


@strawberry.type
class ImportCalendarYearPayload(Payload):
    calendar_year: CalendarYear | None = None


@strawberry.type
class Mutation:
    @mutation(
        "calendar.set_court_day",
        refuses=(errors.DayHasPassed, CalendarYearMissing),
        description="本院某日是否上班 / Say what kind of day it is in this court.",
    )
    async def set_court_day(self, info: Info, input: SetCourtDayInput) -> SetCourtDayPayload:
        use_case = info.context.get(Calendar).set_court_day
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return SetCourtDayPayload(day=CalendarDay.of(done.value), replayed=done.replayed)

    @mutation(
        "calendar.import_year",
        refuses=(errors.YearHasPassed,),
        description="导入一年的放假安排 / Take over a year's notice for this court.",
    )
    async def import_calendar_year(
        self, info: Info, input: ImportCalendarYearInput
    ) -> ImportCalendarYearPayload:
        use_case = info.context.get(Calendar).import_year
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        return ImportCalendarYearPayload(
            calendar_year=CalendarYear.of(done.value), replayed=done.replayed
        )
