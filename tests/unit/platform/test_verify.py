"""P-10: whatever is done to the sealed journal or to its seals is found, and its place is named."""

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from courtside.kernel.workdays import business_day
from courtside.platform.dynamo.journal import RETENTION
from courtside.platform.messages import JobMessage
from courtside.platform.seal import Anchors, digest_of, digest_of_entry, name_of
from courtside.platform.signals import Signal
from courtside.platform.verify import FindingKind, Verifier, request
from testkit.house import COURT, House
from testkit.seals import MemoryVault, SealedHouse

MUTATIONS = 2000
ENTRIES = 24


@pytest.fixture
def sealed(tmp_path) -> SealedHouse:
    return SealedHouse(house=House(tmp_path))


def found(report) -> set[tuple[FindingKind, str]]:
    return {(finding.kind, finding.subject) for finding in report.findings}


class Attacker:
    """Does one thing to a sealed journal that its roles forbid, and can undo it.

    Each way answers the ids of the entries that are not what they were.
    """

    def __init__(self, sealed: SealedHouse, chance: random.Random) -> None:
        self.sealed = sealed
        self.chance = chance
        self.before = {item["id"]["S"]: item for item in sealed.entries()}
        self.ways: dict[str, Callable[[], Awaitable[set[str]]]] = {
            "edit": self.edits,
            "delete": self.deletes,
            "reorder": self.reorders,
            "truncate": self.truncates,
            "add": self.adds,
        }

    async def undo(self) -> None:
        for item in self.sealed.entries():
            if self.before.get(item["id"]["S"]) != item:
                await self.sealed.removes(item)
        for item in self.before.values():
            await self.sealed.puts(item)

    def somewhere(self):
        return self.chance.choice(list(self.before.values()))

    async def edits(self) -> set[str]:
        """One character or number of one attribute, or one attribute more or less."""
        item = dict(self.somewhere())
        place = item["id"]["S"]
        name = self.chance.choice(sorted(set(item) - {"pk", "sk"}))
        ((kind, value),) = item[name].items()
        match self.chance.randrange(3):
            case 0 if name not in {"dp", "ds", "id"}:
                del item[name]
            case 1:
                item[self.chance.choice(["b", "d", "j", "zz"])] = {"S": "forged"}
            case _:
                item[name] = {kind: self.changed(value)}
        await self.sealed.puts(item)
        return {place}

    def changed(self, value: str) -> str:
        at = self.chance.randrange(len(value))
        other = self.chance.choice([c for c in "0123456789" if c != value[at]])
        return value[:at] + other + value[at + 1 :]

    async def deletes(self) -> set[str]:
        gone = self.chance.sample(list(self.before.values()), self.chance.randint(1, 3))
        for item in gone:
            await self.sealed.removes(item)
        return {item["id"]["S"] for item in gone}

    async def reorders(self) -> set[str]:
        """Two entries exchange their times."""
        one, other = self.chance.sample(list(self.before.values()), 2)
        for item, time_of in ((one, other), (other, one)):
            at = time_of["ds"]["S"].partition("#")[0]
            await self.sealed.puts({**item, "ds": {"S": f"{at}#{item['id']['S']}"}})
        return {one["id"]["S"], other["id"]["S"]}

    async def truncates(self) -> set[str]:
        """The newest entries go, as if they had never been."""
        tail = self.sealed.entries()[-self.chance.randint(1, ENTRIES) :]
        for item in tail:
            await self.sealed.removes(item)
        return {item["id"]["S"] for item in tail}

    async def adds(self) -> set[str]:
        """An entry that was never written, under a time whose seals are closed."""
        like = self.somewhere()
        forged = f"FORGED{self.chance.randrange(10**9):09}"
        at = like["ds"]["S"].partition("#")[0]
        pk = like["pk"]["S"].rpartition("#")[0] + f"#{forged}"
        told = {"id": {"S": forged}, "pk": {"S": pk}, "ds": {"S": f"{at}#{forged}"}}
        await self.sealed.puts({**like, **told})
        return {forged}


