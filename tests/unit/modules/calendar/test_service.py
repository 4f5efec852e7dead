import asyncio
from datetime import date

import pytest

from courtside.kernel.actor import EVERYBODY, Role, system
from courtside.kernel.errors import InvalidInput, NotPermitted
from courtside.kernel.workdays import CalendarYearMissing, DayKind
from courtside.modules.calendar import errors
from courtside.modules.calendar.contracts import Holiday, ImportYear, SetCourtDay
from courtside.modules.calendar.service import Calendar
from courtside.platform.dynamo.meter import metered
from testkit.factories.people import COURT, OTHER_COURT, a_court

KEY = "key-00000001"
FRIDAY = date(2026, 3, 6)


def off(first: str, last: str) -> Holiday:
    return Holiday(starts_on=date.fromisoformat(first), ends_on=date.fromisoformat(last))


NEW_YEAR = off("2027-01-01", "2027-01-03")


def year_2027(**more) -> ImportYear:
    given = {"provisional": True, "holidays": (NEW_YEAR,), "makeup_workdays": ()}
    return ImportYear(year=2027, **{**given, **more})


@pytest.fixture
def calendar(court) -> Calendar:
    return court.app.get(Calendar)


class TestGetCalendar:
    async def test_is_the_state_council_s_until_a_court_says_otherwise(self, calendar):
        work = await calendar.get_calendar(COURT)

        assert work.kind(date(2026, 2, 14)) is DayKind.MAKEUP_WORKDAY
        assert work.kind(FRIDAY) is DayKind.WORKDAY

    async def test_is_two_queries_in_one_round(self, calendar):
        with metered() as meter:
            await calendar.get_calendar(COURT)

        assert (meter.reads, meter.rounds) == (2, 1)

    async def test_refuses_to_guess_next_year(self, calendar):
        work = await calendar.get_calendar(COURT)

        with pytest.raises(CalendarYearMissing):
            work.is_workday(date(2027, 1, 4))


class TestSetCourtDay:
    async def test_counts_for_this_court_alone(self, app, court, calendar):
        await a_court(app, code=OTHER_COURT)
        request = SetCourtDay(on=FRIDAY, kind=DayKind.COURT_CLOSED)

        done = await calendar.set_court_day(court.administrator, request, key=KEY, now=court.now)

        assert (done.value.kind, done.value.set_by_court) == (DayKind.COURT_CLOSED, True)
        here, there = [await calendar.get_calendar(code) for code in (COURT, OTHER_COURT)]
        assert not here.is_workday(FRIDAY)
        assert there.is_workday(FRIDAY)

    async def test_can_be_taken_back(self, court, calendar):
        for n, kind in enumerate((DayKind.COURT_CLOSED, None)):
            done = await calendar.set_court_day(
                court.administrator,
                SetCourtDay(on=FRIDAY, kind=kind),
                key=f"{KEY}{n}",
                now=court.now,
            )

        assert (done.value.kind, done.value.set_by_court) == (DayKind.WORKDAY, False)

    async def test_keeps_both_of_two_days_set_at_once(self, court, calendar):
        days = [date(2026, 3, n) for n in range(9, 14)]

        await asyncio.gather(
            *(
                calendar.set_court_day(
                    court.administrator,
                    SetCourtDay(on=on, kind=DayKind.HOLIDAY),
                    key=f"{KEY}{on}",
                    now=court.now,
                )
                for on in days
            )
        )

        work = await calendar.get_calendar(COURT)
        assert not any(work.is_workday(on) for on in days)

    @pytest.mark.parametrize(
        ("on", "refusal"),
        [
            (date(2026, 3, 1), errors.DayHasPassed),
            (date(2027, 5, 1), CalendarYearMissing),
        ],
    )
    async def test_refuses_days_that_cannot_be_set(self, app, court, calendar, on, refusal):
        before = app.engine.dump()

        with pytest.raises(refusal):
            await calendar.set_court_day(
                court.administrator,
                SetCourtDay(on=on, kind=DayKind.HOLIDAY),
                key=KEY,
                now=court.now,
            )

        assert app.engine.dump() == before

    async def test_is_not_a_member_s_to_do(self, app, court, calendar):
        judge = await court.somebody()
        before = app.engine.dump()

        with pytest.raises(NotPermitted):
            await calendar.set_court_day(
                judge, SetCourtDay(on=FRIDAY, kind=None), key=KEY, now=court.now
            )

        assert app.engine.dump() == before

    async def test_is_replayed_after_the_day_has_passed(self, app, court, calendar):
        """D-03: a lost answer is answered with success, whatever the rules say by then."""
        request = SetCourtDay(on=FRIDAY, kind=DayKind.COURT_CLOSED)
        await calendar.set_court_day(court.administrator, request, key=KEY, now=court.now)
        before = app.engine.dump()

        again = await calendar.set_court_day(
            court.administrator, request, key=KEY, now=app.clock.advance(days=30)
        )

        assert again.replayed
        assert again.value.kind is DayKind.COURT_CLOSED
        assert app.engine.dump() == before


