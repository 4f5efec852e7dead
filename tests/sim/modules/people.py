"""People in the simulation: they come, move, are given roles, lose them, and leave."""

from courtside.kernel.actor import PersonStatus, Role
from courtside.modules.people import contracts, rules
from courtside.modules.people.service import People
from courtside.modules.people.store import STAFF, CourtItem, PersonItem
from courtside.platform.dynamo.database import load
from courtside.platform.dynamo.values import from_instant
from testkit.sim.registry import Action

ROLES = (Role.KITCHEN, Role.SERVING, Role.CLERK, Role.FINANCE, Role.ADMINISTRATOR)
GUARDED = "people."


async def prepare(cast):
    """Two administrators, two units, ten diners, a clerk in each unit."""
    court = cast.court
    units = [(await court.a_unit(name)).id for name in ("立案庭", "执行局")]
    cast.things["units"] = units
    cast.parts["administrator"] = (
        court.administrator,
        await court.somebody(Role.ADMINISTRATOR, staff_no="A0002"),
    )
    cast.parts["diner"] = tuple([await court.somebody(unit=units[n % 2]) for n in range(10)])
    cast.parts["clerk"] = tuple([await court.somebody(Role.CLERK, unit=unit) for unit in units])
    cast.parts["staff"] = (*cast.parts["diner"], *cast.parts["clerk"])


async def grant(world):
    whom, role = world.one_of("staff"), world.chance.choice(ROLES)
    request = contracts.GrantRole(person=whom.person, role=role)
    await world.ask(world.one_of("administrator"), People, "grant_role", request)


async def revoke(world):
    whom = world.one_of(world.chance.choice(("staff", "clerk", "administrator")))
    role = world.chance.choice(ROLES)
    request = contracts.RevokeRole(person=whom.person, role=role)
    await world.ask(world.one_of("administrator"), People, "revoke_role", request)


async def leave(world):
    whom = world.one_of(world.chance.choice(("diner", "diner", "clerk", "administrator")))
    request = contracts.RecordLeaving(person=whom.person)
    await world.ask(world.one_of("administrator"), People, "record_leaving", request)


async def add(world):
    number = f"N{world.chance.randrange(6):04}"
    unit = world.chance.choice(world.cast.things["units"])
    request = contracts.AddPerson(staff_no=number, name="新人", unit=unit)
    asked = await world.ask(world.one_of("administrator"), People, "add_person", request)
    if asked.values:
        newcomer = world.cast.court.principal(number)
        world.cast.parts["diner"] = tuple(dict.fromkeys((*world.cast.parts["diner"], newcomer)))


async def move(world):
    whom = world.one_of("diner")
    request = contracts.MovePerson(
        person=whom.person,
        unit=world.chance.choice(world.cast.things["units"]),
        posts=("书记员",),
        expected_version=world.chance.choice((1, 2, 3)),
    )
    await world.ask(world.one_of("administrator"), People, "move_person", request)


def persons(world):
    """Everybody, as stored, by id."""
    found = (load(PersonItem, item) for item in world.items("PEOPLE#ACTOR#"))
    return {person.pk.rpartition("#")[2]: person for person in found}


def roles_of(person, now):
    """What somebody may do by the stored item."""
    if person is None or person.status == PersonStatus.LEFT.value:
        return set()
    return {
        Role(role)
        for role, _, starts, ends in person.grants
        if from_instant(starts) <= now and (ends is None or now < from_instant(ends))
    }


def there_is_always_an_administrator(world):
    (court,) = (load(CourtItem, item) for item in world.items("PEOPLE#COURT"))
    lasting = {
        person
        for person, item in persons(world).items()
        if any(role == Role.ADMINISTRATOR.value and not ends for role, _, _, ends in item.grants)
    }
    if not lasting or set(court.administrators) != lasting:
        yield f"administrators: {sorted(court.administrators)}, by their grants {sorted(lasting)}"


def who_left_has_no_roles(world):
    for person, item in persons(world).items():
        if item.status == PersonStatus.LEFT.value and item.grants:
            yield f"{person} left and still holds {item.grants}"


def every_number_is_somebodys(world):
    numbers = {item["sk"]["S"]: item["person"]["S"] for item in world.items(STAFF)}
    held = {item.staff_no: person for person, item in persons(world).items()}
    if numbers != held:
        yield f"staff numbers {numbers}, persons {held}"


def nothing_is_written_under_a_revoked_role(world, commit):
    """Whoever changes people holds the role at the moment of the change (Z-07)."""
    own = commit.writes[0]
    if own.table != "journal":
        return
    _, _, who, operation, key = own.key.pk.split("#", 4)
    client, _, person = who.partition("~")
    if client == "system" or not operation.startswith(GUARDED):
        return
    stored = commit.before.get(("records", f"{world.court}#PEOPLE#ACTOR#{person}", "ACTOR"))
    found = stored or world.item(f"PEOPLE#ACTOR#{person}", "ACTOR")
    held = roles_of(load(PersonItem, found) if found else None, commit.at)
    if not held & rules.PERMITS[operation]:
        yield f"{operation} {key} was written without its role"


ACTIONS = (
    Action(grant, weight=3),
    Action(revoke, weight=3),
    Action(leave, weight=1),
    Action(add, weight=3),
    Action(move, weight=1),
)
INVARIANTS = (
    there_is_always_an_administrator,
    who_left_has_no_roles,
    every_number_is_somebodys,
)
WATCHES = (nothing_is_written_under_a_revoked_role,)