class ChainInTheTable:
    """The broken twin: each entry's digest and the one before it, kept beside the entries. Whoever
    rewrites entries rewrites it with them, and nothing outside says how long it was."""

    def __init__(self, sealed: SealedHouse) -> None:
        self.links = self.of(sealed)

    @staticmethod
    def of(sealed: SealedHouse) -> dict[str, str]:
        linked, before = {}, ""
        for item in sealed.entries():
            before = digest_of((before + digest_of_entry(item)).encode())
            linked[item["id"]["S"]] = before
        return linked

    def detects(self, sealed: SealedHouse) -> bool:
        """Whether an entry that is there has another link than it had."""
        return any(self.links.get(key) != link for key, link in self.of(sealed).items())


class TestTamperedJournal:
    async def test_every_one_of_two_thousand_mutations_is_found_at_its_place(self, sealed):
        """P-10: edits, deletions, exchanges, cut tails and additions; seed 10."""
        await sealed.lives(ENTRIES)
        sealed.house.clock.advance(hours=3)
        assert (await sealed.verifies()).findings == ()
        attacker = Attacker(sealed, random.Random(10))
        ways = list(attacker.ways)
        missed = []

        for n in range(MUTATIONS):
            way = ways[n % len(ways)]
            places = await attacker.ways[way]()
            report = await sealed.verifies()
            named = {finding.subject for finding in report.findings}
            if not places <= named or (named - places) & set(attacker.before):
                missed.append((n, way, places, report.findings))
            await attacker.undo()

        assert missed == []
        assert (await sealed.verifies()).findings == ()

    async def test_a_chain_without_an_anchor_misses_every_cut_tail(self, sealed):
        """The twin finds most changes, and no truncation at all."""
        await sealed.lives(ENTRIES)
        attacker, twin = Attacker(sealed, random.Random(10)), ChainInTheTable(sealed)
        detected = {}

        for way in attacker.ways:
            detected[way] = 0
            for _ in range(20):
                await attacker.ways[way]()
                detected[way] += twin.detects(sealed)
                await attacker.undo()

        assert detected["truncate"] == 0
        assert detected["edit"] == 20

    @pytest.mark.parametrize(
        ("way", "kind"),
        [
            ("edit", FindingKind.ENTRY_CHANGED),
            ("delete", FindingKind.ENTRY_MISSING),
            ("truncate", FindingKind.ENTRY_MISSING),
            ("add", FindingKind.ENTRY_ADDED),
        ],
    )
    async def test_says_what_was_done(self, sealed, way, kind):
        await sealed.lives(ENTRIES)
        sealed.house.clock.advance(hours=3)
        await sealed.house.tills.pay("A", 1, key="young")
        await sealed.seals()

        places = await Attacker(sealed, random.Random(3)).ways[way]()

        kinds = {(kind, place) for place in places}
        assert kinds <= found(await sealed.verifies())


Hand = Callable[[MemoryVault], None]


def _rewritten(vault: MemoryVault, number: int, **changes) -> None:
    seal = replace(vault.seals()[number - 1], **changes)
    vault.kept[COURT][name_of(number)] = seal.to_bytes()


def _chain_again(vault: MemoryVault) -> None:
    """Let every seal name the one before it, as whoever forges a chain would."""
    for older, _ in pairwise(vault.seals()):
        now = vault.seals()[older.number - 1]
        _rewritten(vault, older.number + 1, previous=digest_of(now.to_bytes()))


def _without_a_line(vault: MemoryVault) -> None:
    _rewritten(vault, 2, lines=vault.seals()[1].lines[1:])


def _exchanged(vault: MemoryVault) -> None:
    kept = vault.kept[COURT]
    kept[name_of(2)], kept[name_of(3)] = kept[name_of(3)], kept[name_of(2)]


