"""Builds the people module on a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courtside.kernel.journal import Reads
from courtside.modules.people.ports import PersonIds
from courtside.modules.people.service import People
from courtside.modules.people.store import PeopleStore
from courtside.platform.dynamo.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """`people` is also `Actors` for every other module; nothing is consumed."""

    people: People
    services: Mapping[type[Any], object]
    consumers: None = None


def build(database: Database, *, ids: PersonIds, reads: Reads) -> Wired:
    people = People(PeopleStore(database), journal=database.journal, reads=reads, ids=ids)
    return Wired(people=people, services={People: people})
