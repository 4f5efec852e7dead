"""O-06: the worst month that the template allows is bounded, in both currencies."""

import copy
from datetime import date

import pytest
from infra.costs.bill import CEILING, Units, bill, prices, worst_month
from infra.rules.expanded import expand, read


@pytest.fixture(scope="module")
def template():
    return expand(read(), region="cn-north-1")


class TestPrices:
    @pytest.mark.parametrize("currency", ["USD", "CNY"])
    def test_say_where_and_when_they_are_from(self, currency):
        price = prices()[currency]

        assert price["source"]
        assert date.fromisoformat(price["on"]).year >= 2026

    def test_are_added_up(self):
        price = {
            "write_units_million": 1,
            "read_units_million": 2,
            "lambda_requests_million": 4,
            "api_requests_million": 8,
            "queue_requests_million": 16,
            "lambda_gb_second": 32,
        }
        million = 1_000_000
        units = Units(
            writes=million,
            reads=million,
            invocations=million,
            api_requests=million,
            queue_requests=million,
            gb_seconds=1,
        )

        assert bill(units, price) == 1 + 2 + 4 + 8 + 16 + 32


class TestWorstMonth:
    @pytest.mark.parametrize("currency", ["USD", "CNY"])
    def test_stays_below_the_ceiling(self, template, currency):
        worst = bill(worst_month(template), prices()[currency])

        assert CEILING[currency] / 2 < worst <= CEILING[currency]

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("RecordsTable", "OnDemandThroughput", "MaxWriteRequestUnits"), 40_000),
            (("EventWorker", "ReservedConcurrentExecutions"), 5_000),
            (("ThirdParties", "Quota", "Limit"), 50_000_000_000),
        ],
    )
    def test_a_cap_that_is_raised_breaks_it(self, template, path, value):
        raised = copy.deepcopy(template)
        resource, *inner, last = path
        place = raised["Resources"][resource]["Properties"]
        for name in inner:
            place = place[name]
        place[last] = value

        assert bill(worst_month(raised), prices()["USD"]) > CEILING["USD"]
