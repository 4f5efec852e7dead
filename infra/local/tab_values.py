"""What GraphiQL's tabs are filled with: the days around now, the demo's canteen, an open meal and
an order of it, and files that lie ready to be imported.
"""

import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp

from courtside.kernel.workdays import ZONE

Token = Callable[[str], str]
Put = Callable[[bytes], Awaitable[str]]
Values = Mapping[str, Any]

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"
DISHES = {"bass": "清蒸鲈鱼", "porridge": "小米粥"}
_BOUNDS = {"orderBy": "closesAt", "changeBy": "changesUntil", "cancelBy": "cancelsUntil"}
_LATER = timedelta(minutes=15)
_TOP_UP = (("工号", "金额(元)"), ("judge", "50.00"), ("clerk", "50.00"))


async def known(url: str, token: Token, now: datetime) -> dict[str, Any]:
    """Asked of the API itself: canteens and the judge's home as her phone would, dishes as the
    kitchen. Without a demo only the days are known."""
    async with aiohttp.ClientSession() as session:

        async def ask(who: str, operation: str, **variables: Any) -> Any:
            query = (OPERATIONS / f"{operation}.graphql").read_text("utf-8")
            headers = {"Authorization": f"Bearer {token(who)}"}
            body = {"query": query, "variables": variables}
            async with session.post(f"{url}/graphql", json=body, headers=headers) as answer:
                data = (await answer.json(content_type=None))["data"] or {}
            return next(iter(data.values()), None)

        canteens = await ask("judge", "office/Canteens") or []
        if not canteens:
            return days_of(now)
        canteen = max(canteens, key=lambda one: len(one["windows"]))
        home = await ask("judge", "phone/Home", canteenId=canteen["id"])
        dishes = await ask("kitchen", "office/Dishes", canteenId=canteen["id"]) or []
    return {**days_of(now), **of_canteen(canteen, dishes), **of_home(home or {}, now)}


def days_of(now: datetime) -> dict[str, Any]:
    """The days of this week and the next; a meal of today, until an open one is known."""
    today = now.astimezone(ZONE).date()
    monday = today - timedelta(days=today.weekday())

    def after(days: int) -> str:
        return (monday + timedelta(days=days)).isoformat()

    return {
        "today": today.isoformat(),
        "date": today.isoformat(),
        "period": "LUNCH",
        "monday": after(0),
        "friday": after(4),
        "nextMonday": after(7),
        "nextFriday": after(11),
        "nextSaturday": after(12),
        "year": today.year,
        "month": today.month,
    }


def of_canteen(canteen: Values, dishes: Iterable[Values]) -> dict[str, Any]:
    """The canteen, one of its windows, and the dishes that tabs name."""
    ids = {dish["name"]: dish["id"] for dish in dishes}
    named = {word: ids[name] for word, name in DISHES.items() if name in ids}
    return {"canteen": canteen["id"], "window": canteen["windows"][-1], **named}


def of_home(home: Values, now: datetime) -> dict[str, Any]:
    """The meal to order: the first that can still be cancelled, or else that is open; and the
    judge's order that waits to be picked up."""
    found: dict[str, Any] = {}
    open_ = [(day, meal) for day in home.get("days", ()) for meal in day["meals"] if meal["isOpen"]]
    free = [one for one in open_ if _instant(one[1]["cancelsUntil"]) > now + _LATER]
    for day, meal in (free or open_)[:1]:
        found |= {"date": day["date"], "period": meal["period"], "dish": meal["lines"][0]["dishId"]}
        for name, bound in _BOUNDS.items():
            found[name] = (_instant(meal[bound]) + _LATER).astimezone(ZONE).isoformat()
    for order in home.get("orders", ()):
        if order["state"] == "PLACED" and "order" not in found:
            found |= {"order": order["id"], "code": order["code"]}
    return found


async def files_for(now: datetime, put: Put) -> dict[str, Any]:
    """Next week's menu and a list of top-ups, put where an import finds them."""
    today = now.astimezone(ZONE).date()
    menu, top_up = _menu(today - timedelta(days=today.weekday() - 7)), _top_up()
    return {
        "menuSha256": await put(menu),
        "menuSize": len(menu),
        "topUpSha256": await put(top_up),
        "topUpSize": len(top_up),
    }


@cache
def _menu(monday: date) -> bytes:
    from infra.demo.week_sheet import week_book

    book = io.BytesIO()
    week_book(monday).save(book)
    return book.getvalue()


def _top_up() -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(_TOP_UP)
    return text.getvalue().encode("utf-8-sig")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
