"""Imports as stored, on both engines: a file's money moves once, by whoever is still granted it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from courtside.kernel.actor import Actor, PersonStatus, Principal
from courtside.kernel.errors import Stale
from courtside.kernel.jobs import Job, JobState
from courtside.kernel.journal import Command, Entry, Result, entry
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.imports import Import, ImportKind, ImportState
from courtside.modules.meals.store.imports import ImportStore
from courtside.platform.jobs import JobStore

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
_numbers = count(1)


@pytest.fixture
def imports(database) -> ImportStore:
    return ImportStore(database)


def told(court: str) -> Entry:
    principal = Principal(court=court, person="SOMEBODY", client="web")
    key = f"imports-{next(_numbers):04}"
    command = Command(principal=principal, operation="meals.test", key=key, request={})
    return entry(command, now=NOW, result=Result(kind="Test", id="T"))


def a_list(import_id: str, **more) -> Import:
    given = {
        "id": import_id,
        "kind": ImportKind.TOP_UP,
        "canteen": "",
        "state": ImportState.COMMITTING,
        "filename": "三月.csv",
        "sha256": "a" * 64,
        "size": 9,
        "file": "a" * 64,
        "requested_by": "SOMEBODY",
        "at": NOW,
        "version": 1,
        "paid": 3,
        "taken_at": NOW + timedelta(minutes=5),
    }
    return Import(**{**given, **more})


def a_job(court: str, **more) -> Job:
    given = {
        "court": court,
        "id": "TOPUP1",
        "kind": "meals.top_up",
        "state": JobState.RUNNING,
        "children": 5,
        "cursor": 3,
        "requested_by": "SOMEBODY",
        "at": NOW,
        "about": {},
    }
    return Job(**{**given, **more})


class TestImportStore:
    async def test_reads_an_import_and_its_job_back(self, imports, code):
        await imports.save_import(a_list("I1"), a_job(code), told(code), locks_file=True)

        assert await imports.find_import(code, "I1") == a_list("I1")
        assert await imports.find_job(code, "TOPUP1") == a_job(code)

    async def test_lets_one_import_take_a_file(self, imports, code):
        await imports.save_import(a_list("I1"), None, told(code), locks_file=True)

        with pytest.raises(errors.AlreadyTaken) as refusal:
            await imports.save_import(a_list("I2"), None, told(code), locks_file=True)

        assert (refusal.value.import_id, refusal.value.at) == ("I1", a_list("I1").taken_at)
        assert await imports.find_import(code, "I2") is None

    async def test_takes_nothing_from_somebody_whose_grants_have_changed(self, imports, code):
        """Nobody of that version is in the books: what was read is not so any more."""
        finance = Actor(
            principal=Principal(court=code, person="FINANCE", client="web"),
            unit=None,
            status=PersonStatus.ACTIVE,
            grants=(),
            grants_version=1,
        )

        with pytest.raises(Stale):
            await imports.save_import(a_list("I1"), None, told(code), acting=finance)

        assert await imports.find_import(code, "I1") is None

    async def test_frees_an_import_with_the_end_of_its_job(self, imports, database, code):
        job = a_job(code)
        await imports.save_import(a_list("I1"), job, told(code))
        free = imports.free_import(code, a_list("I1", state=ImportState.CHECKED, version=2))

        await JobStore(database).refuse(job, errors.TakenOver(), free, now=NOW)

        assert (await imports.find_import(code, "I1")).state is ImportState.CHECKED
        ended = await imports.find_job(code, "TOPUP1")
        assert (ended.state, ended.cursor) == (JobState.REFUSED, 3)
        assert ended.progressed_at is not None

    async def test_keeps_a_job_whose_import_has_moved(self, imports, database, code):
        job = a_job(code)
        await imports.save_import(a_list("I1"), job, told(code))
        moved = replace(a_list("I1"), version=3)

        with pytest.raises(Stale):
            await JobStore(database).refuse(
                job, errors.TakenOver(), imports.free_import(code, moved), now=NOW
            )

        assert await imports.find_job(code, "TOPUP1") == job
