"""Whether the jobs that hold a day or a meal are still at work."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime

from courtside.kernel.errors import Stale
from courtside.kernel.journal import Command, Journal
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.menus import MenuDay
from courtside.modules.meals.ports import MenuStore
from courtside.modules.meals.rules.menus import locks


async def find_lapsed(
    menus: MenuStore, court: str, days: Sequence[MenuDay], *, now: datetime
) -> frozenset[str]:
    """Of the jobs that hold these days or meals, those whose locks may be taken over; nothing is
    read where nothing is held."""
    held = sorted(locks(days))
    jobs = await gather(*(menus.find_job(court, job) for job in held))
    return frozenset(
        job for job, found in zip(held, jobs, strict=True) if found is None or found.has_lapsed(now)
    )


async def unless_ours(journal: Journal, command: Command, refusal: errors.MealBusy) -> Exception:
    """The refusal, or Stale when another attempt at this very command holds the meal: deciding
    again then finds what it came to."""
    return refusal if await journal.recall(command) is None else Stale()
