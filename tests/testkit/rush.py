"""The kitchen rush: many phones order at once through the whole API, and what must hold afterwards.

One order a diner and lunch. Nothing here depends on the engine: it is prepared as items, and the
same orders run on the engine in memory, on the embedded one, and through the fault proxy.
"""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.memory.clock import MORNING

from courtside import bootstrap
from courtside.entrypoints.graphql_http import build_app as build_view
from courtside.kernel.ids import encode
from courtside.platform.dynamo.database import all_items
from courtside.platform.dynamo.engine import Engine
from courtside.platform.dynamo.patience import PatientEngine
from courtside.platform.dynamo.values import Item, Query
from courtside.platform.gql.documents import TrustedDocuments
from courtside.platform.gql.view import View
from courtside.platform.queues import LocalQueues
from testkit.app import build_app, local_settings
from testkit.factories.meals import MONDAY, PORK, PRICES, RICE, SOUP, a_canteen
from testkit.factories.people import COURT, a_court
from testkit.graphql import Answer, Client, Watched
from testkit.screens import OPERATIONS, document
from testkit.tokens import issuers, token

DAYS = 5  # lunches of one working week
TRIES = 8  # of a phone, always under the same key
UNSURE = ("BUSY", "INTERNAL")  # codes that say nothing of what became of an order
WALLET = 100_000  # fen in every wallet
SUBSIDY = 1_500


