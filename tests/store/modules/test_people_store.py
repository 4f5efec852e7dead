"""The stores of people and calendar on both engines: keys, conditions and what they refuse."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

import pytest

from courtside.kernel.actor import Actor, Grant, PersonStatus, Principal, Role
from courtside.kernel.errors import Stale
from courtside.kernel.journal import Command, Entry, Recorded, Result, entry
from courtside.kernel.paging import PageRequest
from courtside.kernel.workdays import DayKind
from courtside.modules.calendar.contracts import CalendarYear, ImportedYear
from courtside.modules.calendar.store import CalendarStore
from courtside.modules.people import errors
from courtside.modules.people.contracts import Court, CourtLevel, Person, Unit
from courtside.modules.people.store import PeopleStore

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
_numbers = count(1)


@pytest.fixture
def store(database) -> PeopleStore:
    return PeopleStore(database)


def told(court: str, *, key: str = "") -> Entry:
    principal = Principal(court=court, person="BOSS", client="web")
    command = Command(
        principal=principal, operation="people.test", key=key or f"key-{next(_numbers)}", request={}
    )
    return entry(command, now=NOW, result=Result(kind="Person", id="P"))


def a_person(court: str, name: str = "BOSS", **more) -> Person:
    given = {
        "court": court,
        "id": name,
        "staff_no": f"S-{name}",
        "name": "王管理",
        "unit": None,
        "posts": ("法官", "庭长"),
        "status": PersonStatus.ACTIVE,
        "grants": (
            Grant(role=Role.ADMINISTRATOR, starts_at=NOW),
            Grant(role=Role.CLERK, unit="U1", starts_at=NOW, ends_at=NOW.replace(year=2027)),
        ),
        "grants_version": 1,
        "joined_on": date(2026, 3, 2),
        "left_on": None,
        "version": 1,
    }
    return Person(**{**given, **more})


def a_court(code: str) -> Court:
    return Court(
        code=code,
        name="示范区人民法院",
        level=CourtLevel.BASIC,
        parent=None,
        created_on=date(2026, 3, 2),
        administrators=frozenset({"BOSS"}),
        version=1,
    )


def acting(person: Person) -> Actor:
    return person.acting_as(Principal(court=person.court, person=person.id, client="web"))


class TestPeopleStore:
    async def test_gives_back_what_it_was_given(self, store, code):
        court, boss = a_court(code), a_person(code)

        await store.save_court(court, boss, told(code))

        assert await store.find_court(code) == court
        assert await store.find_persons(code, ["BOSS", "NOBODY"]) == [boss, None]
        assert await store.find_registered(code, ["S-BOSS", "S-NONE"]) == ["BOSS", None]
        listed = await store.find_listed_court(code)
        assert listed == replace(court, administrators=frozenset())
        assert listed in await store.list_courts()

    async def test_founds_a_court_once(self, store, code):
        await store.save_court(a_court(code), a_person(code), told(code))

        with pytest.raises(errors.CourtExists):
            await store.save_court(a_court(code), a_person(code, "OTHER"), told(code))

        assert await store.find_persons(code, ["OTHER"]) == [None]

    async def test_answers_its_own_entry_before_any_condition(self, store, code):
        await store.save_court(a_court(code), a_person(code), told(code, key="key-once"))

        again = await store.save_court(a_court(code), a_person(code), told(code, key="key-once"))

        assert isinstance(again, Recorded)

    async def test_gives_a_staff_number_to_one_of_many_at_once(self, store, code):
        boss = a_person(code)
        await store.save_court(a_court(code), boss, told(code))
        rivals = [a_person(code, f"P{n}", staff_no="B7", grants=()) for n in range(8)]

        results = await asyncio.gather(
            *(store.save_person(acting(boss), one, None, told(code)) for one in rivals),
            return_exceptions=True,
        )

        assert results.count(None) == 1
        assert sum(isinstance(r, errors.StaffNumberTaken) for r in results) == 7
        (winner,) = await store.find_registered(code, ["B7"])
        found = await store.find_persons(code, [one.id for one in rivals])
        assert [one.id for one in found if one is not None] == [winner]

    @pytest.mark.parametrize("what", ["person", "court", "actor"])
    async def test_writes_nothing_on_what_has_moved(self, store, code, what):
        boss, court = a_person(code), a_court(code)
        await store.save_court(court, boss, told(code))
        judge = a_person(code, "JUDGE", grants=())
        await store.save_person(acting(boss), judge, None, told(code))
        behind = {
            "person": replace(judge, version=3),
            "court": replace(judge, version=2),
            "actor": replace(judge, version=2),
        }[what]
        moved = replace(court, version=3) if what == "court" else None
        actor = acting(replace(boss, grants_version=7)) if what == "actor" else acting(boss)

        with pytest.raises(Stale):
            await store.save_person(actor, behind, moved, told(code))

        assert await store.find_persons(code, ["JUDGE"]) == [judge]
        assert await store.find_court(code) == court

    async def test_pages_through_staff_numbers_in_order(self, store, code):
        boss = a_person(code)
        await store.save_court(a_court(code), boss, told(code))
        for n in (3, 1, 2):
            one = a_person(code, f"P{n}", staff_no=f"B{n}", grants=())
            await store.save_person(acting(boss), one, None, told(code))

        first = await store.page_registered(code, PageRequest(first=3))
        rest = await store.page_registered(code, PageRequest(first=3, after=first.cursors[-1]))

        assert [*first.items, *rest.items] == ["P1", "P2", "P3", "BOSS"]

    async def test_keeps_courts_apart(self, store, code):
        """Z-01: the same ids in another court are other things."""
        other = f"{code}X"
        for one in (code, other):
            await store.save_court(a_court(one), a_person(one), told(one))
        boss = a_person(code)
        unit = Unit(id="U1", name="立案庭", parent=None, version=1)
        await store.save_unit(acting(boss), unit, told(code))
        await store.save_person(
            acting(boss), replace(boss, version=2, name="改名"), None, told(code)
        )

        assert await store.list_units(code) == [unit]
        assert await store.list_units(other) == []
        assert await store.find_unit(other, "U1") is None
        assert await store.find_persons(other, ["BOSS"]) == [a_person(other)]


class TestCalendarStore:
    async def test_gives_back_years_and_guards_their_versions(self, database, code):
        store = CalendarStore(database)
        special = {
            date(2027, 1, 1): DayKind.HOLIDAY,
            date(2027, 1, 9): DayKind.MAKEUP_WORKDAY,
        }
        imported = ImportedYear(special=special, provisional=True)
        first = CalendarYear(
            year=2027, imported=imported, days={date(2027, 5, 4): DayKind.COURT_CLOSED}, version=1
        )
        bare = CalendarYear(year=2026, days={date(2026, 5, 4): DayKind.WEEKEND}, version=1)

        for year in (first, bare):
            await store.save_year(code, year, told(code))

        assert await store.list_years(code) == [bare, first]
        with pytest.raises(Stale):
            await store.save_year(code, first, told(code))
        second = replace(first, imported=None, days={}, version=2)
        await store.save_year(code, second, told(code))
        assert await store.list_years(code) == [bare, second]