HANDS: dict[str, Hand] = {
    "a line is taken out": _without_a_line,
    "lines in another order": lambda v: _rewritten(v, 2, lines=v.seals()[1].lines[::-1]),
    "a line is taken out and the chain forged": lambda v: (_without_a_line(v), _chain_again(v)),
    "two seals exchanged": _exchanged,
    "a seal is gone": lambda v: v.kept[COURT].pop(name_of(2)),
    "the first seal is gone": lambda v: v.kept[COURT].pop(name_of(1)),
    "the newest seal is gone": lambda v: v.kept[COURT].pop(name_of(len(v.kept[COURT]))),
    "all seals are gone": lambda v: v.kept[COURT].clear(),
    "something else in its place": lambda v: v.kept[COURT].update({name_of(2): b"{}"}),
    "a space more": lambda v: v.kept[COURT].update({name_of(2): v.kept[COURT][name_of(2)] + b" "}),
    "another file among them": lambda v: v.kept[COURT].update({"notes.txt": b"{}"}),
    "another version over it": lambda v: v.covered.add(name_of(2)),
    "another court's": lambda v: _rewritten(v, 2, court="C999"),
}


class TestTamperedSeals:
    """P-10 for the chain itself, should the lock ever be opened."""

    @pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
    async def test_is_found(self, sealed, hand):
        await sealed.lives(ENTRIES)
        assert (await sealed.verifies()).is_clean

        hand(sealed.vault)

        findings = {finding.kind for finding in (await sealed.verifies()).findings}
        assert findings & {
            FindingKind.SEAL_CHANGED,
            FindingKind.SEAL_MISSING,
            FindingKind.SEAL_COVERED,
        }

    async def test_names_the_seals_that_are_missing(self, sealed):
        await sealed.lives(30)
        for number in (2, 3):
            del sealed.vault.kept[COURT][name_of(number)]

        report = await sealed.verifies()

        (gap,) = [f for f in report.findings if f.kind is FindingKind.SEAL_MISSING]
        assert (gap.subject, gap.says) == ("3", "to 2")

    async def test_without_the_anchor_a_cut_tail_of_entries_and_seals_is_missed(
        self, sealed, monkeypatch
    ):
        """The broken twin: an end is cut off vault and table alike, and nobody remembers it."""
        await sealed.lives(ENTRIES)
        newest = sealed.vault.seals()[-1]
        gone = {line.id for line in newest.lines}
        del sealed.vault.kept[COURT][newest.name]
        for item in sealed.entries():
            if item["id"]["S"] in gone:
                await sealed.removes(item)
        assert found(await sealed.verifies()) == {
            (FindingKind.SEAL_MISSING, str(newest.number)),
        }

        async def nothing(_self, _court):
            return None

        monkeypatch.setattr(Anchors, "find", nothing)

        assert (await sealed.verifies()).is_clean

    async def test_a_forged_anchor_is_found(self, sealed):
        await sealed.lives(ENTRIES)
        newest = sealed.vault.seals()[-1]

        await Anchors(sealed.house.database).put(replace(newest, previous="0" * 64))

        assert found(await sealed.verifies()) == {
            (FindingKind.SEAL_CHANGED, str(newest.number)),
        }

    async def test_an_anchor_that_fell_behind_is_no_finding(self, sealed):
        """The sealer was killed between the seal and its anchor."""
        await sealed.lives(ENTRIES)
        await Anchors(sealed.house.database).put(sealed.vault.seals()[-2])

        assert (await sealed.verifies()).is_clean


