"""What must hold of every seed, whatever the modules: the journal, its answers, what follows it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from infra.memory.items import size

from courtside.platform.dynamo.journal import StoredEntry, from_item
from courtside.platform.dynamo.values import Item, plain
from courtside.platform.relay import delivered_mark, history_lines
from courtside.platform.signals import Signal
from testkit.sim.clients import Asked, Clients

if TYPE_CHECKING:
    from testkit.sim.world import World

LARGEST_ENTRY = 1024  # bytes (design, section 3)
_NEVER = (
    Signal.JOURNAL_TAMPERED,
    Signal.ENTRY_UNREADABLE,
    Signal.MESSAGE_UNREADABLE,
    Signal.CHAIN_STOPPED,
)
_WEATHER = {"Busy", "Undelivered", "BucketDown", "Throttled", "Unanswered", "MessageFailed"}


def check(world: "World", clients: Clients) -> Iterator[str]:
    """Everything that is wrong with the books at the end, in words."""
    entries = [from_item(item) for item in world.engine.items("journal")]
    checks: tuple[Callable[[World, list[StoredEntry]], Iterable[str]], ...] = (
        _sizes,
        _versions,
        _history,
        _facts,
        _jobs,
        _signals,
    )
    for each in checks:
        yield from each(world, entries)
    yield from _answers(clients, entries)


def entries_of(world: "World", operation: str) -> list[StoredEntry]:
    """The court's entries of one operation, oldest first."""
    found = (from_item(item) for item in world.items("J#", table="journal"))
    return sorted((e for e in found if e.operation == operation), key=lambda e: (e.at, e.id))


def _sizes(world: "World", _: list[StoredEntry]) -> Iterator[str]:
    for item in world.engine.items("journal"):
        if size(item) > LARGEST_ENTRY:
            yield f"the entry {item['pk']['S']} has {size(item)} bytes"


def _versions(_: "World", entries: list[StoredEntry]) -> Iterator[str]:
    """Of each object, every version since its first was made once: no update lost, none twice. A
    job's children are told of by their own entries, so that its own versions have gaps."""
    made: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        for change in entry.changes:
            made[f"{entry.principal.court} {change.aggregate}"].append(change.version)
    for name, versions in sorted(made.items()):
        first, steps = min(versions), set(versions)
        whole = "Job:" in name or steps == set(range(first, first + len(versions)))
        if len(steps) < len(versions) or not whole:
            yield f"versions of {name}: {sorted(versions)}"


def _history(world: "World", entries: list[StoredEntry]) -> Iterator[str]:
    """The lines are those of the entries: none missing, none different, none of nobody's."""
    told = {(i["pk"]["S"], i["sk"]["S"]): i for e in entries for i in _unfolded(e)}
    kept = {
        (item["pk"]["S"], item["sk"]["S"]): item
        for item in world.engine.items("records")
        if "#HISTORY#" in item["pk"]["S"]
    }
    for place in sorted(told.keys() | kept.keys()):
        if told.get(place) != kept.get(place):
            yield f"history {place}: {kept.get(place)}, the journal says {told.get(place)}"


def _facts(world: "World", entries: list[StoredEntry]) -> Iterator[str]:
    settled: set[str] = world.cast.things["settled"]
    for entry in entries:
        for delivered in entry.deliveries():
            if entry.id not in settled and delivered.id not in world.handled:
                yield f"the fact {delivered.fact.name} of {entry.operation} reached nobody"


def _jobs(world: "World", _: list[StoredEntry]) -> Iterator[str]:
    for item in world.items("JOBS#"):
        if plain(item["state"]) == "RUNNING":
            yield f"the job {plain(item['kind'])} still runs at {plain(item['cursor'])}"


def _signals(world: "World", _: list[StoredEntry]) -> Iterator[str]:
    for told in world.signals.told:
        fault = str(told.facts.get("fault", ""))
        if told.signal in _NEVER or fault not in {"", *_WEATHER}:
            yield f"signal {told.signal.value} {fault}"


def _answers(clients: Clients, entries: list[StoredEntry]) -> Iterator[str]:
    """One effect a key, and every answer about that effect."""
    made: dict[tuple[str, str], list[StoredEntry]] = defaultdict(list)
    for entry in entries:
        _, _, who, _, key = entry.key.pk.split("#", 4)
        made[who, key].append(entry)
    for asked in clients.asked:
        found = [e for e in made[asked.who.name, asked.key] if e.operation != "R"]
        yield from (f"{asked.use_case} {asked.key}: {told}" for told in _answer(asked, found))


def _answer(asked: Asked, found: list[StoredEntry]) -> Iterator[str]:
    if len(found) > 1 or asked.fresh > 1:
        yield f"{len(found)} effects, {asked.fresh} times told as new"
    if asked.values and not found:
        yield "told as done, and nothing stands in the journal"
    if found and not asked.values and not asked.unknown:
        yield f"refused with {asked.refusals}, and yet in the journal"
    if len(set(asked.values)) > 1:
        yield f"answers about different things: {sorted(set(asked.values))}"


def _unfolded(entry: StoredEntry) -> list[Item]:
    return [*history_lines(entry), delivered_mark(entry)]
