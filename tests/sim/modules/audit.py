"""The audit trail in the simulation: an auditor lists persons and searches while everybody works;
who was shown to whom stands in the journal."""

from functools import partial

from courtside.kernel.actor import Role
from courtside.kernel.errors import Refusal
from courtside.kernel.journal import READ, aggregate
from courtside.kernel.paging import PageRequest
from courtside.kernel.workdays import business_day
from courtside.modules.audit.contracts import Search
from courtside.modules.audit.service import Audit
from courtside.modules.people.service import People
from courtside.platform.clock import DEFAULT_DEADLINE, deadline
from courtside.platform.dynamo.meter import metered
from testkit.sim.books import entries_of
from testkit.sim.clients import LATER
from testkit.sim.registry import Action


async def prepare(cast):
    """An auditor whom nobody relieves."""
    cast.parts["auditor"] = (await cast.court.somebody(Role.AUDITOR, staff_no="AU01"),)
    cast.things["shown"] = ()


async def search_trail(world):
    whom = world.one_of("staff").person
    day = business_day(world.clock.now())
    by = world.happens(0.5)
    search = Search(day=day, by=whom) if by else Search(day=day, about=aggregate("Person", whom))
    shown = (aggregate("Person", whom),)
    await _look(world, partial(_trail, search), lambda _: shown, "audit.list_trail")


async def list_persons(world):
    await _look(
        world,
        _persons,
        lambda page: tuple(aggregate("Person", person.id) for person in page.items),
        "people.list_persons",
    )


async def _trail(search, app, who):
    return await app.parts[Audit].list_trail(who, search, PageRequest(), now=app.clock.now())


async def _persons(app, who):
    return await app.parts[People].list_persons(who, PageRequest(), now=app.clock.now())


async def _look(world, read, shown, operation):
    """One attempt; a container that dies shows nothing."""
    container, who = world.container("api"), world.one_of("auditor")

    async def served():
        app = container.app
        with deadline(app.clock, DEFAULT_DEADLINE), metered():
            return await read(app, who)

    try:
        page = await container.invoke(served)
    except (*LATER, Refusal):
        return
    things = world.cast.things
    things["shown"] = (*things["shown"], (operation, shown(page)))


def what_was_shown_stands_in_the_journal(world):
    """P-09: a look without its entry would be one that nobody knows of."""
    for operation in ("audit.list_trail", "people.list_persons"):
        noted = [
            tuple(entry.result.outcome["seen"])
            for entry in entries_of(world, operation)
            if entry.result.kind == READ
        ]
        for told, seen in world.cast.things["shown"]:
            if told == operation and seen:
                if seen not in noted:
                    yield f"{operation} showed {seen} and left no entry"
                else:
                    noted.remove(seen)


ACTIONS = (Action(search_trail, weight=2), Action(list_persons))
INVARIANTS = (what_was_shown_stands_in_the_journal,)