class TestVerify:
    async def test_compares_days_asked_for_and_all_seals_after_them(self, sealed):
        await sealed.lives(10)
        sealed.house.clock.advance(days=2)
        second = business_day(sealed.house.clock.now())
        await sealed.lives(5)

        whole = await sealed.verifies()
        part = await sealed.verifies(first=second)

        assert (whole.entries, whole.seals) == (15, 3)
        assert part.entries == 5
        assert part.is_clean

    async def test_an_older_day_is_compared_alone(self, sealed):
        await sealed.lives(10)
        sealed.house.clock.advance(days=2)
        await sealed.lives(5)

        report = await sealed.verifies(last=sealed.founded)

        assert (report.entries, report.findings) == (10, ())

    async def test_waits_for_what_is_young_and_not_for_ever(self, sealed):
        await sealed.lives(3)
        await sealed.house.tills.pay("A", 1, key="young")

        young = await sealed.verifies()
        sealed.house.clock.advance(hours=2)
        old = await sealed.verifies()

        assert (young.pending, young.findings) == (1, ())
        assert [(f.kind, f.says) for f in old.findings] == [
            (FindingKind.ENTRY_UNSEALED, "1 entries")
        ]

    async def test_says_that_nobody_seals_any_more(self, sealed):
        await sealed.lives(3)
        sealed.house.clock.advance(hours=26)

        report = await sealed.verifies()

        assert [finding.kind for finding in report.findings] == [FindingKind.SEALING_STOPPED]

    async def test_lets_entries_leave_by_their_time(self, sealed):
        """Ten years on, entries have left the journal; their seals still hold together."""
        await sealed.lives(10)
        sealed.house.clock.advance(days=RETENTION.days + 3)
        await sealed.seals()
        assert sealed.house.engine.expire(sealed.house.clock.now()) > 0

        report = await sealed.verifies()

        assert report.findings == ()
        assert sealed.house.engine.items("journal") == []

    async def test_lets_seals_leave_after_their_entries(self, sealed):
        await sealed.lives(10)
        sealed.house.clock.advance(days=RETENTION.days + 3)
        sealed.house.engine.expire(sealed.house.clock.now())
        await sealed.seals()
        for seal in sealed.vault.seals()[:-1]:
            del sealed.vault.kept[COURT][seal.name]

        report = await sealed.verifies(first=business_day(sealed.house.clock.now()))

        assert report.findings == ()

    async def test_says_once_that_a_court_was_never_sealed(self, sealed):
        assert (await sealed.verifies()).findings == ()
        for n in range(30):
            await sealed.house.tills.pay("A", 1, key=f"never-{n}")
        sealed.house.clock.advance(hours=2)

        report = await sealed.verifies()

        assert [(f.kind, f.says) for f in report.findings] == [
            (FindingKind.ENTRY_UNSEALED, "30 entries")
        ]

    async def test_tells_each_finding_of_a_nightly_run(self, sealed):
        await sealed.lives(5)
        first, *_ = sealed.entries()
        await sealed.removes(first)
        sealed.house.clock.advance(hours=1)
        message = request(COURT, first=sealed.founded)
        verifier = Verifier(
            sealed.house.database,
            sealed.vault,
            clock=sealed.house.clock,
            signals=sealed.house.signals,
        )

        await verifier.run(JobMessage(*json.loads(json.dumps(message))))

        (told,) = sealed.house.signals.told
        assert told.signal is Signal.SEAL_BROKEN
        assert told.facts == {
            "court": COURT,
            "kind": "ENTRY_MISSING",
            "subject": first["id"]["S"],
        }

    async def test_tells_many_findings_in_few_lines(self, sealed):
        await sealed.lives(30)
        for item in sealed.entries():
            await sealed.removes(item)
        verifier = Verifier(
            sealed.house.database,
            sealed.vault,
            clock=sealed.house.clock,
            signals=sealed.house.signals,
        )

        await verifier.run(request(COURT, first=sealed.founded))

        assert sealed.house.signals.counts[Signal.SEAL_BROKEN] == 30
        assert len(sealed.house.signals.told) == 21

    async def test_writes_nothing(self, sealed):
        await sealed.lives(5)
        before = sealed.house.engine.dump()

        await sealed.verifies()

        assert sealed.house.engine.dump() == before
