"""Every operation on the work calendar as its screen sends it."""

import pytest

from testkit.factories.people import ADMINISTRATOR, COURT
from testkit.screens import Screen, screens

NOW = "2026-03-02T09:00:00.000+08:00"


@pytest.fixture
def office(app, court) -> Screen:
    return screens(app).of(ADMINISTRATOR, court=COURT)


class TestWorkCalendar:
    async def test_shows_the_make_up_saturdays_of_spring_festival(self, app, court):
        await court.somebody(staff_no="J1")

        answer = await screens(app).of("J1", court=COURT).show("WorkCalendar", year=2026, month=2)

        month = answer.data["workCalendar"]
        days = {day["on"]: (day["kind"], day["isWorked"]) for day in month["days"]}
        assert len(days) == 28
        assert days["2026-02-14"] == ("MAKEUP_WORKDAY", True)
        assert days["2026-02-16"] == ("HOLIDAY", False)
        assert days["2026-02-22"] == ("HOLIDAY", False)
        assert days["2026-02-28"] == ("MAKEUP_WORKDAY", True)
        assert {name: month[name] for name in ("year", "month", "provisional", "serverNow")} == {
            "year": 2026,
            "month": 2,
            "provisional": False,
            "serverNow": NOW,
        }
        assert (answer.meter.reads, answer.meter.rounds) == (3, 1)
        assert len(answer.raw) < 4 * 1024

    async def test_names_the_year_that_nobody_imported(self, office):
        answer = await office.show("WorkCalendar", year=2027, month=1)

        assert answer.codes == ["CALENDAR_YEAR_MISSING"]
        assert "2027" in answer.raw.decode()


class TestSetCourtDay:
    async def test_closes_the_court_for_a_day(self, app, office):
        given = {"on": "2026-03-06", "kind": "COURT_CLOSED"}

        answer = await office.do("SetCourtDay", given)
        again = await office.do("SetCourtDay", given)

        assert answer.data["setCourtDay"] == {
            "day": {
                "on": "2026-03-06",
                "kind": "COURT_CLOSED",
                "isWorked": False,
                "setByCourt": True,
            },
            "errors": [],
            "replayed": False,
        }
        assert again.data["setCourtDay"] == {**answer.data["setCourtDay"], "replayed": True}
        assert answer.meter.rounds == 2
        assert answer.meter.items_written == 2  # journal and the year

    async def test_tells_the_missing_year_as_a_fact(self, app, office):
        before = app.engine.dump()

        answer = await office.do("SetCourtDay", {"on": "2027-05-03", "kind": "HOLIDAY"})

        assert answer.data["setCourtDay"] == {
            "day": None,
            "errors": [
                {
                    "code": "CALENDAR_YEAR_MISSING",
                    "message": "2027 年的工作日历尚未导入,请管理员先导入。",
                    "path": None,
                    "year": 2027,
                }
            ],
            "replayed": False,
        }
        assert app.engine.dump() == before

    async def test_leaves_the_past_alone(self, app, office):
        before = app.engine.dump()

        answer = await office.do("SetCourtDay", {"on": "2026-03-01", "kind": "WORKDAY"})

        assert [e["code"] for e in answer.data["setCourtDay"]["errors"]] == ["DAY_HAS_PASSED"]
        assert app.engine.dump() == before


class TestImportCalendarYear:
    async def test_opens_next_year(self, office):
        given = {
            "year": 2027,
            "provisional": True,
            "holidays": [{"startsOn": "2027-01-01", "endsOn": "2027-01-03"}],
            "makeupWorkdays": ["2027-01-09"],
        }

        answer = await office.do("ImportCalendarYear", given)

        assert answer.data["importCalendarYear"] == {
            "calendarYear": {
                "year": 2027,
                "provisional": True,
                "daysOff": ["2027-01-01", "2027-01-02", "2027-01-03"],
                "makeupWorkdays": ["2027-01-09"],
            },
            "errors": [],
            "replayed": False,
        }
        month = await office.show("WorkCalendar", year=2027, month=1)
        assert month.data["workCalendar"]["provisional"]

    async def test_names_the_line_of_the_notice_that_cannot_be(self, app, office):
        before = app.engine.dump()
        given = {
            "year": 2027,
            "provisional": False,
            "holidays": [{"startsOn": "2027-01-01", "endsOn": "2027-01-03"}],
            "makeupWorkdays": ["2027-01-09", "2027-01-11"],
        }

        answer = await office.do("ImportCalendarYear", given)

        assert answer.data["importCalendarYear"]["errors"] == [
            {
                "code": "INVALID_INPUT",
                "message": "“makeupWorkdays”填写有误:调休上班日应为周六或周日",
                "path": ["input", "makeupWorkdays", "1"],
            }
        ]
        assert app.engine.dump() == before
