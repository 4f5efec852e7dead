"""Z-01: nothing of a court is shown to another, to its own who may not see it, to a third party
or to nobody: every field of the schema, with every id that the court's own people are shown."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from courtside.entrypoints.schema import schema
from testkit.app import build_app
from testkit.factories.living import JUDGE, NEIGHBOUR, ROOT, ALivingCourt, a_living_court
from testkit.factories.people import COURT, OTHER_COURT
from testkit.figures import record
from testkit.graphql import Answer, Client, serve, sign_in
from testkit.tokens import issuers, token
from testkit.walker import (
    Root,
    Seen,
    all_fields,
    choices,
    days,
    places,
    roots,
    strings,
    values,
    variables,
)

GRAPHQL = schema._schema
ROOTS = roots(GRAPHQL)
QUERIES = [root for root in ROOTS if not root.is_mutation]
SCOPE = "calendar.get_month"
OPEN = {"serverNow"}
DAY = "2026-03-02"
# Nothing was refused there and nobody acted for another.
UNSEEN = {"MealsJob.code", "MealsJob.message", "AuditEntry.refused", "AuditEntry.onBehalfOfId"}
OURS, THEIRS = "甲院", "乙院"


class Asked(NamedTuple):
    root: Root
    given: dict[str, Any]
    answer: Answer

    @property
    def own(self) -> Any:
        """The root field's value; None where it was refused."""
        data = self.answer.body.get("data")
        return None if data is None else data[self.root.name]

    @property
    def told(self) -> set[str]:
        """Strings that the caller was told and had not said."""
        said = set(strings(self.given))
        return set(strings(self.answer.body)) - said


class World:
    """Two courts in one installation, and who asks."""

    def __init__(self, app, ours: ALivingCourt, theirs: ALivingCourt) -> None:
        self.app, self.ours, self.theirs = app, ours, theirs
        self.view, self.watched = serve(app, development=True)
        self.seen, self.foreign = Seen(), Seen()
        self.changing: set[str] = set()

    def client(self, staff_no: str | None, court: str = COURT, **claims: str) -> Client:
        if staff_no is None:
            return Client(view=self.view)
        if claims:
            signed = token(staff_no, court=court, now=self.app.clock.now(), **claims)
            return Client(view=self.view, token=signed)
        return sign_in(self.app, self.view, staff_no, court=court)

    async def look_around(self) -> None:
        """What its own people are shown, in each court."""
        for seen, living in ((self.seen, self.ours), (self.foreign, self.theirs)):
            seen.take(living.shown)
            for staff_no in (ROOT, JUDGE):
                client = self.client(staff_no, living.code)
                for root in QUERIES:
                    for put in choices(root):
                        given = variables(root, seen, put=put)
                        seen.take((await client.run(root.text, given)).body)
                for root in QUERIES:  # ids that were shown lead to others
                    for given in requests(root, seen, seen):
                        seen.take((await client.run(root.text, given)).body)

    async def ask(
        self, client: Client, roots: list[Root], *, among_own: bool = True
    ) -> list[Asked]:
        """Every request of these root fields with our court's ids and words, and with its ids among
        the caller's own; mutations each on the world as it was made."""
        bases = (self.foreign, self.seen) if among_own else (self.seen,)
        asked = []
        for root in roots:
            with self.unchanged_by(root):
                asked += [
                    Asked(root, given, await client.run(root.text, given))
                    for base in bases
                    for given in requests(root, base, self.seen)
                ]
                if root.is_mutation:
                    await self.app.settle()
        return asked

    @contextmanager
    def unchanged_by(self, root: Root) -> Iterator[None]:
        """Everything as it was before, once the block has ended; whether anything stored of our
        court differed then is kept in `changing`."""
        engine, pump = self.app.engine, self.app.pump
        if not root.is_mutation:
            yield
            return
        made, seen, before = deepcopy(engine._tables), pump._seen, self.stored()
        yield
        if self.stored() != before:
            self.changing.add(root.name)
        engine._tables, pump._seen = made, seen

    def ours_alone(self) -> set[str]:
        """What tells something of our court."""
        return self.seen.strings() - self.foreign.strings()

    def stored(self) -> list[Any]:
        """Everything stored of our court."""
        return [
            item
            for items in self.app.engine.dump().values()
            for item in items
            if item["pk"]["S"].startswith(f"{COURT}#")
        ]


def requests(root: Root, base: Seen, other: Seen) -> Iterator[dict[str, Any]]:
    """Arguments of `base`: with ids of `other`, two of a kind, at each place of an id; with each
    day; and as they are, or with ids left out."""
    for place in places(root.arguments):
        for ids in other.ids.values():
            for one in {ids[0], ids[-1]}:
                yield variables(root, base, put={place: one})
    for day in base.words.get("date", ()):
        if any(days(root.arguments)):
            yield variables(root, base, put=dict.fromkeys(days(root.arguments), day))
    for put in choices(root):
        yield variables(root, base, put=put)


def leaked(asked: list[Asked], secrets: set[str]) -> list[tuple[str, str]]:
    """Which root fields told which of our court's values."""
    return [
        (one.root.name, word)
        for one in asked
        for word in sorted(one.told)
        if word in secrets or OURS in word
    ]


def checks(asked: list[Asked]) -> int:
    """Fields asked for, each with its caller and ids."""
    return sum(len(one.root.reached) for one in asked)


def faults(asked: list[Asked]) -> Counter[str]:
    return Counter(one.root.name for one in asked if "INTERNAL" in one.answer.codes)


