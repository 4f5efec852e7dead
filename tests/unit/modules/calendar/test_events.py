from datetime import date

from courtside.kernel.workdays import DayKind
from courtside.modules.calendar.contracts import Holiday, ImportYear, SetCourtDay
from courtside.modules.calendar.service import Calendar
from testkit.facts import facts, schema_errors


class TestFacts:
    async def test_are_what_their_schemas_say(self, app, court):
        calendar = app.get(Calendar)
        for n, kind in enumerate((DayKind.COURT_CLOSED, None)):
            await calendar.set_court_day(
                court.administrator,
                SetCourtDay(on=date(2026, 3, 6), kind=kind),
                key=f"events-day-{n}",
                now=court.now,
            )
        new_year = Holiday(starts_on=date(2027, 1, 1), ends_on=date(2027, 1, 3))
        await calendar.import_year(
            court.administrator,
            ImportYear(year=2027, provisional=True, holidays=(new_year,), makeup_workdays=()),
            key="events-year",
            now=court.now,
        )

        told = [fact for fact in facts(app.engine) if fact.name.startswith("calendar.")]

        assert [fact.version for fact in told] == [1, 2, 1]
        assert [schema_errors(fact) for fact in told if schema_errors(fact)] == []
