"""Imports: an uploaded file, its dry run, its commit. The plan is what lies between the two: the
rows as the dry run understood them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from courtside.kernel.errors import InvalidInput, NotFound, Path, Text
from courtside.kernel.jobs import Job, JobState
from courtside.kernel.sheets import MAX_BYTES, CellError, SheetProblem, UnreadableSheet
from courtside.kernel.workdays import business_day
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Allergen, Dish, Period, Tag
from courtside.modules.meals.contracts.imports import (
    CommitImport,
    Import,
    ImportKind,
    ImportState,
    RowFault,
    StartImport,
)
from courtside.modules.meals.contracts.menus import DraftDay, DraftLine
from courtside.modules.meals.rules.canteens import dish_id
from courtside.modules.meals.rules.menu_sheets import MenuRow
from courtside.modules.meals.rules.menus import DAYS_AHEAD, MOST_DAYS

ROWS_A_CHILD = 9  # each may need a dish of its own: 18 items, the job and the entry make 20
KEPT_FAULTS = 50  # on the import itself
MARKED_FAULTS = 1_000  # in the annotated copy: nobody mends more in one go
NAME_LENGTH = 120
MOST_PORTIONS = 9_999
_MAY_CHECK = {ImportState.UPLOADING, ImportState.CHECKED, ImportState.FAULTY}


def start(request: StartImport, *, import_id: str, person: str, now: datetime) -> Import:
    """A new import that waits for its file. Refusals: InvalidInput, UnreadableSheet (too large)."""
    filename = request.filename.strip()
    if not 1 <= len(filename) <= NAME_LENGTH or not filename.isprintable():
        raise InvalidInput(field="filename", reason=Text(zh="1 到 120 个字", en="1 to 120 letters"))
    if request.size > MAX_BYTES:
        raise UnreadableSheet(problem=SheetProblem.TOO_LARGE, path=("input", "size"))
    if request.portions is not None and not 1 <= request.portions <= MOST_PORTIONS:
        reason = Text(zh=f"须为 1 到 {MOST_PORTIONS}", en=f"1 to {MOST_PORTIONS}")
        raise InvalidInput(field="portions", reason=reason)
    return Import(
        id=import_id,
        kind=request.kind,
        canteen=request.canteen,
        state=ImportState.UPLOADING,
        filename=filename,
        sha256=request.sha256,
        size=request.size,
        file=request.sha256,
        requested_by=person,
        at=now,
        version=1,
        portions=request.portions,
    )


def known(found: Import | None, kind: ImportKind, *, path: Path = ("input", "importId")) -> Import:
    """The import if it is one of that kind: finance does not see menus, nor kitchens wallets."""
    if found is None or found.kind is not kind:
        raise NotFound(kind=errors.IMPORT, path=path)
    return found


def begin_check(found: Import, *, job: str) -> Import:
    """The import as it is checked anew. Refusals: ImportBusy."""
    if found.state not in _MAY_CHECK:
        raise errors.ImportBusy(state=found.state.value)
    return replace(
        found,
        state=ImportState.CHECKING,
        job=job,
        version=found.version + 1,
        rows=0,
        total_fen=0,
        faults=(),
        fault_count=0,
        annotated=None,
        plan=None,
    )


def begin_commit(found: Import, *, job: str, now: datetime) -> Import:
    """The import as it is taken. Refusals: ImportNotChecked."""
    if found.state is not ImportState.CHECKED or found.plan is None:
        raise errors.ImportNotChecked(state=found.state.value)
    return replace(
        found,
        state=ImportState.COMMITTING,
        job=job,
        taken_at=found.taken_at or now,
        version=found.version + 1,
    )


def same_file(found: Import, request: CommitImport) -> None:
    """AnotherFile unless the request names the checked file's hash."""
    if request.sha256 != found.sha256:
        raise errors.AnotherFile


def set_going_again(found: Import, job: Job | None, *, now: datetime) -> tuple[Import, Job] | None:
    """The next version of an import whose job makes no steps although it has not ended: the same
    job goes on from its last one. None for any other."""
    if job is None or job.state is not JobState.RUNNING or not job.has_lapsed(now):
        return None
    return replace(found, version=found.version + 1), job


def freed(found: Import, job: Job) -> Import:
    """The import whose job ended badly, as it was before: a menu is drafted from its beginning,
    top-ups go on after the children that were paid."""
    if found.state is ImportState.CHECKING:
        return replace(found, state=ImportState.UPLOADING, version=found.version + 1)
    paid = job.cursor if found.kind is ImportKind.TOP_UP else 0
    return replace(found, state=ImportState.CHECKED, paid=paid, version=found.version + 1)


def checked(found: Import, *, plan: str, rows: int, total_fen: int = 0) -> Import:
    return replace(
        found,
        state=ImportState.CHECKED,
        plan=plan,
        rows=rows,
        total_fen=total_fen,
        version=found.version + 1,
    )


