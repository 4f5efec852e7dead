"""Z-07: a role is revoked while other people's money is on its way; nothing is written after it."""

import asyncio
import hashlib

import pytest

from courtside.kernel.actor import Principal, Role
from courtside.kernel.errors import NotPermitted
from courtside.modules.meals.contracts.imports import (
    CheckImport,
    CommitImport,
    ImportKind,
    StartImport,
)
from courtside.modules.meals.contracts.orders import CancelMealOrder, ChangeMealOrder
from courtside.modules.meals.service.imports import Imports
from courtside.modules.meals.service.orders import MealOrders
from courtside.modules.meals.store import imports as import_store
from courtside.modules.meals.store import orders as order_store
from testkit.factories.meals import PORK, RICE
from testkit.sheets import csv

READ, REVOKED = 1.0, 0.5  # seconds: the revocation commits between the reading and the writing


@pytest.fixture
def unguarded(monkeypatch):
    """The broken twin: what was read of the clerk's grants is not checked when it is written."""
    for store in (order_store, import_store):
        monkeypatch.setattr(store, "still_granted", lambda _: [])


def slowly(monkeypatch, app, where, name):
    """Whoever reads that waits before going on, once."""
    right, waited = getattr(where, name), []

    async def slow(*asked, **more):
        found = await right(*asked, **more)
        if not waited:
            waited.append(True)
            await app.clock.sleep(READ)
        return found

    monkeypatch.setattr(type(where), name, lambda _, *asked, **more: slow(*asked, **more))


async def while_revoked(canteen, who: Principal, role: Role, asking):
    """What comes of it when the role ends in the middle."""

    async def revoke():
        await canteen.court.app.clock.sleep(REVOKED)
        await canteen.court.revokes(who, role)

    answer, _ = await asyncio.gather(asking, revoke(), return_exceptions=True)
    return answer


class TestOrderingForAnother:
    @pytest.fixture
    async def pair(self, canteen):
        """A clerk and a judge of one unit; the judge has 50 yuan and no subsidy."""
        await canteen.grants_subsidy(0, change_at="09:30")
        await canteen.serves({PORK: 5, RICE: 5})
        unit = await canteen.court.a_unit()
        clerk = await canteen.court.somebody(Role.CLERK, unit=unit.id)
        judge = await canteen.court.somebody(unit=unit.id)
        await canteen.tops_up(judge, 5000)
        return clerk, judge

    async def race(self, app, canteen, pair, verb, monkeypatch):
        """The clerk's asking, with the revocation between its reading and its writing."""
        clerk, judge = pair
        service = app.get(MealOrders)
        now = canteen.now
        if verb == "place":
            slowly(monkeypatch, app, service._orders, "load_order")
            request = canteen.wants({PORK: 1}, diner=judge.person)
            asking = service.place_order(clerk, request, key="for-other", now=now)
            return await while_revoked(canteen, clerk, Role.CLERK, asking)
        order = await canteen.has_order(judge, {RICE: 1})
        if verb == "change":
            slowly(monkeypatch, app, service._orders, "load_order")
            lines = canteen.lines({PORK: 1})
            change = ChangeMealOrder(order=order.key, canteen=canteen.id, lines=lines)
            asking = service.change_order(clerk, change, key="for-other", now=now)
        else:
            slowly(monkeypatch, app, service._orders, "find_order")
            cancel = CancelMealOrder(order=order.key)
            asking = service.cancel_order(clerk, cancel, key="for-other", now=now)
        return await while_revoked(canteen, clerk, Role.CLERK, asking)

    @pytest.mark.parametrize(
        ("verb", "left"), [("place", 5000), ("change", 4900), ("cancel", 4900)]
    )
    async def test_is_not_written_after_the_revocation(
        self, app, canteen, pair, verb, left, monkeypatch
    ):
        answer = await self.race(app, canteen, pair, verb, monkeypatch)

        assert isinstance(answer, NotPermitted)
        assert await canteen.wallet(pair[1]) == left

    @pytest.mark.usefixtures("unguarded")
    @pytest.mark.parametrize(
        ("verb", "left"), [("place", 3800), ("change", 3800), ("cancel", 5000)]
    )
    async def test_would_be_without_the_check(self, app, canteen, pair, verb, left, monkeypatch):
        """Z-07, the broken twin: the judge's money moves on a grant that has ended."""
        answer = await self.race(app, canteen, pair, verb, monkeypatch)

        assert not isinstance(answer, Exception)
        assert await canteen.wallet(pair[1]) == left

    async def test_is_not_asked_of_a_diner_s_own_order(self, app, canteen, pair, monkeypatch):
        """Their own money: the order goes through, whatever role has ended meanwhile."""
        clerk, _ = pair
        await canteen.tops_up(clerk, 5000)
        service = app.get(MealOrders)
        slowly(monkeypatch, app, service._orders, "load_order")
        request = canteen.wants({PORK: 1})

        asking = service.place_order(clerk, request, key="my-own-1", now=canteen.now)
        answer = await while_revoked(canteen, clerk, Role.CLERK, asking)

        assert answer.value.key.diner == clerk.person


class TestToppingUp:
    @pytest.fixture
    async def checked(self, app, canteen):
        """Finance's list for one judge, checked, and who checked it."""
        finance = await canteen.court.somebody(Role.FINANCE)
        self.judge = await canteen.court.somebody(staff_no="J0001")
        data = csv([("工号", "金额(元)"), ("J0001", "20.00")])
        service, sha256 = app.get(Imports), hashlib.sha256(data).hexdigest()
        start = StartImport(
            kind=ImportKind.TOP_UP, canteen="", filename="三月.csv", sha256=sha256, size=len(data)
        )
        done = await service.start_import(finance, start, key="start-01", now=canteen.now)
        imported = done.value.imported
        await app.app.foundation.files.put(canteen.court.code, data)
        check = CheckImport(kind=ImportKind.TOP_UP, import_id=imported.id)
        await service.check_import(finance, check, key="check-01", now=canteen.now)
        await app.settle()
        return finance, CommitImport(kind=ImportKind.TOP_UP, import_id=imported.id, sha256=sha256)

    async def race(self, app, canteen, checked, monkeypatch):
        finance, request = checked
        service = app.get(Imports)
        slowly(monkeypatch, app, service.store, "find_import")
        asking = service.commit_import(finance, request, key="commit-1", now=canteen.now)
        answer = await while_revoked(canteen, finance, Role.FINANCE, asking)
        await app.settle()
        return answer

    async def test_is_not_begun_after_the_revocation(self, app, canteen, checked, monkeypatch):
        answer = await self.race(app, canteen, checked, monkeypatch)

        assert isinstance(answer, NotPermitted)
        assert await canteen.wallet(self.judge) is None

    @pytest.mark.usefixtures("unguarded")
    async def test_would_be_without_the_check(self, app, canteen, checked, monkeypatch):
        """Z-07, the broken twin."""
        answer = await self.race(app, canteen, checked, monkeypatch)

        assert not isinstance(answer, Exception)
        assert await canteen.wallet(self.judge) == 2000
