"""What a scalar takes from outside: anything else is the caller's error and never a fault."""

from datetime import UTC, date, datetime

import pytest
from graphql import GraphQLError

from courtside.platform.gql.scalars import SCALARS

INSTANTS, DAYS = SCALARS[datetime], SCALARS[date]


class TestInstants:
    @pytest.mark.parametrize(
        ("text", "year"),
        [("2000-01-01T00:00:00+14:00", 1999), ("2200-12-31T23:59:59-12:00", 2201)],
    )
    def test_can_be_shifted_to_utc_at_either_end(self, text, year):
        assert INSTANTS.parse_value(text).astimezone(UTC).year == year

    @pytest.mark.parametrize(
        "text",
        [
            "0001-01-01T00:00:00+14:00",
            "1999-12-31T23:59:59Z",
            "2201-01-01T00:00:00Z",
            "9999-12-31T23:59:59-12:00",
        ],
    )
    def test_of_other_years_are_refused(self, text):
        with pytest.raises(GraphQLError, match="2000-2200"):
            INSTANTS.parse_value(text)

    @pytest.mark.parametrize("text", ["2026-03-02T09:30:00", "2026-03-02", "", "now", None, 5])
    def test_need_an_offset(self, text):
        with pytest.raises(GraphQLError, match="offset"):
            INSTANTS.parse_value(text)


class TestDays:
    @pytest.mark.parametrize("text", ["2000-01-01", "2200-12-31"])
    def test_reach_from_end_to_end(self, text):
        assert DAYS.parse_value(text).isoformat() == text

    @pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31", "2201-01-01", "9999-12-31"])
    def test_of_other_years_are_refused(self, text):
        with pytest.raises(GraphQLError, match="2000-2200"):
            DAYS.parse_value(text)

    @pytest.mark.parametrize("text", ["2026-02-30", "", "today", None, 5])
    def test_exist(self, text):
        with pytest.raises(GraphQLError, match="expected a date"):
            DAYS.parse_value(text)
