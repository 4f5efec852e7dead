"""GraphiQL at `/graphiql`, out of npm packages and without a CDN: tabs for each role of the demo.

Each tab is an operation file with its variables filled in from what the court serves now, and a
token for a day. Tabs live in the page's memory: a token kept in a browser would go stale.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from courtside.kernel.workdays import ZONE
from courtside.platform.clock import Clock

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "graphql" / "operations"
ASSETS = {
    "graphiql.css": ROOT / "node_modules/graphiql/graphiql.min.css",
    "graphiql.js": ROOT / "node_modules/graphiql/graphiql.min.js",
    "react.js": ROOT / "node_modules/react/umd/react.production.min.js",
    "react-dom.js": ROOT / "node_modules/react-dom/umd/react-dom.production.min.js",
}
ROLES = {
    "judge": "法官 judge",
    "officer": "后勤 officer",
    "kitchen": "厨房 kitchen",
    "window": "窗口 window",
    "finance": "财务 finance",
    "admin": "管理员 admin",
}
_OURS = ("127.0.0.1", "localhost")
_PAGE = Path(__file__).with_name("graphiql.html")
_TABS = Path(__file__).with_name("tabs.json")

Token = Callable[[str], str]
Values = Mapping[str, Any]


def graphiql_app(url: str, *, clock: Clock, token: Token) -> Starlette:
    """The page of a role (`?as=kitchen`) and its assets; `token` signs for a subject."""

    async def page(request: Request) -> Response:
        role = request.query_params.get("as", "judge")
        role = role if role in ROLES else "judge"
        signed = token if _is_here(request) else _unsigned
        values = await _values(url, clock, signed)
        return HTMLResponse(_page(role, signed(role), values))

    return Starlette(routes=[Route("/", page), *[_asset(name) for name in ASSETS]])


def filled(template: Any, values: Values) -> Any:
    """A tab's variables with each `<name>` replaced by its value, and `<key>` by a fresh key."""
    if isinstance(template, dict):
        return {name: filled(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    if template == "<key>":
        return f"try-{secrets.token_hex(6)}"
    if isinstance(template, str) and template.startswith("<"):
        return values.get(template.strip("<>"), template)
    return template


def values_of(home: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What the tabs can be filled with: days around now, and from the judge's home its canteen,
    the next open meal, a dish of it, and the latest order."""
    today = now.astimezone(ZONE).date()
    monday = today - timedelta(days=today.weekday())
    found: dict[str, Any] = {
        "now": now.astimezone(ZONE).isoformat(timespec="seconds"),
        "date": today.isoformat(),
        "monday": monday.isoformat(),
        "friday": (monday + timedelta(days=4)).isoformat(),
        "year": today.year,
        "month": today.month,
        "period": "LUNCH",
    }
    canteen = home.get("canteen")
    if canteen:
        found["canteen"] = canteen["id"]
    for day in home.get("days", ()):
        for meal in day["meals"]:
            if meal["isOpen"] and meal["lines"] and "dish" not in found:
                line = meal["lines"][0]
                found |= {"date": day["date"], "period": meal["period"], "dish": line["dishId"]}
    for order in home.get("orders", ()):
        found |= {"order": order["id"], "code": order.get("code")}
    return found


def _is_here(request: Request) -> bool:
    """Whether the reader sits at this machine: nobody else is given tokens, neither another host
    of the network nor a site that resolves its own name to this address."""
    name = request.headers.get("host", "").rpartition(":")[0]
    return request.client is not None and request.client.host == "127.0.0.1" and name in _OURS


def _unsigned(_: str) -> str:
    return "make -s token"


def _page(role: str, token: str, values: Values) -> str:
    tabs = json.loads(_TABS.read_text("utf-8"))[role]
    headers = json.dumps({"Authorization": f"Bearer {token}"})
    told = [
        {
            "query": (OPERATIONS / f"{name}.graphql").read_text("utf-8"),
            "variables": json.dumps(filled(variables, values), ensure_ascii=False, indent=2),
            "headers": headers,
        }
        for name, variables in tabs
    ]
    links = " ".join(
        f'<a href="?as={each}"{" class=here" if each == role else ""}>{name}</a>'
        for each, name in ROLES.items()
    )
    data = json.dumps(told, ensure_ascii=False).replace("</", "<\\/")
    return _PAGE.read_text("utf-8").replace("@LINKS@", links).replace("@TABS@", data)


async def _values(url: str, clock: Clock, token: Token) -> dict[str, Any]:
    """Asked of the API itself, as the judge's phone would."""
    headers = {"Authorization": f"Bearer {token('judge')}"}
    home = {"query": (OPERATIONS / "phone" / "Home.graphql").read_text("utf-8")}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/graphql", json=home) as answer,
    ):
        told = await answer.json(content_type=None)
    return values_of((told.get("data") or {}).get("mealsHome") or {}, clock.now())


def _asset(name: str) -> Route:
    async def serve(_: Request) -> Response:
        return FileResponse(ASSETS[name])

    return Route(f"/{name}", serve)
