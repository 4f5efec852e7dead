"""What arrives in the journal is sealed once, whenever it comes into sight."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infra.memory.engine import Faults

from courtside.kernel.workdays import CLOCK_SKEW
from courtside.platform import seal as sealing
from courtside.platform.dynamo.database import Database
from courtside.platform.dynamo.journal import from_item
from courtside.platform.dynamo.values import Key
from courtside.platform.seal import Broken, Line, Seal, digest_of, name_of, number_of, of_bytes
from testkit.house import COURT, House, Tills
from testkit.seals import QUARTER, SealedHouse


@pytest.fixture
def sealed(tmp_path) -> SealedHouse:
    return SealedHouse(house=House(tmp_path))


def ids(seals: list[Seal]) -> list[str]:
    return [line.id for seal in seals for line in seal.lines]


class TestSeal:
    async def test_holds_id_key_time_and_digest_of_each_entry(self, sealed):
        await sealed.house.tills.pay("A", 3, key="paid-0001")
        sealed.house.clock.advance(minutes=15)

        assert await sealed.seals() == 1

        (seal,) = sealed.vault.seals()
        (item,) = sealed.entries()
        stored = from_item(item)
        assert seal.lines == (
            Line(
                stored.id,
                stored.at,
                stored.key,
                int(item["ttl"]["N"]),
                sealing.digest_of_entry(item),
            ),
        )
        assert (seal.court, seal.number, seal.previous) == (COURT, 1, "")
        assert seal.until == sealed.house.clock.now()

    async def test_holds_what_came_since_the_last_and_its_digest(self, sealed):
        await sealed.lives(12, every=4)

        seals = sealed.vault.seals()
        assert [seal.number for seal in seals] == [1, 2, 3]
        assert [len(seal.lines) for seal in seals] == [4, 4, 4]
        for older, newer in itertools.pairwise(seals):
            assert newer.previous == digest_of(older.to_bytes())
            assert newer.since == older.until

    async def test_says_nothing_where_nothing_came_but_once_a_day(self, sealed):
        await sealed.lives(1)
        for _ in range(8):
            sealed.house.clock.advance(minutes=15)
            await sealed.seals()
        assert len(sealed.vault.seals()) == 1

        sealed.house.clock.advance(days=1)
        await sealed.seals()

        *_, last = sealed.vault.seals()
        assert (last.number, last.lines, last.until) == (2, (), sealed.house.clock.now())

    async def test_begins_with_the_first_entry(self, sealed):
        assert await sealed.seals() == 0
        assert sealed.vault.seals() == []

    async def test_takes_in_what_came_into_sight_late(self, sealed):
        assert await self.missed_by_fifty_minutes(sealed) == set()

    async def test_without_the_overlap_would_never_seal_the_late(self, sealed, monkeypatch):
        """The broken twin: it begins where the last seal ended."""
        monkeypatch.setattr(sealing, "OVERLAP", timedelta(0))

        assert len(await self.missed_by_fifty_minutes(sealed)) == 1

    async def missed_by_fifty_minutes(self, sealed) -> set[str]:
        """Ids that no seal holds, of two entries of which one comes into sight late."""
        house = sealed.house
        house.engine.faults = Faults(stale=1.0, lag=3000.0)
        await house.tills.pay("A", 1, key="late")
        house.engine.faults = Faults()
        house.clock.advance(minutes=1)
        await house.tills.pay("B", 1, key="in time")
        assert await sealed.seals() == 1

        for _ in range(4):
            house.clock.advance(minutes=15)
            await sealed.seals()

        return {item["id"]["S"] for item in sealed.entries()} - set(ids(sealed.vault.seals()))

    async def test_leaves_a_time_to_come_until_it_has_come(self, sealed):
        ahead = Database(
            sealed.house.engine,
            clock=sealed.house.clock.skewed(hours=20),
            digests=sealed.house.database.digests,
        )
        await Tills(ahead).pay("A", 1, key="tomorrow")
        sealed.house.clock.advance(minutes=15)
        assert await sealed.seals() == 0

        sealed.house.clock.advance(hours=20)

        assert await sealed.seals() == 1
        assert (await sealed.verifies()).is_clean

    async def test_goes_on_through_as_many_as_there_are(self, sealed, monkeypatch):
        """A court that was never sealed begins with its first day; no seal holds more than MOST."""
        monkeypatch.setattr(sealing, "MOST", 4)
        for n in range(10):
            sealed.house.clock.advance(hours=7)
            await sealed.house.tills.pay("A", 1, key=f"paid-{n}")
        sealed.house.clock.advance(minutes=15)

        assert await sealed.seals() == 10

        assert [len(seal.lines) for seal in sealed.vault.seals()] == [4, 4, 2]
        assert (await sealed.verifies()).is_clean

    async def test_of_two_at_once_one_leaves_it_to_the_other(self, sealed, monkeypatch):
        await sealed.house.tills.pay("A", 1, key="paid-0001")
        sealed.house.clock.advance(minutes=15)
        keep = sealed.vault.keep

        async def kept_by_another_first(court, name, data):
            await keep(court, name, bytes(data) + b" ")
            return await keep(court, name, data)

        monkeypatch.setattr(sealed.vault, "keep", kept_by_another_first)

        assert await sealed.seals() == 0
        assert len(sealed.vault.kept[COURT]) == 1

    async def test_reads_no_more_as_the_chain_grows(self, sealed, monkeypatch):
        """No scan: eight partitions and the seals of the last hour."""
        await sealed.lives(200, every=2)
        asked, read = [], []
        query, keep_reading = sealed.house.engine.query, sealed.vault.read

        async def counted(one):
            asked.append(one)
            return await query(one)

        async def noted(court, kept):
            read.append(kept)
            return await keep_reading(court, kept)

        monkeypatch.setattr(sealed.house.engine, "query", counted)
        monkeypatch.setattr(sealed.vault, "read", noted)
        sealed.house.clock.advance(minutes=15)
        await sealed.seals()

        assert len(asked) == 8
        assert all(one.low is not None for one in asked)
        assert len(read) <= 7  # sealed every quarter of an hour here

    async def test_is_refused_where_the_head_is_no_seal(self, sealed):
        await sealed.lives(2)
        sealed.vault.kept[COURT][name_of(9)] = b"{}"

        with pytest.raises(Broken):
            await sealed.seals()


class TestArrival:
    @given(
        pays=st.lists(
            st.tuples(
                st.integers(0, 1500),  # seconds until it is written
                st.integers(-1, 1),  # the writer's clock, in ε
                st.sampled_from([0.0, 1.0]),  # whether the index shows it late
            ),
            min_size=1,
            max_size=25,
        ),
        rhythm=st.lists(st.integers(300, 3000), min_size=1, max_size=6),
        hour=st.integers(0, 23),
        seed=st.integers(0, 9999),
    )
    @settings(max_examples=60)
    async def test_in_any_order_seals_each_once_and_none_never(
        self, tmp_path_factory, pays, rhythm, hour, seed
    ):
        """Clocks differ by ε, the index shows entries up to fifty minutes late, and the sealer runs
        when it runs."""
        sealed = SealedHouse(house=House(tmp_path_factory.mktemp("house"), seed=seed))
        clock, engine = sealed.house.clock, sealed.house.engine
        clock.advance(hours=hour)
        due = itertools.accumulate(itertools.cycle(rhythm))
        next_seal, elapsed = next(due), 0
        for n, (wait, skew, late) in enumerate(pays):
            elapsed += wait
            clock.advance(seconds=wait)
            while next_seal <= elapsed:
                await sealed.seals()
                next_seal = next(due)
            engine.faults = Faults(stale=late, lag=3000.0)
            skewed = clock.skewed(seconds=skew * CLOCK_SKEW.total_seconds())
            database = Database(engine, clock=skewed, digests=sealed.house.database.digests)
            await Tills(database).pay("A", 1, key=f"paid-{n}")
        for _ in range(8):
            clock.advance(minutes=15)
            await sealed.seals()

        found = ids(sealed.vault.seals())
        assert sorted(found) == sorted(item["id"]["S"] for item in sealed.entries())
        assert len(set(found)) == len(found)
        assert (await sealed.verifies()).findings == ()


class TestDocument:
    def test_is_read_as_it_was_written(self, sealed):
        now = sealed.house.clock.now()
        seal = Seal(
            court=COURT,
            number=7,
            since=now - QUARTER,
            until=now,
            previous="ab" * 32,
            lines=(Line("ID", now, Key("C310#J#web~P#o#k", "E"), 1, "d" * 64),),
        )

        assert of_bytes(seal.to_bytes()) == seal

    @pytest.mark.parametrize(
        "data", [b"", b"{", b"[]", b"5", b'{"format":2}', b"\xff", b"[" * 9999]
    )
    def test_is_not_anything_else(self, data):
        with pytest.raises(Broken):
            of_bytes(data)

    @given(st.integers(1, 10**10 - 2))
    def test_names_sort_the_newest_first(self, number):
        assert number_of(name_of(number)) == number
        assert name_of(number + 1) < name_of(number)

    @pytest.mark.parametrize("name", ["", "x.json", "1.json", "9999999999.json", "٣٣٣٣٣٣٣٣٣٣.json"])
    def test_names_are_of_seals_alone(self, name):
        with pytest.raises(Broken):
            number_of(name)
