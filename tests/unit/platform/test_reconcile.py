"""The books are proved: every corruption is found, and nothing else is."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from infra.memory.clock import MORNING
from infra.memory.engine import Faults

from courtside.kernel.workdays import business_day
from courtside.platform.dynamo.values import Item
from courtside.platform.reconcile import FindingKind, Reconciler, Report, request
from courtside.platform.signals import Signal
from testkit.house import COURT, House, account_of

FOUNDED = business_day(MORNING)


def reconciler_of(house: House) -> Reconciler:
    return Reconciler(house.database, clock=house.clock, signals=house.signals)


async def a_court_with_books(folder, *, payments: int, tills: int, seed: int = 0) -> House:
    """Three days of payments into many tills, all delivered."""
    house = House(folder, seed=seed)
    chance = random.Random(seed)
    for n in range(payments):
        await house.tills.pay(f"T{n % tills:03d}", chance.randrange(1, 500), key=f"k-{n}")
        house.clock.advance(seconds=3 * 86400 / payments)
    await house.pump(house.app()).settle()
    house.clock.advance(hours=1)
    return house


async def reconcile(house: House) -> Report:
    return await reconciler_of(house).reconcile(COURT, since=FOUNDED)


class Corruption:
    """One way to damage the books: `touched` are the subjects in which it must be found."""

    def __init__(self, item: Item, damage: Callable[[dict], dict | None], *touched: str) -> None:
        self.item = item
        self.damage = damage
        self.touched = set(touched)

    def inflict(self, house: House, table: str) -> None:
        held = house.engine._table(table)
        key = (self.item["pk"]["S"], self.item["sk"]["S"])
        damaged = self.damage({name: dict(value) for name, value in self.item.items()})
        house.engine._put(held, type(house.database.of(COURT).key("", ""))(*key), damaged)


def shifted(name: str, by: int) -> Callable[[dict], dict]:
    def damage(item: dict) -> dict:
        return item | {name: {"N": str(int(item[name]["N"]) + by)}}

    return damage


def gone(_: dict) -> None:
    return None


def altered(name: str) -> Callable[[dict], dict]:
    return lambda item: item | {name: {"S": item[name]["S"] + "!"}}


def corruptions(house: House, chance: random.Random, count: int) -> list[tuple[str, Corruption]]:
    """`count` damages of ten kinds, each to a till of its own."""
    records = house.engine.items("records")
    journal = {item["id"]["S"]: item for item in house.engine.items("journal")}
    accounts = [item for item in records if item["sk"]["S"] == "ACCOUNT"]
    chance.shuffle(accounts)
    made: list[tuple[str, Corruption]] = []
    for n, account in enumerate(accounts[:count]):
        till = account["pk"]["S"].rpartition("#")[2]
        balance = str(account_of(till))
        lines = [i for i in records if i["pk"]["S"] == f"{COURT}#HISTORY#{balance}"]
        line = chance.choice(lines)
        entry = journal[line["sk"]["S"]]
        version = next(
            i
            for i in records
            if i["pk"]["S"] == f"{COURT}#HISTORY#Till:{till}"
            and i["entry"]["S"] == entry["id"]["S"]
        )
        mark = next(i for i in records if i["pk"]["S"].endswith(entry["id"]["S"]))
        by = chance.choice([-100, -1, 1, 7, 10_000])
        kinds = [
            ("records", Corruption(account, shifted("available", by), balance)),
            ("records", Corruption(account, shifted("held", by), balance)),
            ("records", Corruption(account, gone, balance)),
            ("records", Corruption(line, gone, named(line))),
            ("records", Corruption(line, altered("moved"), named(line))),
            ("records", Corruption(version, gone, named(version))),
            ("records", Corruption(version, altered("state"), named(version))),
            ("records", Corruption(mark, gone, named(mark))),
            ("journal", Corruption(entry, gone, balance)),
            ("journal", Corruption(entry, raised, balance, named(line), named(version))),
        ]
        made.append(kinds[n % len(kinds)])
    return made


def raised(entry: dict) -> dict:
    """An entry whose movement says one fen more than was moved."""
    text = entry["e"]["S"]
    before, mark, rest = text.partition('[["PAID",')
    amount, comma, after = rest.partition(",")
    return entry | {"e": {"S": f"{before}{mark}{int(amount) + 1}{comma}{after}"}}


def named(line: Item) -> str:
    return f"{line['pk']['S']}|{line['sk']['S']}"


class TestReconcile:
    async def test_finds_nothing_in_books_that_are_right(self, tmp_path):
        house = await a_court_with_books(tmp_path, payments=300, tills=40)
        before = house.engine.dump()

        report = await reconcile(house)

        assert (report.entries, report.accounts, report.pending) == (300, 40, 0)
        assert report.lines == 4 * 300
        assert report.is_clean
        assert house.engine.dump() == before
        assert house.signals.counts[Signal.RECONCILIATION_MISMATCH] == 0

    async def test_finds_each_of_fifty_corruptions_and_nothing_else(self, tmp_path):
        """D-22: fifty damages of ten kinds; fifty found, none false."""
        house = await a_court_with_books(tmp_path, payments=300, tills=60)
        damages = corruptions(house, random.Random(22), 50)
        for table, damage in damages:
            damage.inflict(house, table)

        report = await reconcile(house)

        subjects = {finding.subject for finding in report.findings}
        missed = [d for _, d in damages if not subjects & d.touched]
        explained = set().union(*(d.touched for _, d in damages))
        assert len(damages) == 50
        assert missed == []
        assert subjects <= explained
        assert house.signals.counts[Signal.RECONCILIATION_MISMATCH] == len(report.findings)

    @pytest.mark.parametrize("seed", range(3))
    async def test_finds_nothing_wrong_while_orders_go_on(self, tmp_path, seed):
        """D-22: no false finding under traffic on the same accounts and a lagging index."""
        house = House(tmp_path, faults=Faults(stale=0.5, lag=3.0, latency=0.02), seed=seed)
        for n in range(60):
            await house.tills.pay(f"T{n % 3}", 5, key=f"k-{n}")

        async def keep_paying() -> None:
            for n in range(400):
                await house.tills.pay(f"T{n % 3}", 1, key=f"later-{n}")
                await house.clock.sleep(0.02)

        paying = asyncio.create_task(keep_paying())
        await house.clock.sleep(1.0)
        report = await reconcile(house)
        was_busy = not paying.done()
        await paying

        assert was_busy
        assert report.findings == ()
        assert report.entries > 60
        assert report.pending > 0  # nobody relayed: what is young is on its way, not wrong

    async def test_finds_a_wrong_balance_while_orders_go_on(self, tmp_path):
        """D-22: traffic on an account does not hide what is missing from it."""
        house = House(tmp_path, faults=Faults(latency=0.02))
        for n in range(30):
            await house.tills.pay(f"T{n % 3}", 5, key=f"k-{n}")
        accounts = [i for i in house.engine.items("records") if i["sk"]["S"] == "ACCOUNT"]
        Corruption(accounts[0], shifted("available", -100_000)).inflict(house, "records")

        async def keep_paying() -> None:
            for n in range(300):
                await house.tills.pay(f"T{n % 3}", 1, key=f"later-{n}")
                await house.clock.sleep(0.02)

        paying = asyncio.create_task(keep_paying())
        report = await reconcile(house)
        await paying

        till = accounts[0]["pk"]["S"].rpartition("#")[2]
        assert [(f.kind, f.subject) for f in report.findings] == [
            (FindingKind.BALANCE_DIFFERS, str(account_of(till)))
        ]

    async def test_finds_what_was_never_delivered(self, tmp_path):
        house = House(tmp_path)
        await house.tills.pay("A", 5, key="k-1")
        house.clock.advance(hours=1)

        report = await reconcile(house)

        assert {finding.kind for finding in report.findings} == {FindingKind.LINE_MISSING}
        assert len(report.findings) == 4

    async def test_finds_an_entry_that_cannot_be_read_once(self, tmp_path):
        house = await a_court_with_books(tmp_path, payments=20, tills=20)
        entry = house.engine.items("journal")[0]
        Corruption(entry, altered("e")).inflict(house, "journal")

        report = await reconcile(house)

        unreadable = [f for f in report.findings if f.kind is FindingKind.ENTRY_UNREADABLE]
        assert [finding.subject for finding in unreadable] == [entry["id"]["S"]]

    async def test_compares_the_history_of_the_days_asked_for_alone(self, tmp_path):
        house = await a_court_with_books(tmp_path, payments=30, tills=10)
        today = business_day(house.clock.now())
        line = next(i for i in house.engine.items("records") if i["sk"]["S"] == "DELIVERED")
        Corruption(line, gone).inflict(house, "records")

        message = request(COURT, since=FOUNDED, lines_since=today + timedelta(days=1))
        await reconciler_of(house).run(message)
        unseen = house.signals.counts[Signal.RECONCILIATION_MISMATCH]
        await reconciler_of(house).run(request(COURT, since=FOUNDED, lines_since=FOUNDED))

        assert unseen == 0
        assert house.signals.counts[Signal.RECONCILIATION_MISMATCH] == 1

    async def test_reads_one_court_alone(self, tmp_path):
        house = await a_court_with_books(tmp_path, payments=10, tills=5)

        report = await reconciler_of(house).reconcile("C999", since=FOUNDED)

        assert (report.entries, report.accounts, report.lines) == (0, 0, 0)
