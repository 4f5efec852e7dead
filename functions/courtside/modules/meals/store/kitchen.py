"""Kitchen counts as stored: totals in the first part, diners in parts of at most 2,000."""

import json
from datetime import date
from typing import Any

from courtside.kernel.jobs import Job, JobState
from courtside.kernel.journal import Entry, Recorded
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.contracts.kitchen import CountedDiner, CountLine, KitchenCount
from courtside.modules.meals.contracts.menus import MenuDay
from courtside.modules.meals.contracts.orders import Wanted
from courtside.modules.meals.store.canteens import stated, to_allergens
from courtside.modules.meals.store.items import CountItem
from courtside.modules.meals.store.menus import day_item
from courtside.platform import jobs
from courtside.platform.dynamo.database import Database, create, replace
from courtside.platform.dynamo.values import from_instant, instant

DINERS_A_PART = 2000  # some 150 KB, well below the 400 KB that an item may have


class KitchenStore:
    """Counts, which are written once and never change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_count(
        self, count: KitchenCount, day: MenuDay, job: Job, entry: Entry
    ) -> Recorded | None:
        transaction = self._database.transaction(entry)
        transaction.add(replace(day_item(job.court, day), by="menu day"))
        for part in range(0, max(1, len(count.diners)), DINERS_A_PART):
            item = _item(job.court, count, part)
            transaction.add(create(item, by="kitchen count"))
        report = {"version": count.version, "portions": count.counted, "agrees": count.agrees}
        transaction.add(jobs.end(job, JobState.DONE, report))
        return await transaction.commit()

    async def find_count(
        self, court: str, canteen: str, day: date, period: Period, version: int
    ) -> KitchenCount | None:
        parts = await self._database.of(court).query(
            CountItem,
            _partition(canteen, day),
            begins=f"{period.value}#{version:04}#",
            consistent=True,
        )
        return _count(canteen, day, period, version, parts) if parts else None


def _partition(canteen: str, day: date) -> str:
    return f"MEALS#COUNTS#{canteen}#{day.isoformat()}"


def _item(court: str, count: KitchenCount, part: int) -> CountItem:
    diners = count.diners[part : part + DINERS_A_PART]
    return CountItem(
        pk=f"{court}#{_partition(count.canteen, count.date)}",
        sk=f"{count.period.value}#{count.version:04}#{part // DINERS_A_PART:02}",
        issued_at=instant(count.issued_at),
        lines=None if part else _json([_line(line) for line in count.lines]),
        diners=_json([[d.code, [list(w) for w in d.lines]] for d in diners]),
        counted=count.counted,
        ordered=count.ordered,
        sold=count.sold,
        agrees=count.agrees,
    )


def _count(
    canteen: str, day: date, period: Period, version: int, parts: list[CountItem]
) -> KitchenCount:
    first = parts[0]
    return KitchenCount(
        canteen=canteen,
        date=day,
        period=period,
        version=version,
        issued_at=from_instant(first.issued_at),
        lines=tuple(_to_line(line) for line in json.loads(first.lines or "[]")),
        diners=tuple(_to_diner(d) for part in parts for d in json.loads(part.diners)),
        counted=int(first.counted),
        ordered=int(first.ordered),
        sold=int(first.sold),
    )


def _line(line: CountLine) -> list[Any]:
    told = (line.portions, line.diners, line.offered)
    return [line.dish, line.name, stated(line.allergens), *told]


def _to_line(stored: list[Any]) -> CountLine:
    dish, name, allergens, portions, diners, offered = stored
    return CountLine(
        dish=dish,
        name=name,
        allergens=to_allergens(allergens),
        portions=portions,
        diners=diners,
        offered=offered,
    )


def _to_diner(stored: list[Any]) -> CountedDiner:
    code, lines = stored
    return CountedDiner(code=code, lines=tuple(Wanted(*line) for line in lines))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
