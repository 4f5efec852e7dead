"""GraphiQL at `/graphiql`, out of npm packages and without a CDN: tabs for each role of the demo.

Each tab is a step of the README's walk: an operation file, with variables filled in from what the
court serves now, and a token for a day. What only an earlier tab's answer can tell (`<job>`) is
filled in by the page when the tab is run. Tabs live in the page's memory: a token kept in a browser
would go stale.
"""

import json
import secrets
from pathlib import Path
from typing import Any

from infra.local.tab_values import Put, Token, Values, files_for, known
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from courtside.platform.clock import Clock

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "graphql" / "operations"
ASSETS = {
    "graphiql.css": ROOT / "node_modules/graphiql/graphiql.min.css",
    "graphiql.js": ROOT / "node_modules/graphiql/graphiql.min.js",
    "filling.mjs": Path(__file__).with_name("filling.mjs"),
    "react.js": ROOT / "node_modules/react/umd/react.production.min.js",
    "react-dom.js": ROOT / "node_modules/react-dom/umd/react-dom.production.min.js",
}
ROLES = {
    "kitchen": "厨房 kitchen",
    "judge": "法官 judge",
    "clerk": "书记员 clerk",
    "window": "窗口 window",
    "officer": "后勤 officer",
    "finance": "财务 finance",
    "admin": "管理员 admin",
}
_OURS = ("127.0.0.1", "localhost")
_PAGE = Path(__file__).with_name("graphiql.html")
_TABS = Path(__file__).with_name("tabs.json")
FIRST = next(iter(ROLES))


def graphiql_app(url: str, *, clock: Clock, token: Token, put: Put) -> Starlette:
    """The page of a role (`?as=kitchen`) and its assets; `token` signs for a subject, `put` lays a
    file where an import finds it."""

    async def page(request: Request) -> Response:
        role = request.query_params.get("as", FIRST)
        role = role if role in ROLES else FIRST
        if not _is_here(request):
            return HTMLResponse(_page(role, "make -s token", {}))
        now = clock.now()
        values = {**await known(url, token, now), **await files_for(now, put)}
        return HTMLResponse(_page(role, token(role), values))

    return Starlette(routes=[Route("/", page), *[_asset(name) for name in ASSETS]])


def tabs() -> dict[str, list[dict[str, Any]]]:
    """By role: which operation a tab runs, a note on it, its variables, and the code of the refusal
    that it is there to show, if it is."""
    read: dict[str, list[dict[str, Any]]] = json.loads(_TABS.read_text("utf-8"))
    return read


def filled(template: Any, values: Values) -> Any:
    """A tab's variables with each `<name>` replaced by its value, and `<key>` by a fresh key."""
    if isinstance(template, dict):
        return {name: filled(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    if isinstance(template, str) and template.startswith("<key"):
        return f"try-{secrets.token_hex(6)}"
    if isinstance(template, str) and template.startswith("<"):
        return values.get(template.strip("<>"), template)
    return template


def _is_here(request: Request) -> bool:
    """Whether the reader sits at this machine: nobody else is given tokens, neither another host
    of the network nor a site that resolves its own name to this address."""
    name = request.headers.get("host", "").rpartition(":")[0]
    return request.client is not None and request.client.host == "127.0.0.1" and name in _OURS


def _page(role: str, token: str, values: Values) -> str:
    headers = json.dumps({"Authorization": f"Bearer {token}"})
    told = [
        {
            "query": _noted(tab["note"], _document(tab["run"])),
            "variables": json.dumps(filled(tab["with"], values), ensure_ascii=False, indent=2),
            "headers": headers,
        }
        for tab in tabs()[role]
    ]
    links = " ".join(
        f'<a href="?as={each}"{" class=here" if each == role else ""}>{name}</a>'
        for each, name in ROLES.items()
    )
    data = json.dumps(told, ensure_ascii=False).replace("</", "<\\/")
    return _PAGE.read_text("utf-8").replace("@LINKS@", links).replace("@TABS@", data)


def _noted(note: str, document: str) -> str:
    """A document under its note, each language on a line of its own."""
    return "".join(f"# {line}\n" for line in note.split(" / ")) + document


def _document(operation: str) -> str:
    return (OPERATIONS / f"{operation}.graphql").read_text("utf-8")


def _asset(name: str) -> Route:
    async def serve(_: Request) -> Response:
        kind = "text/javascript" if name.endswith("js") else None
        return FileResponse(ASSETS[name], media_type=kind)

    return Route(f"/{name}", serve)
