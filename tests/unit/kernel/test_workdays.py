import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courtside.kernel.workdays import (
    CalendarYearMissing,
    Count,
    CutOff,
    DayKind,
    WorkCalendar,
    business_day,
    local_instant,
)
from courtside.platform.workdays_source import state_council

CHINA = state_council()
SHANGHAI = ZoneInfo("Asia/Shanghai")
BREAKFAST = CutOff(days_before=1, at=time(17, 0))
LUNCH = CutOff(days_before=0, at=time(9, 30))
DAY_BEFORE = CutOff(days_before=1, at=time(17, 0), count=Count.CALENDAR_DAYS)

days = st.dates(date(2004, 2, 1), date(2026, 12, 31))
cut_offs = st.builds(
    CutOff,
    days_before=st.integers(0, 5),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    count=st.sampled_from(Count),
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class TestKind:
    @pytest.mark.parametrize(
        ("day", "kind"),
        [
            ("2026-02-13", DayKind.WORKDAY),
            ("2026-02-14", DayKind.MAKEUP_WORKDAY),  # the Saturday before Spring Festival
            ("2026-02-16", DayKind.HOLIDAY),
            ("2026-02-28", DayKind.MAKEUP_WORKDAY),
            ("2026-03-01", DayKind.WEEKEND),
            ("2026-09-20", DayKind.MAKEUP_WORKDAY),  # the Sunday before National Day
            ("2026-10-07", DayKind.HOLIDAY),
            ("2026-10-10", DayKind.MAKEUP_WORKDAY),
        ],
    )
    def test_follows_the_notice(self, day, kind):
        assert CHINA.kind(date.fromisoformat(day)) is kind

    def test_refuses_to_guess_a_year_without_data(self):
        with pytest.raises(CalendarYearMissing) as refused:
            CHINA.kind(date(2027, 1, 4))

        assert refused.value.year == 2027
        assert "2027" in refused.value.message("zh")
        assert "2027" in refused.value.message("en")

    def test_refuses_when_counting_back_leaves_the_known_years(self):
        with pytest.raises(CalendarYearMissing) as refused:
            CHINA.workday_before(date(2004, 1, 5), 3)

        assert refused.value.year == 2003

    @given(days)
    def test_works_at_a_weekend_only_by_make_up(self, day):
        if day.weekday() >= 5 and CHINA.is_workday(day):
            assert CHINA.kind(day) is DayKind.MAKEUP_WORKDAY


class TestCutOff:
    """D-08 at the level of the rule: when it becomes too late, to the millisecond."""

    @pytest.mark.parametrize(
        ("rule", "day", "too_late"),
        [
            (BREAKFAST, "2026-03-04", "2026-03-03 17:00"),
            (BREAKFAST, "2026-03-02", "2026-02-28 17:00"),  # Monday after a make-up Saturday
            (BREAKFAST, "2026-09-21", "2026-09-20 17:00"),  # Monday after a make-up Sunday
            (BREAKFAST, "2026-02-24", "2026-02-14 17:00"),  # first day after Spring Festival
            (BREAKFAST, "2026-02-18", "2026-02-14 17:00"),  # a meal within Spring Festival
            (LUNCH, "2026-03-04", "2026-03-04 09:30"),
            (LUNCH, "2026-02-28", "2026-02-28 09:30"),  # lunch on the make-up Saturday itself
            (LUNCH, "2026-02-16", "2026-02-14 09:30"),  # cut-off on a holiday moves earlier
            (LUNCH, "2026-03-08", "2026-03-06 09:30"),  # and on a Sunday to the Friday
            (DAY_BEFORE, "2026-03-09", "2026-03-06 17:00"),  # the Sunday before moves to Friday
            (DAY_BEFORE, "2026-02-24", "2026-02-14 17:00"),
            (BREAKFAST, "2026-01-04", "2025-12-31 17:00"),  # across New Year
        ],
    )
    def test_resolves_on_the_work_calendar(self, rule, day, too_late):
        resolved = rule.resolve(date.fromisoformat(day), CHINA)

        assert resolved == local(too_late)
        assert resolved.utcoffset() == timedelta(0)

    def test_is_decided_to_the_millisecond_with_an_exclusive_bound(self):
        closes_at = LUNCH.resolve(date(2026, 3, 4), CHINA)
        around = [closes_at + timedelta(milliseconds=ms) for ms in (-1, 0, 1)]

        assert [now < closes_at for now in around] == [True, False, False]
        assert closes_at.astimezone(SHANGHAI).isoformat() == "2026-03-04T09:30:00+08:00"

    @given(days, cut_offs)
    def test_falls_on_a_work_day_at_its_local_time(self, day, rule):
        resolved = rule.resolve(day, CHINA).astimezone(SHANGHAI)

        assert CHINA.is_workday(resolved.date())
        assert resolved.date() <= day
        assert resolved.time() == rule.at

    @given(days, cut_offs)
    def test_leaves_exactly_the_days_asked_for(self, day, rule):
        due = rule.resolve(day, CHINA).astimezone(SHANGHAI).date()
        between = [due + timedelta(days=n) for n in range((day - due).days)]
        worked = sum(CHINA.is_workday(one) for one in between)

        if rule.count is Count.WORKDAYS:
            assert worked == (rule.days_before or (not CHINA.is_workday(day)))
        else:
            latest = day - timedelta(days=rule.days_before)
            gap = [due + timedelta(days=n + 1) for n in range((latest - due).days)]
            assert not any(CHINA.is_workday(one) for one in gap)

    @given(days, cut_offs)
    def test_never_moves_later_for_an_earlier_day(self, day, rule):
        earlier = day - timedelta(days=1)

        assert rule.resolve(earlier, CHINA) <= rule.resolve(day, CHINA)

    def test_accepts_nothing_late_in_ten_thousand_random_moments(self):
        """D-08: the local wall clock, read without any zone, is the judge."""
        chance = random.Random(20260302)
        wrong = 0
        for _ in range(10_000):
            day = date(2026, 1, 12) + timedelta(days=chance.randrange(350))
            rule = chance.choice([BREAKFAST, LUNCH, DAY_BEFORE])
            wall = datetime.combine(day, time(0)) - timedelta(seconds=chance.randrange(12 * 86_400))
            due = day - timedelta(days=rule.days_before)
            if rule.count is Count.WORKDAYS and rule.days_before:
                due = next(d for d in _back(day - timedelta(days=1)) if CHINA.is_workday(d))
            due = next(d for d in _back(due) if CHINA.is_workday(d))
            bound = datetime.combine(due, rule.at)
            if chance.random() < 0.3:
                wall = bound + timedelta(milliseconds=chance.choice([-1, 0, 1]))
            late = wall >= bound
            now = wall.replace(tzinfo=SHANGHAI).astimezone(UTC)
            wrong += late != (now >= rule.resolve(day, CHINA))

        assert wrong == 0

    def test_catches_a_rule_that_knows_only_weekends(self):
        """The broken twin: without holidays and make-up days it is wrong on real dates."""
        naive = WorkCalendar(special={}, years=CHINA.years)
        year = [date(2026, 1, 5) + timedelta(days=n) for n in range(360)]

        differs = [d for d in year if BREAKFAST.resolve(d, naive) != BREAKFAST.resolve(d, CHINA)]

        assert date(2026, 2, 24) in differs
        assert date(2026, 9, 21) in differs


class TestBusinessDay:
    @pytest.mark.parametrize(
        ("now", "day"),
        [
            ("2026-03-03 00:30", date(2026, 3, 2)),  # a hot meal after midnight
            ("2026-03-03 03:59:59.999", date(2026, 3, 2)),
            ("2026-03-03 04:00", date(2026, 3, 3)),
            ("2026-03-03 23:59:59.999", date(2026, 3, 3)),
            ("2026-01-01 02:00", date(2025, 12, 31)),
        ],
    )
    def test_begins_at_four(self, now, day):
        assert business_day(local(now).astimezone(UTC)) == day

    def test_knows_the_summer_time_of_1988(self):
        """Shanghai was at +09:00 then; a fixed +08:00 would say 03:30 and the day before."""
        assert business_day(datetime(1988, 7, 1, 19, 30, tzinfo=UTC)) == date(1988, 7, 2)

    @given(st.floats(1.0e9, 2.0e9).map(lambda second: datetime.fromtimestamp(second, UTC)))
    def test_lies_within_a_day_of_the_local_date(self, now):
        day = business_day(now)
        begins = local_instant(day, time(4, 0))

        assert begins <= now < begins + timedelta(days=1)


def _back(day: date):
    while True:
        yield day
        day -= timedelta(days=1)
