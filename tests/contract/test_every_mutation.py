"""What holds for each mutation of the schema, whatever it does (`testkit.mutations` lists them)."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import pytest
from graphql import build_schema
from infra.memory.engine import Faults

from courtside.kernel.actor import Role
from courtside.platform.dynamo.engine import Unanswered
from courtside.platform.dynamo.transaction import Transaction
from courtside.platform.dynamo.values import Key, Write
from testkit.factories.meals import PORK
from testkit.factories.people import ADMINISTRATOR
from testkit.mutations import (
    COOK,
    FINANCE,
    MANAGER,
    MUTATIONS,
    SERVER,
    Morning,
    Prepared,
    codes,
    payload,
    prepare,
)
from testkit.screens import OPERATIONS

SDL = OPERATIONS.parent / "schema.graphql"

ROLES = {
    COOK: Role.KITCHEN,
    MANAGER: Role.LOGISTICS_MANAGER,
    SERVER: Role.SERVING,
    FINANCE: Role.FINANCE,
    ADMINISTRATOR: Role.ADMINISTRATOR,
}
# What a member of the court may read is replayed to somebody who may not do it again.
ANYBODY_MAY_SEE = {"AddUnit", "SetCourtDay", "ImportCalendarYear", "AddCanteen", "SetMealPeriod"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    return asyncio.run(prepare(tmp_path_factory.mktemp("morning")))


@pytest.fixture
def morning(prepared) -> Iterator[Morning]:
    with prepared.opened() as opened:
        yield opened


class LosesAnswers:
    """The engine does what it is asked, and the first answer is lost on its way back."""

    def __init__(self, engine, monkeypatch):
        self._transact = engine.transact
        self.lost = 0
        monkeypatch.setattr(engine, "transact", self.transact)

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._transact(writes)
        if not self.lost:
            self.lost += 1
            raise Unanswered("lost")


async def has_one_effect(morning, monkeypatch, operation):
    """D-03: the answer is lost after the commit, and again at the door."""
    before = morning.entries
    engine = LosesAnswers(morning.app.engine, monkeypatch)

    first = await morning.ask(operation)
    after = morning.app.engine.dump()
    again = await morning.ask(operation)

    assert codes(operation, first) == codes(operation, again) == []
    assert engine.lost == 1
    assert morning.entries == before + 1
    assert payload(operation, again) == payload(operation, first) | {"replayed": True}
    assert morning.app.engine.dump() == after


def unguarded(writes):
    """The broken twin of a transaction: each attempt's entry stands under a key of its own."""
    attempt = count()

    def write(transaction, now):
        own, *others = writes(transaction, now)
        key = Key(f"{own.key.pk}{next(attempt)}", own.key.sk)
        return [replace(own, key=key, put={**own.put, "pk": {"S": key.pk}}), *others]

    return write


class TestTheList:
    def test_is_that_of_the_schema(self):
        mutations = build_schema(SDL.read_text("utf-8")).mutation_type

        assert set(MUTATIONS) == {name[0].upper() + name[1:] for name in mutations.fields}


@pytest.mark.parametrize("operation", MUTATIONS)
class TestEachMutation:
    async def test_has_one_effect_when_answers_are_lost(self, morning, monkeypatch, operation):
        """D-03."""
        await has_one_effect(morning, monkeypatch, operation)

    async def test_has_more_without_the_journal_s_guard(self, morning, monkeypatch, operation):
        """D-03, the broken twin, through the same test."""
        monkeypatch.setattr(Transaction, "_writes", unguarded(Transaction._writes))

        with pytest.raises(AssertionError):
            await has_one_effect(morning, monkeypatch, operation)

    async def test_refuses_another_input_under_its_key(self, morning, operation):
        """D-04."""
        await morning.ask(operation)
        before = morning.app.engine.dump()

        answer = await morning.ask(operation, other=True)

        assert codes(operation, answer) == ["IDEMPOTENCY_MISMATCH"]
        assert morning.app.engine.dump() == before

    async def test_has_one_effect_when_sent_many_times_at_once(self, morning, operation):
        """D-05: fifty of the same at once; one does it, all are told of it."""
        morning.app.engine.faults = Faults(overlap=0.008, latency=0.002)
        before = morning.entries

        answers = await asyncio.gather(*(morning.ask(operation) for _ in range(50)))

        told = [payload(operation, answer) for answer in answers]
        assert morning.entries == before + 1
        assert [one["replayed"] for one in told].count(False) == 1
        assert {str(one | {"replayed": True}) for one in told} == {
            str(told[0] | {"replayed": True})
        }

    async def test_is_answered_after_its_window(self, morning, operation):
        """D-07: a day later, when every cut-off has passed."""
        first = await morning.ask(operation)
        morning.app.clock.advance(hours=30)
        before = morning.app.engine.dump()

        again = await morning.ask(operation)

        assert payload(operation, again) == payload(operation, first) | {"replayed": True}
        assert morning.app.engine.dump() == before

    async def test_is_answered_after_selling_out(self, morning, operation):
        """What it would now be refused for does not matter to what was done."""
        first = await morning.ask(operation)
        while await morning.canteen.left(PORK):
            other = await morning.court.somebody()
            await morning.canteen.has_order(other, {PORK: 1})
        before = morning.app.engine.dump()

        again = await morning.ask(operation)

        assert payload(operation, again) == payload(operation, first) | {"replayed": True}
        assert morning.app.engine.dump() == before

    async def test_does_nothing_more_after_a_revocation(self, morning, operation):
        """Replayed under the permission to read: told to those who may still see it."""
        await morning.ask(operation)
        who = MUTATIONS[operation].by
        await _revoke(morning, who)
        before = morning.app.engine.dump()

        again = await morning.ask(operation)
        after = morning.app.engine.dump()

        new = [item["pk"]["S"] for item in after["journal"] if item not in before["journal"]]
        assert {**after, "journal": before["journal"]} == before
        if operation in ANYBODY_MAY_SEE:
            assert payload(operation, again)["replayed"]
            assert new == []
        else:
            assert codes(operation, again) == ["NOT_PERMITTED"]
            assert ["#".join(pk.split("#")[3:5]) for pk in new] == ["R#NOT_PERMITTED"]


async def _revoke(morning, who):
    """All that the caller may do ends: the role, or everything with the person who leaves."""
    if who in ROLES:
        await morning.court.revokes(morning.people[who], ROLES[who])
    else:
        await morning.court.leaves(morning.people[who])
