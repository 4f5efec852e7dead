"""P-09: every mutation leaves exactly one entry, in its transaction, with all that an audit asks.

The other tests of the API are watched while they run (conftest.py); this file runs last.
"""

import asyncio
import random
from types import SimpleNamespace

from infra.memory.engine import MemoryEngine

from courtside.kernel.actor import Role
from courtside.kernel.errors import Busy
from courtside.kernel.ids import encode
from courtside.kernel.journal import READ
from courtside.platform.dynamo.audit import MOST_SEEN
from courtside.platform.dynamo.journal import from_item
from courtside.platform.dynamo.transaction import Transaction
from testkit.factories.people import ADMINISTRATOR, COURT
from testkit.house import House, account_of
from testkit.recorder import Recorder, known
from testkit.screens import screens

KILLS = 1000


class TestRecorded:
    def test_every_mutation_was_done_and_journalled(self, request, recorder):
        """All operations whose tests were asked for, at least once each, without a problem."""
        asked = {item.cls.__name__ for item in request.session.items if item.cls is not None}
        mutations = {o.name for o in known().values() if o.is_mutation}

        missing = {name for name in mutations if f"Test{name}" in asked} - set(recorder.done)

        assert missing == set()
        assert recorder.problems == []

    async def test_a_mutation_without_its_entry_is_found(self, app, court, monkeypatch, recorder):
        """The broken twin: the entry is written after the commit. What was done here on purpose is
        no problem of the suite."""
        suite, recorder = recorder, Recorder()
        monkeypatch.setattr(MemoryEngine, "_apply", recorder.apply(MemoryEngine._apply))
        monkeypatch.setattr(Transaction, "commit", _log_after_commit)
        screen = screens(app).of(ADMINISTRATOR, court=COURT)
        send = recorder.send(type(screen.client).send)
        monkeypatch.setattr(type(screen.client), "send", send)

        await screen.do("AddUnit", {"name": "立案庭"})

        assert [problem.partition(": ")[0] for problem in recorder.problems] == ["AddUnit"] * 2
        suite.forgive()


class Killed(BaseException):
    """The process is gone: nothing catches it."""


class MortalEngine(MemoryEngine):
    """Dies at a call, before it takes effect or after."""

    doom: int | None = None
    calls = 0

    def dies(self) -> None:
        self.calls += 1
        if self.doom is not None and self.calls >= self.doom:
            raise Killed

    async def _begin(self) -> None:
        self.dies()
        await super()._begin()

    async def _end(self) -> None:
        self.dies()
        await super()._end()


async def _log_after_commit(transaction):
    """What the transaction would write, and then its entry."""
    now = transaction._clock.now()
    own, *others = transaction._writes(now)
    await transaction._engine.transact(others)
    await transaction._engine.put_many(own.table, [own.put])


async def effects_and_entries(folder, *, kills: int) -> tuple[int, int]:
    """Payments into one till by processes that are killed at any call: how many took effect, and
    how many entries say so."""
    chance = random.Random(9)
    house = House(folder)
    mortal = MortalEngine(house.clock)
    mortal._tables = house.engine._tables
    house.database._engine = SimpleNamespace(
        get=mortal.get, query=mortal.query, transact=mortal.transact, put_many=mortal.put_many
    )
    house.database.journal._engine = mortal
    for n in range(kills):
        mortal.calls, mortal.doom = 0, chance.randint(1, 8)
        task = asyncio.ensure_future(_killed(house.tills.pay("A", 1, key=f"k-{n}")))
        await task
    account = house.database.of(COURT).key(*account_of("A"))
    paid = [i for i in house.engine.items("records") if i["pk"]["S"] == account.pk]
    (balance,) = [int(i["available"]["N"]) for i in paid if i["sk"]["S"] == account.sk]
    return balance, len(house.engine.items("journal"))


async def _killed(work) -> None:
    try:
        await work
    except Killed:
        return


class TestKilled:
    async def test_no_effect_is_without_its_entry(self, tmp_path):
        """A thousand processes, each killed at one of its calls, before or after its effect."""
        effects, entries = await effects_and_entries(tmp_path, kills=KILLS)

        assert effects == entries
        assert 0 < effects < KILLS

    async def test_logging_after_the_commit_misses_some(self, tmp_path, monkeypatch):
        """The broken twin."""
        monkeypatch.setattr(Transaction, "commit", _log_after_commit)

        effects, entries = await effects_and_entries(tmp_path, kills=KILLS)

        assert entries < effects


class TestSensitiveReads:
    """A look at other people's records is journalled, or there is no look."""

    async def test_name_whoever_was_shown(self, app, court):
        shown = [await court.somebody() for _ in range(3)]
        before = app.engine.dump()

        await screens(app).of(ADMINISTRATOR, court=COURT).show("Persons")

        after = app.engine.dump()
        assert after["records"] == before["records"]
        (item,) = [i for i in after["journal"] if i not in before["journal"]]
        entry = from_item(item)
        assert (entry.operation, entry.result.kind) == ("people.list_persons", READ)
        assert entry.principal.name == court.administrator.name
        seen = {"Person:" + principal.person for principal in (*shown, court.administrator)}
        assert set(entry.result.outcome["seen"]) == seen

    async def test_leave_one_entry_a_request(self, app, court):
        before = len(app.engine.items("journal"))
        office = screens(app).of(ADMINISTRATOR, court=COURT)

        for _ in range(3):
            await office.show("Persons")

        assert len(app.engine.items("journal")) == before + 3

    async def test_leave_one_more_for_every_twenty(self, app, court):
        """An entry stays within its kilobyte."""
        for _ in range(MOST_SEEN):
            await court.somebody()
        before = {i["id"]["S"] for i in app.engine.items("journal")}

        answer = await screens(app).of(ADMINISTRATOR, court=COURT).show("Persons", first=100)

        new = [from_item(i) for i in app.engine.items("journal") if i["id"]["S"] not in before]
        assert [len(e.result.outcome["seen"]) for e in new] == [MOST_SEEN, 1]
        assert answer.meter.rounds == 2

    async def test_show_nothing_without_the_entry(self, app, court, monkeypatch):
        """Failing closed: the tables can be read and not written."""
        await court.somebody(name="李小雨")

        async def throttled(engine, writes):
            raise Busy

        monkeypatch.setattr(MemoryEngine, "transact", throttled)
        answer = await screens(app).of(ADMINISTRATOR, court=COURT).show("Persons")

        assert answer.body["data"] is None
        assert "李小雨" not in answer.raw.decode()

    async def test_of_nobody_leave_nothing(self, app, court):
        await court.somebody(Role.AUDITOR, staff_no="AU1")
        before = len(app.engine.items("journal"))
        screen = screens(app).of(ADMINISTRATOR, court=COURT)
        first = await screen.show("Persons", first=100)
        end = first.data["persons"]["pageInfo"]["endCursor"]

        await screen.show("Persons", first=100, after=end)

        assert len(app.engine.items("journal")) == before + 1
        assert encode("Person", court.administrator.person) in first.raw.decode()
