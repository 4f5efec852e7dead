from datetime import UTC, datetime, timedelta

import pytest
from infra.demo.people import ROLES as STAFF
from infra.local import graphiql
from infra.local.graphiql import ASSETS, FIRST, OPERATIONS, ROLES, filled, graphiql_app, tabs
from infra.local.tab_values import days_of, files_for, of_canteen, of_home
from infra.memory.clock import VirtualClock

NOW = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)


def meal(period, *, closes=3, cancels=2, is_open=True):
    """A meal whose ordering and cancelling end so many hours from now."""
    return {
        "isOpen": is_open,
        "period": period,
        "closesAt": (NOW + timedelta(hours=closes)).isoformat(),
        "changesUntil": (NOW + timedelta(hours=cancels)).isoformat(),
        "cancelsUntil": (NOW + timedelta(hours=cancels)).isoformat(),
        "lines": [{"dishId": f"{period}-1"}] if is_open else [],
    }


def home(*meals, orders=()):
    return {"days": [{"date": "2026-03-04", "meals": meals}], "orders": orders}


class TestTabs:
    def test_exist_for_each_role_and_each_role_for_somebody(self):
        assert set(tabs()) == set(ROLES)
        assert set(ROLES) <= set(STAFF)

    @pytest.mark.parametrize(
        "run", sorted({tab["run"] for each in tabs().values() for tab in each})
    )
    def test_are_operations(self, run):
        assert (OPERATIONS / f"{run}.graphql").is_file()

    def test_are_filled_with_what_is_known_and_fresh_keys(self):
        template = {"input": {"idempotencyKey": "<key>", "lines": [{"dishId": "<dish>"}], "n": 1}}

        first, second = (filled(template, {"dish": "d1"})["input"] for _ in range(2))

        assert first.pop("idempotencyKey") != second.pop("idempotencyKey")
        assert first == second == {"lines": [{"dishId": "d1"}], "n": 1}

    def test_leave_open_what_only_an_answer_can_tell(self):
        assert filled("<job>", {}) == "<job>"


class TestValues:
    def test_are_days_of_this_week_and_the_next(self):
        values = days_of(NOW)

        assert (values["monday"], values["friday"]) == ("2026-03-02", "2026-03-06")
        assert (values["nextMonday"], values["nextFriday"]) == ("2026-03-09", "2026-03-13")
        assert (values["date"], values["period"]) == ("2026-03-04", "LUNCH")

    def test_name_a_meal_that_can_still_be_cancelled(self):
        values = of_home(home(meal("LUNCH", cancels=0), meal("DINNER")), NOW)

        assert (values["period"], values["dish"]) == ("DINNER", "DINNER-1")
        assert values["orderBy"] == "2026-03-04T12:15:00+08:00"

    def test_name_any_open_meal_where_no_other_is(self):
        values = of_home(home(meal("LUNCH", is_open=False), meal("DINNER", cancels=0)), NOW)

        assert values["period"] == "DINNER"

    def test_name_no_meal_where_none_is_open(self):
        assert of_home(home(meal("LUNCH", is_open=False)), NOW) == {}

    def test_name_the_order_that_waits_to_be_picked_up(self):
        states = ("CANCELLED", "PLACED", "PLACED")
        orders = [{"id": n, "state": state, "code": f"K{n}"} for n, state in enumerate(states)]

        values = of_home(home(orders=orders), NOW)

        assert (values["order"], values["code"]) == (1, "K1")

    def test_name_a_real_window_and_the_dishes_of_the_tabs(self):
        canteen = {"id": "c", "windows": ["一号窗口", "二号窗口"]}

        values = of_canteen(canteen, [{"id": "d", "name": "清蒸鲈鱼"}])

        assert values == {"canteen": "c", "window": "二号窗口", "bass": "d"}

    async def test_name_files_that_were_put(self):
        kept = {}

        async def put(data):
            kept[f"f{len(kept)}"] = len(data)
            return f"f{len(kept) - 1}"

        values = await files_for(NOW, put)

        assert (values["menuSha256"], values["menuSize"]) == ("f0", kept["f0"])
        assert (values["topUpSha256"], values["topUpSize"]) == ("f1", kept["f1"])


class TestPage:
    @pytest.mark.parametrize(
        ("client", "host"),
        [("192.0.2.7", "127.0.0.1:8000"), ("127.0.0.1", "evil.example:8000"), ("127.0.0.1", "")],
    )
    async def test_gives_tokens_to_nobody_from_elsewhere(self, monkeypatch, client, host):
        page = await _page(monkeypatch, client, host)

        assert "signed-for" not in page

    async def test_gives_them_to_whoever_sits_here(self, monkeypatch):
        page = await _page(monkeypatch, "127.0.0.1", "127.0.0.1:8000")

        assert f"signed-for-{FIRST}" in page

    def test_comes_from_npm_packages(self):
        assert all(path.is_file() for path in ASSETS.values())


async def _page(monkeypatch, client, host):
    async def known(*_):
        return days_of(NOW)

    async def put(_):
        return "f"

    monkeypatch.setattr(graphiql, "known", known)
    clock = VirtualClock(NOW)
    app = graphiql_app("http://-", clock=clock, token=lambda who: f"signed-for-{who}", put=put)
    sent = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "client": (client, 1),
        "headers": [(b"host", host.encode())],
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 200
    return b"".join(message.get("body", b"") for message in sent).decode()