def faulty(
    found: Import, *, rows: int, faults: Sequence[RowFault], annotated: str | None
) -> Import:
    """The import with what is wrong: the first faults here, more in the annotated copy."""
    return replace(
        found,
        state=ImportState.FAULTY,
        rows=rows,
        faults=tuple(faults[:KEPT_FAULTS]),
        fault_count=len(faults),
        annotated=annotated,
        version=found.version + 1,
    )


def committed(found: Import) -> Import:
    return replace(found, state=ImportState.COMMITTED, version=found.version + 1)


def faults_of(errors_at: Iterable[CellError]) -> list[RowFault]:
    return [
        RowFault(sheet=at.cell.sheet, address=at.cell.a1, zh=at.text.zh, en=at.text.en)
        for at in errors_at
    ]


def check_days(rows: Sequence[MenuRow], *, now: datetime) -> list[CellError]:
    """Days that are over, that nobody can order for yet, or more than one publishing takes: one
    error a day, at its first dish."""
    today = business_day(now)
    first: dict[date, MenuRow] = {}
    for row in rows:
        first.setdefault(row.date, row)
    wrong = [
        CellError(row.cell, _OVER if day < today else _AHEAD)
        for day, row in first.items()
        if not today <= day <= today + timedelta(days=DAYS_AHEAD)
    ]
    if len(first) > MOST_DAYS:
        wrong.append(CellError(first[sorted(first)[MOST_DAYS]].cell, _TOO_MANY_DAYS))
    return wrong


def menu_plan(rows: Sequence[MenuRow]) -> bytes:
    """The rows in the order in which children draft them; the same rows give the same file."""
    plain = [
        [
            row.date.isoformat(),
            row.period.value,
            row.name,
            row.price_fen,
            row.portions,
            None if row.allergens is None else list(row.allergens),
            list(row.tags),
            row.category,
        ]
        for row in rows
    ]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def meals_of_plan(plan: bytes) -> dict[date, set[Period]]:
    """The days that a plan names, in order, each with its meals."""
    meals: dict[date, set[Period]] = {}
    for day, period, *_ in sorted(json.loads(plan)):
        meals.setdefault(date.fromisoformat(day), set()).add(Period(period))
    return meals


def chunk_of_plan(plan: bytes, n: int, canteen: str) -> list[tuple[DraftLine, Dish]]:
    """Child `n`'s rows: each line, and its dish as it would be if the canteen had none yet."""
    rows = json.loads(plan)[n * ROWS_A_CHILD : (n + 1) * ROWS_A_CHILD]
    return [_planned(row, canteen) for row in rows]


def dishes_to_write(
    planned: Sequence[tuple[DraftLine, Dish]], existing: Mapping[str, Dish]
) -> list[Dish]:
    """Dishes that are missing, and those whose first allergen statement stands in the sheet. What
    was stated before is never changed by an import."""
    written: dict[str, Dish] = {}
    for _, dish in planned:
        before = existing.get(dish.id)
        if before is None:
            written.setdefault(dish.id, dish)
        elif before.allergens is None and dish.allergens is not None:
            written[dish.id] = replace(before, allergens=dish.allergens, version=before.version + 1)
    return list(written.values())


def turned(
    meals: Mapping[date, set[Period]], before: Sequence[DraftDay], *, canteen: str, batch: str
) -> list[DraftDay]:
    """The draft days that now count: an import replaces the draft of the meals it names."""
    known = {draft.date: draft for draft in before}
    return [
        DraftDay(
            canteen=canteen,
            date=day,
            batches={
                **(known[day].batches if day in known else {}),
                **dict.fromkeys(sorted(periods), batch),
            },
            version=(known[day].version if day in known else 0) + 1,
        )
        for day, periods in meals.items()
    ]


def _planned(row: Sequence[object], canteen: str) -> tuple[DraftLine, Dish]:
    day, period, name, price, portions, allergens, tags, category = row
    dish = Dish(
        canteen=canteen,
        id=dish_id(canteen, str(name)),
        name=str(name),
        category=str(category),
        price_fen=_int(price),
        allergens=None if allergens is None else tuple(Allergen(str(a)) for a in _list(allergens)),
        tags=tuple(Tag(str(tag)) for tag in _list(tags)),
        version=1,
    )
    line = DraftLine(
        date=date.fromisoformat(str(day)),
        period=Period(str(period)),
        dish=dish.id,
        name=dish.name,
        price_fen=dish.price_fen,
        planned=_int(portions),
    )
    return line, dish


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("a plan's numbers are whole")
    return value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


_OVER = Text(zh="这一天已经过去。", en="This day is over.")
_AHEAD = Text(
    zh=f"最多提前 {DAYS_AHEAD} 天。请核对日期。",
    en=f"At most {DAYS_AHEAD} days ahead. Check the date.",
)
_TOO_MANY_DAYS = Text(
    zh=f"一次最多导入 {MOST_DAYS} 天,请分几次导入。",
    en=f"At most {MOST_DAYS} days can be imported at once. Split the file.",
)
