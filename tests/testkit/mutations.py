"""A court in the middle of its morning, and one good input of every mutation there is.

`tests/contract/test_every_mutation.py` compares MUTATIONS with the schema: a new mutation must say
here, or as MUTATIONS of its module's factories, how it is asked, and is then tried under lost
answers, other inputs and late replays.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from courtside.kernel.actor import Principal, Role
from courtside.kernel.ids import encode
from courtside.platform.dynamo.values import Item
from testkit.app import TestApp, build_app
from testkit.factories.meals import MONDAY, PORK, RICE, SOUP, ACanteen, a_canteen
from testkit.factories.people import ADMINISTRATOR, ASKED, COURT, ACourt, a_court
from testkit.graphql import Answer
from testkit.joined import OFFICER, Asked, joined
from testkit.screens import Screen, screens
from testkit.sheets import LIST, csv
from testkit.tokens import issuers

COOK, MANAGER, SERVER, FINANCE = "K1", "M1", "S1", "F1"
DINER, HUNGRY, CLERK, SECOND = "D1", "H1", "T1", "A0002"
TOMORROW = MONDAY + timedelta(days=1)
UNTIL = "2026-03-02T10:30:00+08:00"
RULE = {"daysBefore": 0, "at": "09:30"}
MENU = csv([LIST, ("2026-03-03", "午餐", "清蒸鱼", "12.00", 80, "鱼", "", "荤菜")])
TOP_UPS = csv([("工号", "姓名", "金额"), (DINER, "李小雨", "100.00")])


def _on_people(operation: str, **other: Any) -> Asked:
    given = {name: "$clerk" if value == "$" else value for name, value in ASKED[operation].items()}
    return Asked(by=ADMINISTRATOR, given=given, other=other)


def _file(name: str, data: bytes) -> dict[str, Any]:
    return {"filename": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


MUTATIONS: Mapping[str, Asked] = {
    "AddUnit": _on_people("AddUnit", name="执行局"),
    "AddPerson": _on_people("AddPerson", name="另一位"),
    "MovePerson": _on_people("MovePerson", posts=["法官"]),
    "GrantRole": _on_people("GrantRole", role="SERVING"),
    "RevokeRole": _on_people("RevokeRole", role="SERVING"),
    "RecordLeaving": _on_people("RecordLeaving", personId="$diner"),
    "SetCourtDay": _on_people("SetCourtDay", on="2026-03-05"),
    "ImportCalendarYear": _on_people("ImportCalendarYear", provisional=False),
    "AddCanteen": Asked(
        by=MANAGER, given={"name": "二食堂", "windows": ["一号"]}, other={"name": "三食堂"}
    ),
    "SetMealPeriod": Asked(
        by=MANAGER,
        given={
            "canteenId": "$canteen",
            "period": "LUNCH",
            "serveFrom": "11:30",
            "serveTo": "13:00",
            "order": RULE,
            "change": RULE,
            "cancel": RULE,
            "subsidy": "1.00",
            "expectedVersion": 2,
        },
        other={"subsidy": "2.00"},
    ),
    "AddDish": Asked(
        by=COOK,
        given={"canteenId": "$canteen", "name": "辣子鸡", "price": "18.00", "allergens": []},
        other={"price": "19.00"},
    ),
    "SetDishAllergens": Asked(
        by=COOK,
        given={"dishId": "$soup", "allergens": [], "expectedVersion": 1},
        other={"expectedVersion": 2},
    ),
    "PublishMenu": Asked(
        by=COOK,
        given={"canteenId": "$canteen", "from": "2026-03-03", "to": "2026-03-03"},
        other={"to": "2026-03-04"},
    ),
    "MoveCutOff": Asked(
        by=COOK,
        given={
            "canteenId": "$canteen",
            "date": "2026-03-02",
            "period": "LUNCH",
            "orderBy": UNTIL,
            "changeBy": UNTIL,
            "cancelBy": UNTIL,
        },
        other={"period": "DINNER"},
    ),
    "IssueKitchenCount": Asked(
        by=COOK,
        given={"canteenId": "$canteen", "date": "2026-03-02", "period": "LUNCH", "early": True},
        other={"early": False},
    ),
    "PlaceMealOrder": Asked(
        by=HUNGRY,
        given={
            "canteenId": "$canteen",
            "date": "2026-03-02",
            "period": "LUNCH",
            "lines": [{"dishId": "$pork", "quantity": 1}, {"dishId": "$rice", "quantity": 1}],
        },
        other={"lines": [{"dishId": "$rice", "quantity": 1}]},
    ),
    "ChangeMealOrder": Asked(
        by=DINER,
        given={"orderId": "$order", "lines": [{"dishId": "$rice", "quantity": 2}]},
        other={"lines": [{"dishId": "$rice", "quantity": 3}]},
    ),
    "CancelMealOrder": Asked(
        by=DINER, given={"orderId": "$order"}, other={"orderId": "$another_order"}
    ),
    "CollectMealOrder": Asked(
        by=SERVER,
        given={"canteenId": "$canteen", "code": "$code", "window": "1号窗口"},
        other={"window": "2号窗口"},
    ),
    "StartMenuImport": Asked(
        by=COOK,
        given={"canteenId": "$canteen", **_file("三月.csv", MENU)},
        other={"filename": "四月.csv"},
    ),
    "CheckMenuImport": Asked(
        by=COOK, given={"importId": "$menu_started"}, other={"importId": "$menu_checked"}
    ),
    "CommitMenuImport": Asked(
        by=COOK,
        given={"importId": "$menu_checked", "sha256": hashlib.sha256(MENU).hexdigest()},
        other={"sha256": "0" * 64},
    ),
    "StartTopUpImport": Asked(
        by=FINANCE, given=_file("充值.csv", TOP_UPS), other={"filename": "补贴.csv"}
    ),
    "CheckTopUpImport": Asked(
        by=FINANCE, given={"importId": "$top_up_started"}, other={"importId": "$top_up_checked"}
    ),
    "CommitTopUpImport": Asked(
        by=FINANCE,
        given={"importId": "$top_up_checked", "sha256": hashlib.sha256(TOP_UPS).hexdigest()},
        other={"sha256": "0" * 64},
    ),
    **{name: asked for more in joined("MUTATIONS") for name, asked in more.items()},
}


@dataclass(slots=True, kw_only=True)
class Morning:
    """The court, its canteen with a menu for today and a draft for tomorrow, its people."""

    app: TestApp
    court: ACourt
    canteen: ACanteen
    people: dict[str, Principal] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    def screen(self, operation: str) -> Screen:
        """The screen of whoever asks that operation, signed in just now."""
        return screens(self.app).of(MUTATIONS[operation].by, court=COURT)

    async def ask(self, operation: str, *, key: str = "the-key-1", other: bool = False) -> Answer:
        """Send the mutation with its good input, or with its other one."""
        asked = MUTATIONS[operation]
        given = {**asked.given, **(asked.other if other else {})}
        return await self.screen(operation).do(operation, self.fill(given), key=key)

    def fill(self, value: Any) -> Any:
        """The value with the situation's ids for its `$names`."""
        if isinstance(value, Mapping):
            return {name: self.fill(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if isinstance(value, str) and value.startswith("$"):
            return self.known[value]
        return value

    @property
    def entries(self) -> int:
        """How many entries the journal has."""
        return len(self.app.engine.items("journal"))


def payload(operation: str, answer: Answer) -> dict[str, Any]:
    """What the mutation answered, but for addresses, which are granted anew for each answer."""
    answered: dict[str, Any] = answer.data[operation[0].lower() + operation[1:]]
    return {name: value for name, value in answered.items() if name != "upload"}


def codes(operation: str, answer: Answer) -> list[str]:
    """Codes of what was refused, in the payload or in the response."""
    return answer.codes or [error["code"] for error in payload(operation, answer)["errors"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A morning kept for many tests: making it reads spreadsheets in processes of their own."""

    folder: Path
    morning: Morning
    items: Mapping[str, Sequence[Item]]
    now: datetime

    @contextmanager
    def opened(self) -> Iterator[Morning]:
        """The same morning on an engine of its own."""
        with build_app(self.folder, now=self.now, issuers=issuers(COURT)) as app:
            app.engine.restore(self.items)
            court = replace(self.morning.court, app=app)
            canteen = replace(self.morning.canteen, court=court)
            yield replace(self.morning, app=app, court=court, canteen=canteen)


async def prepare(folder: Path) -> Prepared:
    """A morning made once; people's ids and files stay in the folder."""
    with build_app(folder, issuers=issuers(COURT)) as app:
        morning = await a_morning(app)
        return Prepared(
            folder=folder, morning=morning, items=app.engine.dump(), now=app.clock.now()
        )


async def a_morning(app: TestApp) -> Morning:
    """Monday at nine: two portions of pork are left, one of them for whoever orders first."""
    court = await a_court(app)
    canteen = await a_canteen(court)
    await canteen.grants_subsidy(1500, change_at="09:30")
    await canteen.serves({PORK: 3, RICE: 20})
    await canteen.knows_dish(SOUP, allergens=None)
    await canteen.drafts({PORK: 5}, on=TOMORROW)
    morning = Morning(app=app, court=court, canteen=canteen)
    await _hire(morning)
    await _feed(morning)
    await _bring_files(morning)
    return morning


async def _hire(morning: Morning) -> None:
    roles = {
        COOK: (Role.KITCHEN,),
        MANAGER: (Role.LOGISTICS_MANAGER,),
        SERVER: (Role.SERVING,),
        FINANCE: (Role.FINANCE,),
        CLERK: (Role.CLERK,),
        OFFICER: (Role.LOGISTICS_OFFICER,),
        SECOND: (Role.ADMINISTRATOR,),
        DINER: (),
        HUNGRY: (),
    }
    for staff_no, held in roles.items():
        morning.people[staff_no] = await morning.court.somebody(*held, staff_no=staff_no)
    morning.people[ADMINISTRATOR] = morning.court.administrator
    morning.known["$clerk"] = encode("Person", morning.people[CLERK].person)
    morning.known["$diner"] = encode("Person", morning.people[DINER].person)


async def _feed(morning: Morning) -> None:
    canteen, diner = morning.canteen, morning.people[DINER]
    today = await canteen.has_order(diner, {PORK: 1})
    await canteen.serves({RICE: 20}, on=MONDAY + timedelta(days=2))
    later = await canteen.has_order(diner, {RICE: 1}, on=MONDAY + timedelta(days=2))
    morning.known |= {
        "$canteen": encode("Canteen", canteen.id),
        "$soup": encode("Dish", canteen.id, canteen.dish(SOUP)),
        "$pork": encode("Dish", canteen.id, canteen.dish(PORK)),
        "$rice": encode("Dish", canteen.id, canteen.dish(RICE)),
        "$order": encode("MealOrder", *str(today.key).split("#")),
        "$another_order": encode("MealOrder", *str(later.key).split("#")),
        "$code": today.code,
    }


async def _bring_files(morning: Morning) -> None:
    """Four files that were uploaded, two of them checked."""
    files = morning.app.app.foundation.files
    for data in (MENU, TOP_UPS):
        await files.put(COURT, data)
    for kind, name in (("Menu", "menu"), ("TopUp", "top_up")):
        for state in ("started", "checked"):
            start = f"Start{kind}Import"
            answer = await morning.ask(start, key=f"file-{name}-{state}")
            found = payload(start, answer)[f"{kind[0].lower()}{kind[1:]}Import"]["id"]
            morning.known[f"${name}_{state}"] = found
        await morning.ask(f"Check{kind}Import", key=f"check-{name}", other=True)
    await morning.app.settle()
