"""What modules add to the simulation, each in `tests/sim/modules/<name>.py`.

ACTIONS and INVARIANTS must be there; `prepare`, WATCHES and MOMENTS where a module needs them.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from courtside.platform.dynamo.values import Item, Write

if TYPE_CHECKING:
    from testkit.sim.world import Cast, World

MODULES = Path(__file__).parents[3] / "functions" / "courtside" / "modules"
FIRST = ("people", "calendar")  # everybody else's people and days are there before them


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One transaction at the moment it takes effect: what it writes, and what stood there."""

    at: datetime
    writes: Sequence[Write]
    before: Mapping[tuple[str, str, str], Item | None]

    def stored(self, write: Write) -> Item | None:
        """What a write found."""
        return self.before[write.table, *write.key]


class Action(NamedTuple):
    """Something that somebody may do: `weight` says how often among all actions of all modules."""

    run: Callable[["World"], Awaitable[None]]
    weight: int = 1

    @property
    def name(self) -> str:
        return getattr(self.run, "__name__", "action")


Invariant = Callable[["World"], Iterable[str]]
Watch = Callable[["World", Commit], Iterable[str]]
Moments = Callable[["World"], Iterable[datetime]]
Prepare = Callable[["Cast"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """All modules' parts together."""

    actions: tuple[Action, ...]
    invariants: tuple[Invariant, ...]
    watches: tuple[Watch, ...]
    moments: tuple[Moments, ...]
    prepares: tuple[Prepare, ...]


def module_names() -> list[str]:
    """Every business module, foundation modules first."""
    found = {p.name for p in MODULES.iterdir() if (p / "wiring.py").is_file()}
    return [*(name for name in FIRST if name in found), *sorted(found - set(FIRST))]


@cache
def simulated() -> Simulated:
    """What all modules registered."""
    files = [import_module(f"sim.modules.{name}") for name in module_names()]
    return Simulated(
        actions=tuple(action for file in files for action in file.ACTIONS),
        invariants=tuple(each for file in files for each in file.INVARIANTS),
        watches=tuple(each for file in files for each in getattr(file, "WATCHES", ())),
        moments=tuple(each for file in files for each in getattr(file, "MOMENTS", ())),
        prepares=tuple(file.prepare for file in files if hasattr(file, "prepare")),
    )