async def _world(app) -> World:
    theirs = await a_living_court(app, code=OTHER_COURT, mark=THEIRS)
    ours = await a_living_court(app, code=COURT, mark=OURS)
    made = World(app, ours, theirs)
    await made.look_around()
    await app.settle()
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Made once: it takes longer than all questions to it."""
    with build_app(tmp_path_factory.mktemp("courts"), issuers=issuers(COURT, OTHER_COURT)) as app:
        yield asyncio.run(_world(app))


@pytest.fixture
def world(built, monkeypatch) -> World:
    """As it was made, whatever the test before did."""
    monkeypatch.setattr(built.app.engine, "_tables", deepcopy(built.app.engine._tables))
    monkeypatch.setattr(built.app.pump, "_seen", built.app.pump._seen)
    built.changing = set()
    return built


class TestWalk:
    """What the walk reaches, without which nothing below means anything."""

    def test_selects_every_field_of_the_schema(self):
        reached = {name for root in ROOTS for name in root.reached}

        assert all_fields(GRAPHQL) - reached == set()
        record("Z-01", "fields selected", f"{len(reached)} of {len(all_fields(GRAPHQL))}")

    async def test_is_answered_to_the_owner(self, world):
        """The owner sees a value in every field that a query can show."""
        asked = [
            *await world.ask(world.client(JUDGE), QUERIES, among_own=False),
            *await world.ask(world.client(ROOT), QUERIES, among_own=False),
        ]

        kinds = {root.name: _kind(root) for root in ROOTS}
        shown = {
            name
            for one in asked
            if one.own is not None
            for name in values(one.own, kinds[one.root.name], GRAPHQL)
        }
        read = {name for root in QUERIES for name in root.reached if "Query." not in name}
        never = read - shown
        assert faults(asked) == {}
        assert never <= UNSEEN
        record("Z-01", "fields with a value for their owner", len(shown))


class TestAnotherCourt:
    """Z-01."""

    async def test_sees_nothing_of_ours_and_changes_nothing(self, world):
        secrets = world.ours_alone()

        asked = await world.ask(world.client(ROOT, OTHER_COURT), ROOTS)

        assert leaked(asked, secrets) == []
        assert faults(asked) == {}
        assert world.changing == set()
        assert checks(asked) >= 5_000
        assert len(secrets) >= 20
        record("Z-01", "cross-court values", f"0 in {checks(asked)} checks")
        record("Z-01", "cross-court requests", len(asked))

    async def test_would_see_it_without_the_tenant_in_the_key(self, world, monkeypatch):
        """The broken twin: a repository that finds an item whatever court it is of."""
        for name in ("get", "query"):
            monkeypatch.setattr(world.app.engine, name, _anywhere(world.app.engine, name))

        asked = await world.ask(world.client(ROOT, OTHER_COURT), QUERIES)

        assert len({root for root, _ in leaked(asked, world.ours_alone())}) >= 5


class TestOthers:
    """Z-01."""

    async def test_a_neighbour_sees_nothing_of_anothers_order(self, world):
        """Of the same court, without a role: menus, but neither names nor another's meal."""
        shown = await world.ours.screen(JUDGE).show("MyMealOrders", **{"from": DAY, "to": DAY})
        (order,) = shown.data["myMealOrders"]
        names = {f"{OURS}王总管", f"{OURS}李法官", ROOT, JUDGE}
        secrets = {order["id"], order["code"], *names}

        asked = await world.ask(world.client(NEIGHBOUR), ROOTS, among_own=False)

        assert [(r, w) for r, w in _told_exactly(asked, secrets)] == []
        assert faults(asked) == {}
        record("Z-01", "checks of a neighbour", checks(asked))

    async def test_a_third_party_sees_its_scope_alone(self, world):
        client = world.client(ROOT, client="miniprogram", scope=SCOPE)

        asked = await world.ask(client, ROOTS, among_own=False)

        answered = {one.root.name for one in asked if _has_value(one)}
        assert answered == {"workCalendar", *OPEN}
        assert leaked(asked, world.ours_alone()) == []
        record("Z-01", "checks of a third party", checks(asked))

    async def test_nobody_sees_the_clock_alone(self, world):
        asked = await world.ask(world.client(None), ROOTS, among_own=False)

        assert {one.root.name for one in asked if _has_value(one)} == OPEN
        assert leaked(asked, world.ours_alone()) == []
        assert world.changing == set()
        record("Z-01", "checks of nobody", checks(asked))


def _kind(root: Root) -> Any:
    parent = GRAPHQL.mutation_type if root.is_mutation else GRAPHQL.query_type
    return parent.fields[root.name].type


def _has_value(one: Asked) -> bool:
    """Whether the root field answered anything but refusals."""
    own = one.own
    if not isinstance(own, dict) or "errors" not in own:
        return own is not None
    return any(value for name, value in own.items() if name != "errors")


def _told_exactly(asked: list[Asked], secrets: set[str]) -> list[tuple[str, str]]:
    return [(one.root.name, word) for one in asked for word in sorted(one.told & secrets)]


def _anywhere(engine: Any, name: str) -> Any:
    """`get` or `query` that looks in our court for what another court asked and did not find."""
    found = getattr(engine, name)

    async def get(reads: Any) -> Any:
        own, ours = await found(reads), await found([_ours(read) for read in reads])
        return [mine or other for mine, other in zip(own, ours, strict=True)]

    async def query(asked: Any) -> Any:
        own = await found(asked)
        return own if own.items else await found(replace(asked, pk=_of_ours(asked.pk), start=None))

    return get if name == "get" else query


def _ours(read: Any) -> Any:
    return read._replace(key=read.key._replace(pk=_of_ours(read.key.pk)))


def _of_ours(pk: str) -> str:
    return pk.replace(f"{OTHER_COURT}#", f"{COURT}#", 1)
