"""Read models under everything that delivery may do: doubled, reordered, split, repeated."""

import random

import pytest
from infra.memory.engine import Faults
from pynamodb.attributes import NumberAttribute

from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.platform.dynamo.database import Versioned, engine_of
from courtside.platform.dynamo.values import Key
from courtside.platform.projections import count_once, keep_newest
from testkit.house import COURT, House
from testkit.mapping import StreamMapping

COUNTER = Key(f"{COURT}#TILLS#TOTAL", "TOTAL")


class LastPayment(Versioned):
    amount = NumberAttribute()


class GuardedConsumer:
    """A projection as a module's store writes it."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def take(self, delivered, now):
        fact = delivered.fact
        till, amount = fact.state["till"], fact.state["amount"]
        pk = f"{COURT}#TILLS#LAST#{till}"
        record = LastPayment(pk=pk, sk="LAST", version=fact.version, amount=amount)
        await keep_newest(self.house.database, record)
        add = {"payments": 1, "amount": amount}
        await count_once(self.house.database, COUNTER, fact=delivered.id, add=add, now=now)


class UnguardedConsumer:
    """The broken twin: it believes that each fact arrives once and in order."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.total = {"payments": 0, "amount": 0}

    async def take(self, delivered, _now):
        fact = delivered.fact
        till, amount = fact.state["till"], fact.state["amount"]
        self.total["payments"] += 1
        self.total["amount"] += amount
        pk = f"{COURT}#TILLS#LAST#{till}"
        record = LastPayment(pk=pk, sk="LAST", version=fact.version, amount=amount)
        totals = {name: {"N": str(value)} for name, value in self.total.items()}
        counter = {"pk": {"S": COUNTER.pk}, "sk": {"S": COUNTER.sk}, **totals}
        await engine_of(self.house.database).put_many("records", [record.serialize(), counter])


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


async def deliver_badly(house: House, take, *, seed: int, payments: int) -> int:
    """Pay, then deliver through a mapping that bisects, repeats and doubles; how many deliveries
    reached the consumer."""
    chance = random.Random(seed)
    for n in range(payments):
        await house.tills.pay(f"T{chance.randrange(7)}", chance.randrange(1, 100), key=f"k-{n}")
    events = Events(house.app({"tills.paid.v1": [take]}), house.signals)
    relay = JournalRelay(house.base, house.signals)
    mapping = StreamMapping(relay.take, chance=chance, unsure=0.1, duplicated=0.3)
    await mapping.run(house.engine.stream("journal"))
    delivered = 0
    messages = house.queues.receive("events", most=100_000)
    chance.shuffle(messages)
    while messages:
        batch, messages = messages[:10], messages[10:]
        answer = await events.take({"Records": [message.record() for message in batch]})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        delivered += len(batch)
        for message in batch:
            if message.id in failed or chance.random() < 0.05:
                messages.insert(chance.randint(0, len(messages)), message)
    return delivered


def expected(house: House) -> dict[str, dict[str, int]]:
    """The truth, from the journal's own tills and accounts."""
    truth = {"TOTAL": {"payments": 0, "amount": 0}}
    for item in house.engine.items("records"):
        if item["sk"]["S"] == "ACCOUNT":
            truth["TOTAL"]["amount"] += int(item["available"]["N"])
        if item["sk"]["S"] == "TILL":
            truth["TOTAL"]["payments"] += int(item["payments"]["N"])
            truth[item["pk"]["S"].rpartition("#")[2]] = {"version": int(item["version"]["N"])}
    return truth


def projected(house: House) -> dict[str, dict[str, int]]:
    shown = {}
    for item in house.engine.items("records"):
        if item["pk"]["S"] == COUNTER.pk:
            shown["TOTAL"] = {name: int(item[name]["N"]) for name in ("payments", "amount")}
        if item["sk"]["S"] == "LAST":
            shown[item["pk"]["S"].rpartition("#")[2]] = {"version": int(item["version"]["N"])}
    return shown


class TestProjectionUnderTheMapping:
    async def test_shows_each_payment_once_and_the_newest_last(self, house):
        """D-14: duplicates, reordering, batch splits and timeouts; effects equal records."""
        deliveries = await deliver_badly(
            house, GuardedConsumer(house).take, seed=14, payments=1_000
        )

        assert deliveries > 1_300
        assert projected(house) == expected(house)

    async def test_catches_a_consumer_without_guards(self, house):
        """D-14, the broken twin: the same deliveries count twice and go back in time."""
        await deliver_badly(house, UnguardedConsumer(house).take, seed=14, payments=1_000)

        truth, shown = expected(house), projected(house)
        assert shown["TOTAL"]["payments"] > truth["TOTAL"]["payments"]
        assert any(shown[till] != truth[till] for till in truth if till != "TOTAL")

    @pytest.mark.nightly
    async def test_holds_for_a_hundred_thousand_deliveries(self, tmp_path):
        """D-14, the long run."""
        deliveries = 0
        for seed in range(40):
            house = House(tmp_path / str(seed), seed=seed)
            deliveries += await deliver_badly(
                house, GuardedConsumer(house).take, seed=seed, payments=2_000
            )
            assert projected(house) == expected(house), f"seed {seed}"

        assert deliveries >= 100_000


class TestKeepNewest:
    async def test_never_goes_back(self, house):
        shown = []
        for version in (2, 1, 3, 3, 2):
            record = LastPayment(pk=f"{COURT}#X", sk="LAST", version=version, amount=version * 10)
            shown.append(await keep_newest(house.database, record))

        (item,) = house.engine.items("records")
        assert shown == [True, False, True, False, False]
        assert (item["version"]["N"], item["amount"]["N"]) == ("3", "30")


class TestUnderFaults:
    async def test_lost_answers_and_conflicts_add_nothing_and_lose_nothing(self, tmp_path):
        faults = Faults(lost_before=0.1, lost_after=0.2, throttled=0.1)
        house = House(tmp_path, faults=faults, seed=3)
        for n in range(200):
            record = LastPayment(pk=f"{COURT}#X", sk="LAST", version=n % 40 + 1, amount=n % 40)
            await keep_newest(house.database, record)
            await count_once(
                house.database,
                COUNTER,
                fact=f"E{n // 2}#0",
                add={"payments": 1},
                now=house.clock.now(),
            )

        items = {item["sk"]["S"]: item for item in house.engine.items("records")}
        assert items["LAST"]["version"]["N"] == "40"
        assert items["TOTAL"]["payments"]["N"] == "100"