class RunningClock:
    """Monday morning in Shanghai, running on from the rush's first second; jitter from a seed."""

    def __init__(self, *, seed: int) -> None:
        self._began = time.monotonic()
        self._chance = random.Random(seed)

    def now(self) -> datetime:
        return MORNING + timedelta(seconds=self.monotonic() - self._began)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jitter(self, most: float) -> float:
        return self._chance.uniform(0, most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One order that a phone sends, with its variables, until it knows what became of it."""

    subject: str
    day: date
    key: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """A prepared court: the items of its tables, its orders to come, and the portions at first."""

    folder: Path
    canteen: str
    items: Mapping[str, Sequence[Item]]
    wishes: Sequence[Wish]

    async def load(self, engine: Engine) -> None:
        """Put the prepared items into an engine."""
        for table, items in self.items.items():
            for at in range(0, len(items), 25):
                await engine.put_many(table, items[at : at + 25])


@dataclass(slots=True, kw_only=True)
class Told:
    """What the phones were told."""

    placed: set[str] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)
    sold_out: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    tries: int = 0
    repeats: int = 0
    contradictions: int = 0

    def p(self, percent: int) -> float:
        """How many seconds that share of the phones waited at most."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """D-01, from the books afterwards: all of these are zero."""

    oversold: int
    not_conserved: int
    lost_acknowledgements: int
    false_refusals: int

    @property
    def is_right(self) -> bool:
        return not any(
            (self.oversold, self.not_conserved, self.lost_acknowledgements, self.false_refusals)
        )


@dataclass(slots=True, kw_only=True)
class Kitchen:
    """The whole API of the rush's court on one engine."""

    rush: Rush
    engine: Engine
    clock: RunningClock
    app: bootstrap.App
    view: View
    queues: LocalQueues
    repeated: float = 0.0  # how often a request arrives twice at once
    _chance: random.Random = field(default_factory=lambda: random.Random(0))
    _tokens: dict[str, str] = field(default_factory=dict)

    def phone(self, subject: str) -> Client:
        """The client of one diner, signed in on Monday morning."""
        if subject not in self._tokens:
            self._tokens[subject] = token(subject, court=COURT, now=MORNING)
        return Client(view=self.view, token=self._tokens[subject])

    async def order(self, wish: Wish, told: Told) -> None:
        """Send one order until its outcome is known, as a phone does that has lost its answer."""
        began = time.perf_counter()
        code = ""
        for _ in range(TRIES):
            told.tries += 1
            sent = await self._send(wish, told)
            code = _code(sent)
            if code not in UNSURE:
                break
        if code == "":
            told.placed.add(sent.data["placeMealOrder"]["order"]["id"])
        told.codes[code or "PLACED"] += 1
        told.sold_out.update([wish.day.isoformat()] * (code == "SOLD_OUT"))
        told.seconds.append(time.perf_counter() - began)

    async def _send(self, wish: Wish, told: Told) -> Answer:
        """Send it once; or twice at once, as a network does, which must not be told two things."""

        async def once() -> Answer:
            phone = self.phone(wish.subject)
            return await phone.trusted(document("PlaceMealOrder"), wish.variables)

        if self._chance.random() >= self.repeated:
            return await once()
        told.repeats += 1
        answers = await asyncio.gather(once(), once())
        told.contradictions += len({_code(answer) for answer in answers} - set(UNSURE)) > 1
        return next((a for a in answers if _code(a) not in UNSURE), answers[0])

    async def serve(self, wishes: Iterable[Wish], *, clients: int) -> Told:
        """All orders, by that many phones at a time."""
        told = Told()
        left = iter(wishes)

        async def one() -> None:
            for wish in left:
                await self.order(wish, told)

        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(one())
        return told

    async def check(self, told: Told) -> Found:
        """Compare what the phones were told with the books."""
        orders = [order for day in _days() for order in await self._orders(day)]
        sold = _sold(orders)
        lines = [line for day in _days() for line in await self._lines(day)]
        planned = {_line(i): int(i["pl"]["N"]) for i in lines}
        left = {_line(i): int(i["available"]["N"]) for i in lines}
        kept = {encode("MealOrder", *_place(order)) for order in orders}
        empty = {name.partition("#")[0] for name, portions in left.items() if portions <= 0}
        other = sum(n for code, n in told.codes.items() if code not in ("PLACED", "SOLD_OUT"))
        return Found(
            oversold=sum(max(0, sold[name] - planned[name]) for name in planned),
            not_conserved=sum(left[name] + sold[name] != planned[name] for name in planned),
            lost_acknowledgements=len(told.placed - kept),
            false_refusals=other + sum(n for day, n in told.sold_out.items() if day not in empty),
        )

    async def _orders(self, day: date) -> list[Item]:
        return await self._all(f"{COURT}#MEALS#ORDERS#{day.isoformat()}#LUNCH")

    async def _lines(self, day: date) -> list[Item]:
        found = await self._all(f"{COURT}#MEALS#MENU#{self.rush.canteen}#{day.isoformat()}")
        return [item for item in found if item["sk"]["S"].startswith("LINE#LUNCH#")]

    async def _all(self, pk: str) -> list[Item]:
        query = Query(table="records", pk=pk, consistent=True)
        patient = PatientEngine(self.engine, self.clock)
        return [item async for item in all_items(patient, query)]


def open_kitchen(rush: Rush, engine: Engine, *, seed: int) -> Kitchen:
    """The API as it is deployed, on that engine."""
    clock = RunningClock(seed=seed)
    queues = LocalQueues(":memory:", clock)
    settings = local_settings(rush.folder, issuers=issuers(COURT))
    app = bootstrap.build(settings, clock=clock, engine=engine, queues=queues)
    view = build_view(app, watch=Watched(), documents=TrustedDocuments(OPERATIONS))
    return Kitchen(rush=rush, engine=engine, clock=clock, app=app, view=view, queues=queues)


async def prepare(
    folder: Path, *, orders: int, portions: int, seed: int, dishes: int = len(PRICES)
) -> Rush:
    """A court with enough diners for that many orders and `portions` of each dish and day."""
    served = [*PRICES, *(f"小菜{n}" for n in range(dishes - len(PRICES)))]
    with build_app(folder, issuers=issuers(COURT)) as app:
        court = await a_court(app)
        canteen = await a_canteen(court)
        await canteen.grants_subsidy(SUBSIDY)
        for day in _days():
            await canteen.serves(dict.fromkeys(served, portions), on=day)
        subjects = [f"D{n:05}" for n in range(-(-orders // DAYS))]
        for subject in subjects:
            await canteen.tops_up(await court.somebody(staff_no=subject), WALLET)
        wishes = _wishes(canteen.id, canteen.dish, subjects)[:orders]
        random.Random(seed).shuffle(wishes)
        return Rush(folder=folder, canteen=canteen.id, items=app.engine.dump(), wishes=wishes)


def _wishes(canteen: str, dish: Any, subjects: Sequence[str]) -> list[Wish]:
    lines = [
        {"dishId": encode("Dish", canteen, dish(name)), "quantity": 1}
        for name in (PORK, RICE, SOUP)
    ]
    return [
        Wish(
            subject=subject,
            day=day,
            key=f"rush-{subject}-{day:%d}",
            variables={
                "input": {
                    "idempotencyKey": f"rush-{subject}-{day:%d}",
                    "canteenId": encode("Canteen", canteen),
                    "date": day.isoformat(),
                    "period": "LUNCH",
                    "lines": lines,
                }
            },
        )
        for subject in subjects
        for day in _days()
    ]


def _days() -> list[date]:
    return [MONDAY + timedelta(days=n) for n in range(DAYS)]


def _code(answer: Answer) -> str:
    """The code of a refusal or fault; empty when the order stands."""
    body = answer.body
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    refused = body["data"]["placeMealOrder"]["errors"]
    return str(refused[0]["code"]) if refused else ""


def _sold(orders: Iterable[Item]) -> defaultdict[str, int]:
    """Portions in live orders, by day and dish."""
    sold: defaultdict[str, int] = defaultdict(int)
    for order in orders:
        day = order["pk"]["S"].split("#")[3]
        for dish, _, quantity, _ in json.loads(order["l"]["S"]):
            sold[f"{day}#{dish}"] += quantity * (order["st"]["S"] != "CANCELLED")
    return sold


def _line(item: Item) -> str:
    return f"{item['pk']['S'].rpartition('#')[2]}#{item['sk']['S'].rpartition('#')[2]}"


def _place(order: Item) -> tuple[str, str, str]:
    _, _, _, day, period = order["pk"]["S"].split("#")
    return day, period, order["sk"]["S"]
