"""O-03: what each function asks of the tables is what its role may ask: nothing is missing.

The calls of a canteen's day, recorded under the function that makes them, against the roles of the
expanded template.
"""

from collections import defaultdict
from contextlib import contextmanager
from contextvars import ContextVar

import pytest
from infra.memory.engine import MemoryEngine
from infra.rules.expanded import expand, read
from infra.rules.reading import attributes_of, listed

from courtside.entrypoints.scheduled import Scheduled
from courtside.kernel.ids import encode
from testkit.app import EVENTS, JOBS
from testkit.factories.meals import PORK, a_canteen
from testkit.factories.people import COURT
from testkit.screens import screens

TABLES = {f"{name.capitalize()}Table": name for name in ("records", "private", "journal", "keys")}
RUNS = ContextVar("runs", default="")


@pytest.fixture
def used(monkeypatch):
    """(table, action) by function."""
    found = defaultdict(set)

    def recording(name, told):
        inner = getattr(MemoryEngine, name)

        async def call(self, *given, **more):
            if RUNS.get():
                found[RUNS.get()] |= set(told(*given, **more))
            return await inner(self, *given, **more)

        monkeypatch.setattr(MemoryEngine, name, call)

    recording("get", lambda reads: [(r.table, "BatchGetItem") for r in reads])
    recording("query", lambda query: [(query.table, "Query")])
    recording("transact", lambda writes: [(w.table, action(w)) for w in writes])
    recording("put_many", lambda table, _items: [(table, "BatchWriteItem")])
    return found


def action(write):
    """The action that IAM asks for, for one operation of a transaction."""
    if write.put is not None:
        return "PutItem"
    if write.delete:
        return "DeleteItem"
    return "UpdateItem" if write.set or write.add or write.remove else "ConditionCheckItem"


@contextmanager
def running(function):
    token = RUNS.set(function)
    try:
        yield
    finally:
        RUNS.reset(token)


def under(function, take):
    async def taken(event):
        with running(function):
            return await take(event)

    return taken


def granted(template, role):
    """(table, action) of every statement of a role and of the policies attached to it."""
    resources = template["Resources"]
    properties = resources[role]["Properties"]
    attached = [resources[p["Ref"]]["Properties"] for p in properties.get("ManagedPolicyArns", ())]
    for policy in (*attached, *properties.get("Policies", ())):
        for statement in policy["PolicyDocument"]["Statement"]:
            for name in set(attributes_of(statement["Resource"])) & set(TABLES):
                for one in listed(statement["Action"]):
                    yield TABLES[name], one.removeprefix("dynamodb:")


def missing(template, used):
    return {
        function: lacking
        for function, calls in used.items()
        if (lacking := calls - set(granted(template, f"{function}Role")))
    }


@pytest.fixture
async def day(app, court, used):
    """Somebody orders, cancels and orders again; relay, workers and schedules follow."""
    pump = app.pump
    pump._relay = under("JournalRelay", pump._relay)
    names = {EVENTS: "EventWorker", JOBS: "JobWorker"}
    pump.workers = {q: under(names[q], take) for q, take in pump.workers.items()}
    canteen = await a_canteen(court)
    await canteen.serves({PORK: 10})
    diner = await court.somebody(staff_no="J1")
    await canteen.tops_up(diner, 10_000)
    phone = screens(app).of("J1", court=COURT)
    line = {"dishId": encode("Dish", canteen.id, canteen.dish(PORK)), "quantity": 1}
    wanted = {"canteenId": encode("Canteen", canteen.id), "date": "2026-03-02", "period": "LUNCH"}
    with running("GraphqlHttp"):
        placed = await phone.do("PlaceMealOrder", {**wanted, "lines": [line]})
        assert placed.data["placeMealOrder"]["errors"] == []
        await phone.show("Home")
    await app.settle()
    for task in ("sweep", "seal", "reconcile", "verify"):
        app.clock.advance(hours=1)
        with running("Scheduled"):
            await Scheduled(app.app, app.signals).take({"task": task})
        await app.settle()
    return used


@pytest.fixture(scope="module")
def template():
    return expand(read(), region="cn-north-1")


class TestGrants:
    async def test_nothing_is_missing(self, day, template):
        assert missing(template, day) == {}

    async def test_every_function_was_seen(self, day):
        assert set(day) == {"GraphqlHttp", "JournalRelay", "EventWorker", "JobWorker", "Scheduled"}

    async def test_what_is_not_granted_is_found(self, day, template):
        day["JournalRelay"].add(("journal", "DeleteItem"))

        assert missing(template, day) == {"JournalRelay": {("journal", "DeleteItem")}}
