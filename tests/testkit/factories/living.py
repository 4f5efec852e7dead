"""A court in which everything has happened once: units, people, menus, orders, a count, imports."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from courtside.kernel.actor import Principal, Role
from courtside.kernel.ids import encode
from testkit.app import TestApp
from testkit.factories.meals import MONDAY, ACanteen, a_canteen
from testkit.factories.people import ACourt, a_court
from testkit.joined import joined
from testkit.screens import Screen, screens
from testkit.sheets import LIST, csv

ROOT, JUDGE, NEIGHBOUR = "R0001", "J0001", "N0001"
GRANTABLE = sorted(set(Role) - {Role.MEMBER, Role.SYSTEM})
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


@dataclass(slots=True, kw_only=True)
class ALivingCourt:
    """`mark` stands in every name of this court, so that it is known wherever it appears. ROOT
    holds every role, JUDGE has ordered, NEIGHBOUR is of the court and no more. `shown` is what was
    answered while it came to be."""

    court: ACourt
    canteen: ACanteen
    mark: str
    judge: Principal
    shown: list[Any] = field(default_factory=list)

    @property
    def code(self) -> str:
        return self.court.code

    def screen(self, staff_no: str) -> Screen:
        return screens(self.court.app).of(staff_no, court=self.code)

    async def does(self, operation: str, given: dict[str, Any]) -> Any:
        """ROOT does it at the office's screen, and everything that follows from it happens."""
        answer = await self.screen(ROOT).do(operation, given, key=self.court.key())
        (payload,) = answer.data.values()
        assert payload["errors"] == [], payload
        self.shown.append(answer.body)
        await self.court.app.settle()
        return payload


async def a_living_court(app: TestApp, *, code: str, mark: str) -> ALivingCourt:
    court = await a_court(app, code=code)
    unit = await court.a_unit(f"{mark}立案庭")
    await court.a_unit(f"{mark}第一合议庭", parent=unit.id)
    await court.somebody(*GRANTABLE, name=f"{mark}王总管", unit=unit.id, staff_no=ROOT)
    judge = await court.somebody(name=f"{mark}李法官", unit=unit.id, staff_no=JUDGE)
    await court.stands_in(Role.CLERK, staff_no=f"{JUDGE}S", hours=8)
    neighbour = await court.somebody(name=f"{mark}赵邻座", staff_no=NEIGHBOUR)
    await court.grants(neighbour, Role.CLERK, unit=unit.id)
    await court.leaves(await court.somebody(name=f"{mark}周离院"))
    canteen = await a_canteen(court, name=f"{mark}机关食堂")
    living = ALivingCourt(court=court, canteen=canteen, mark=mark, judge=judge)
    await _lunches(living)
    await _imports(living)
    for lives in joined("lives"):
        await lives(living)
    return living


async def _lunches(living: ALivingCourt) -> None:
    """Three days of lunch: one eaten and one ordered, one counted, one published at the screen."""
    canteen, judge = living.canteen, living.judge
    eater = await living.court.somebody(name=f"{living.mark}孙食客")
    dish = f"{living.mark}红烧肉"
    about = {"canteenId": encode("Canteen", canteen.id)}
    await canteen.grants_subsidy(1500, change_at="09:30")
    for day in (MONDAY, TUESDAY):
        await canteen.serves({dish: 10, f"{living.mark}米饭": 20}, on=day)
    for diner in (eater, judge):
        await canteen.tops_up(diner, 10_000)
        for day in (TUESDAY, MONDAY):
            order = await canteen.has_order(diner, {dish: 1}, on=day)
    await living.does("CollectMealOrder", {**about, "code": order.code, "window": "1号窗口"})
    await living.does(
        "IssueKitchenCount", {**about, "date": str(TUESDAY), "period": "LUNCH", "early": True}
    )
    await canteen.drafts({dish: 10}, on=WEDNESDAY)
    await living.does("PublishMenu", {**about, "from": str(WEDNESDAY), "to": str(WEDNESDAY)})


async def _imports(living: ALivingCourt) -> None:
    """A menu with a fault, and a list of top-ups, both checked."""
    row = ("2026-03-04", "午餐", f"{living.mark}鱼香肉丝", "12.345", 80, "大豆", "", "荤菜")
    canteen = {"canteenId": encode("Canteen", living.canteen.id)}
    await _checked(living, "MenuImport", csv([LIST, row]), canteen)
    people = csv([("工号", "姓名", "金额"), (JUDGE, f"{living.mark}李法官", "12.00")])
    await _checked(living, "TopUpImport", people, {})


async def _checked(living: ALivingCourt, kind: str, data: bytes, more: dict[str, Any]) -> None:
    told = {
        "filename": f"{living.mark}三月.csv",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        **more,
    }
    started = await living.does(f"Start{kind}", told)
    await living.court.app.app.foundation.files.put(living.code, data)
    opaque = started[kind[0].lower() + kind[1:]]["id"]
    await living.does(f"Check{kind}", {"importId": opaque})