class TestImportYear:
    async def test_opens_the_year_to_planning(self, court, calendar):
        request = year_2027(makeup_workdays=(date(2027, 1, 9),))

        await calendar.import_year(court.administrator, request, key=KEY, now=court.now)

        work = await calendar.get_calendar(COURT)
        assert work.kind(date(2027, 1, 1)) is DayKind.HOLIDAY
        assert work.kind(date(2027, 1, 4)) is DayKind.WORKDAY
        assert work.kind(date(2027, 1, 9)) is DayKind.MAKEUP_WORKDAY
        assert work.provisional == {2027}

    async def test_goes_before_the_published_year_and_leaves_single_days(self, court, calendar):
        """The State Council prolonged Spring Festival 2020 after its notice was out."""
        await calendar.set_court_day(
            court.administrator,
            SetCourtDay(on=FRIDAY, kind=DayKind.COURT_CLOSED),
            key=KEY,
            now=court.now,
        )
        amended = ImportYear(
            year=2026,
            provisional=False,
            holidays=(off("2026-10-01", "2026-10-09"),),
            makeup_workdays=(),
        )

        await calendar.import_year(court.administrator, amended, key=f"{KEY}b", now=court.now)

        work = await calendar.get_calendar(COURT)
        assert work.kind(date(2026, 10, 9)) is DayKind.HOLIDAY
        assert work.kind(date(2026, 10, 10)) is DayKind.WEEKEND
        assert work.kind(FRIDAY) is DayKind.COURT_CLOSED

    async def test_under_the_reserved_tenant_counts_for_all_who_have_none(
        self, app, court, calendar
    ):
        await a_court(app, code=OTHER_COURT)
        officer = system(EVERYBODY, "calendar")
        await calendar.import_year(officer, year_2027(), key=KEY, now=court.now)
        longer = off("2027-01-01", "2027-01-04")

        await calendar.import_year(
            court.administrator, year_2027(holidays=(longer,)), key=KEY, now=court.now
        )

        here, there = [await calendar.get_calendar(code) for code in (COURT, OTHER_COURT)]
        assert not here.is_workday(date(2027, 1, 4))
        assert there.is_workday(date(2027, 1, 4))

    @pytest.mark.parametrize(
        ("request_", "path"),
        [
            (year_2027(holidays=()), ("input", "holidays")),
            (year_2027(holidays=(NEW_YEAR, NEW_YEAR)), ("input", "holidays")),
            (
                year_2027(holidays=(off("2027-01-03", "2027-01-01"),)),
                ("input", "holidays", 0),
            ),
            (
                year_2027(
                    holidays=(
                        NEW_YEAR,
                        off("2026-01-01", "2027-02-01"),
                    )
                ),
                ("input", "holidays", 1),
            ),
            (
                year_2027(holidays=(off("2027-01-01", "2027-12-31"),)),
                ("input", "holidays"),
            ),
            (year_2027(makeup_workdays=(date(2027, 1, 8),)), ("input", "makeupWorkdays", 0)),
            (year_2027(makeup_workdays=(date(2027, 1, 2),)), ("input", "makeupWorkdays", 0)),
        ],
    )
    async def test_refuses_a_notice_that_cannot_be(self, app, court, calendar, request_, path):
        before = app.engine.dump()

        with pytest.raises(InvalidInput) as refused:
            await calendar.import_year(court.administrator, request_, key=KEY, now=court.now)

        assert refused.value.path == path
        assert app.engine.dump() == before

    async def test_is_one_import_for_ten_at_once(self, court, calendar):
        """D-05."""
        done = await asyncio.gather(
            *(
                calendar.import_year(court.administrator, year_2027(), key=KEY, now=court.now)
                for _ in range(10)
            )
        )

        assert [d.replayed for d in done].count(False) == 1
        assert {d.value.version for d in done} == {1}

    async def test_refuses_a_year_that_nobody_plans(self, court, calendar):
        first = off("2101-01-01", "2101-01-01")
        request = ImportYear(year=2101, provisional=True, holidays=(first,), makeup_workdays=())

        with pytest.raises(InvalidInput) as refused:
            await calendar.import_year(court.administrator, request, key=KEY, now=court.now)

        assert refused.value.path == ("input", "year")

    async def test_leaves_past_years_as_they_were(self, app, court, calendar):
        before = app.engine.dump()

        with pytest.raises(errors.YearHasPassed):
            await calendar.import_year(
                court.administrator,
                ImportYear(year=2025, provisional=False, holidays=(NEW_YEAR,), makeup_workdays=()),
                key=KEY,
                now=court.now,
            )

        assert app.engine.dump() == before


class TestGetMonth:
    async def test_shows_every_day_of_a_leap_february(self, court, calendar):
        judge = await court.somebody()

        month = await calendar.get_month(judge, year=2024, month=2, now=court.now)

        assert len(month.days) == 29
        assert [d.on.day for d in month.days if d.kind is DayKind.MAKEUP_WORKDAY] == [4, 18]

    @pytest.mark.parametrize(("year", "month"), [(2026, 0), (2026, 13), (2003, 1), (9999, 1)])
    async def test_refuses_months_that_are_none(self, court, calendar, year, month):
        with pytest.raises(InvalidInput):
            await calendar.get_month(court.administrator, year=year, month=month, now=court.now)

    async def test_is_not_for_those_who_left(self, court, calendar):
        judge = await court.somebody(Role.CLERK)
        await court.leaves(judge)

        with pytest.raises(NotPermitted):
            await calendar.get_month(judge, year=2026, month=3, now=court.now)
