"""Entries as stored: read back whole, found by their command, and telling nothing personal."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infra.memory.clock import MORNING, VirtualClock
from infra.memory.engine import MemoryEngine
from infra.memory.items import size

from courtside.kernel.actor import Principal, system
from courtside.kernel.errors import IdempotencyMismatch
from courtside.kernel.journal import Change, Command, Entry, Fact, Notify, Result
from courtside.kernel.ledger import AccountId, Movement, net
from courtside.platform.dynamo import journal
from courtside.platform.dynamo.values import from_instant, instant
from testkit.factories.portions import FixedDigests, a_command, a_database, an_entry

words = st.text("ABCXYZ中文0189-_", min_size=1, max_size=12)
keys = st.text("abcXYZ019_-#", min_size=1, max_size=20)
counts = st.integers(-(10**9), 10**9)
instants = st.datetimes(datetime(2025, 1, 2), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
json_values = st.recursive(
    st.none() | st.booleans() | counts | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
states = st.dictionaries(words, json_values, max_size=3)
principals = st.builds(
    Principal, court=st.sampled_from(["C310", "_"]), person=words, client=words
) | st.builds(system, st.just("C310"), words)
commands = st.builds(Command, principal=principals, operation=words, key=keys, request=st.none())
movements = st.builds(
    Movement,
    account=st.builds(AccountId, words, words),
    available=counts,
    held=counts,
    counter=words,
    opens=st.none() | counts,
)
facts = st.builds(
    Fact,
    name=words,
    aggregate=words,
    version=st.integers(1, 99),
    state=states,
    notify=st.lists(st.builds(Notify, audience=words, template=words, key=words), max_size=2).map(
        tuple
    ),
)
made = st.builds(
    Entry,
    id=words,
    command=commands,
    on_behalf_of=st.none() | words,
    changes=st.lists(
        st.builds(Change, aggregate=words, version=st.integers(1, 99)),
        max_size=3,
        unique_by=lambda change: change.aggregate,
    ).map(tuple),
    movements=st.lists(movements, max_size=4).map(net),
    facts=st.lists(facts, max_size=2).map(tuple),
    result=st.builds(Result, kind=words, id=words, version=st.integers(1, 9), outcome=states),
    job=st.none() | words,
)


class TestStoredForm:
    @given(made, instants, st.integers(0, 8))
    def test_reads_back_what_was_written(self, entry: Entry, at: datetime, depth: int) -> None:
        stored = journal.from_item(journal.to_item(entry, at=at, mark="m", depth=depth))

        command = entry.command
        assert (stored.id, stored.at, stored.key) == (entry.id, at, journal.key_of(command))
        assert (stored.principal, stored.operation) == (command.principal, command.operation)
        assert (stored.on_behalf_of, stored.depth, stored.job) == (
            entry.on_behalf_of,
            depth,
            entry.job,
        )
        assert stored.changes == entry.changes
        assert stored.facts == entry.facts
        assert stored.result == entry.result
        by_account = {(m.account, m.counter): m for m in stored.movements}
        assert by_account == {(m.account, m.counter): m for m in entry.movements}

    @given(made, instants)
    def test_a_day_lists_the_entry_in_order_of_time(self, entry: Entry, at: datetime) -> None:
        item = journal.to_item(entry, at=at, mark="m", depth=0)

        local = at + timedelta(hours=8)
        day = local.date() - timedelta(days=local.hour < 4)
        assert item["dp"]["S"] in journal.day_partitions(entry.command.court, day)
        assert item["ds"]["S"] == f"{instant(at)}#{entry.id}"

    def test_an_order_of_six_dishes_fits_one_kilobyte(self) -> None:
        menu = "MEALS#MENU#0126EBAM0G32YQD5CG0D#2026-03-02#LUNCH"
        taken = [
            Movement(account=AccountId(menu, f"DISH#{n:010}"), available=-1, counter="SOLD")
            for n in range(6)
        ]
        entry = an_entry(a_command("0123456789-0123456789-0123456789"), VirtualClock(), *taken)
        mark = journal.fingerprint(entry.command, FixedDigests())

        item = journal.to_item(entry, at=MORNING, mark=mark, depth=0)

        assert size(item) <= 1024


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    name: str
    on: date = date(2026, 3, 2)
    colour: Colour = Colour.RED
    tags: frozenset[str] = frozenset()


def mark(request: object, court: str = "C310") -> str:
    return journal.fingerprint(a_command(request=request, court=court), FixedDigests())


class TestFingerprint:
    def test_is_the_same_for_the_same_request(self) -> None:
        first = Asked(name="张三", tags=frozenset({"b", "a", "c"}))
        again = Asked(name="张三", tags=frozenset({"c", "b", "a"}))

        assert mark(first) == mark(again)

    @pytest.mark.parametrize(
        "other",
        [Asked(name="李四"), Asked(name="张三", on=date(2026, 3, 3)), Asked(name="张三 ")],
    )
    def test_differs_with_the_request(self, other: Asked) -> None:
        assert mark(other) != mark(Asked(name="张三"))

    def test_differs_between_courts_and_betrays_nothing(self) -> None:
        assert mark(Asked(name="张三")) != mark(Asked(name="张三"), court="C320")
        assert len(mark(Asked(name="张三"))) == 24

    def test_takes_a_lone_surrogate(self) -> None:
        assert mark(Asked(name="\ud800")) != mark(Asked(name="\ud801"))

    def test_refuses_what_has_no_canonical_form(self) -> None:
        with pytest.raises(TypeError, match="object has no canonical form"):
            mark({"x": object()})


class TestRecall:
    async def test_finds_the_command_by_its_own_key(self) -> None:
        engine = MemoryEngine()
        database = a_database(engine, engine.clock)
        command = a_command()
        await database.transaction(an_entry(command, engine.clock)).commit()

        recorded = await database.journal.recall(command)

        assert recorded is not None
        assert recorded.result.kind == "Portion"
        assert await database.journal.recall(a_command("key-0002")) is None
        assert await database.journal.recall(a_command(person="P2")) is None
        assert await database.journal.recall(a_command(court="C320")) is None

    async def test_refuses_another_request_under_the_key(self) -> None:
        """D-04."""
        engine = MemoryEngine()
        database = a_database(engine, engine.clock)
        await database.transaction(an_entry(a_command(), engine.clock)).commit()

        with pytest.raises(IdempotencyMismatch):
            await database.journal.recall(a_command(request=Asked(name="x")))


@given(instants, instants)
def test_stored_instants_sort_as_time_does(one: datetime, other: datetime) -> None:
    assert (instant(one) < instant(other)) == (one < other)
    assert from_instant(instant(one)) == one
