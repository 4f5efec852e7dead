import json
from datetime import UTC, datetime

import pytest
from infra.local.graphiql import ASSETS, OPERATIONS, ROLES, filled, graphiql_app, values_of

from testkit.clock import VirtualClock

TABS = json.loads((OPERATIONS.parents[1] / "infra" / "local" / "tabs.json").read_text("utf-8"))
NOW = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
HOME = {
    "canteen": {"id": "c1"},
    "days": [
        {"date": "2026-03-04", "meals": [{"isOpen": False, "period": "LUNCH", "lines": []}]},
        {
            "date": "2026-03-05",
            "meals": [{"isOpen": True, "period": "DINNER", "lines": [{"dishId": "d1"}]}],
        },
    ],
    "orders": [{"id": "o1", "code": "K7"}],
}


class TestTabs:
    def test_exist_for_each_role(self):
        assert set(TABS) == set(ROLES)

    @pytest.mark.parametrize("name", sorted({name for tabs in TABS.values() for name, _ in tabs}))
    def test_are_operations(self, name):
        assert (OPERATIONS / f"{name}.graphql").is_file()

    def test_are_filled_from_what_is_open_now(self):
        values = values_of(HOME, NOW)

        told = filled(dict(TABS["judge"])["phone/PlaceMealOrder"], values)["input"]

        assert told.pop("idempotencyKey").startswith("try-")
        assert told == {
            "canteenId": "c1",
            "date": "2026-03-05",
            "period": "DINNER",
            "lines": [{"dishId": "d1", "quantity": 1}],
        }

    def test_know_the_week_without_anything_open(self):
        values = values_of({}, NOW)

        assert filled({"from": "<monday>", "to": "<friday>"}, values) == {
            "from": "2026-03-02",
            "to": "2026-03-06",
        }
        assert filled("<dish>", values) == "<dish>"


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

        assert "signed-for-judge" in page

    def test_comes_from_npm_packages(self):
        assert all(path.is_file() for path in ASSETS.values())


async def _page(monkeypatch, client, host):
    async def home(*_):
        return values_of(HOME, NOW)

    monkeypatch.setattr("infra.local.graphiql._values", home)
    app = graphiql_app("http://-", clock=VirtualClock(NOW), token=lambda who: f"signed-for-{who}")
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
