"""What reading a menu comes to: rows of dishes, and what is wrong at which cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from courtside.kernel.errors import Text
from courtside.kernel.money import yuan
from courtside.kernel.sheets import Cell, CellError
from courtside.modules.meals.contracts.canteens import Allergens, Dish, Period, Tag
from courtside.modules.meals.rules.menu_sheets.words import (
    ALLERGEN_NAMES,
    PERIOD_NAMES,
    name_key,
)


class Layout(StrEnum):
    """LIST: one row a dish, as in the template. GRID: dates across, meals down."""

    LIST = "LIST"
    GRID = "GRID"


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuRow:
    """A dish planned for one meal of one day, complete. `allergens` None: stated neither here nor
    in the dish list, which blocks publishing, not importing. `cell` holds its name."""

    cell: Cell
    date: date
    period: Period
    name: str
    price_fen: int
    portions: int
    allergens: Allergens
    tags: tuple[Tag, ...]
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMenu:
    """All that a workbook says. Only one without errors may be taken. `skipped` are the sheets that
    hold no menu."""

    layouts: frozenset[Layout]
    rows: tuple[MenuRow, ...]
    errors: tuple[CellError, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A dish as a sheet mentions it, before the dish list has filled what is missing."""

    cell: Cell
    date: date
    period: Period
    name: str
    price_fen: int | None = None
    portions: int | None = None
    allergens: Allergens = None
    tags: tuple[Tag, ...] = ()
    category: str = ""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What the reading of one sheet has come to so far."""

    drafts: list[Draft] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)

    def wrong(self, cell: Cell, text: Text) -> None:
        self.errors.append(CellError(cell, text))


def settle(
    drafts: Sequence[Draft], *, dishes: Mapping[str, Dish], portions: int | None
) -> tuple[tuple[MenuRow, ...], tuple[CellError, ...]]:
    """Fill in what the dish list knows (by `name_key`), or what another cell of the file says of
    the same new dish; refuse what stays open, repetitions, and contradictions.

    `portions` is planned where neither cell nor column says how many.
    """
    errors: list[CellError] = []
    told = _told(drafts, errors)
    seen: dict[tuple[date, Period, str], Draft] = {}
    rows: list[MenuRow] = []
    for draft in drafts:
        key = (draft.date, draft.period, name_key(draft.name))
        first = seen.setdefault(key, draft)
        if first is not draft:
            errors.append(_repeated(first, draft))
            continue
        row, faults = _complete(draft, dishes.get(key[2]), told[key[2]], portions)
        errors.extend(faults)
        if row is not None:
            rows.append(row)
    return tuple(rows), tuple(errors)


def _told(drafts: Sequence[Draft], errors: list[CellError]) -> dict[str, Draft]:
    """By dish, all that the file itself says of it; saying two things of one dish is an error."""
    told: dict[str, Draft] = {}
    for draft in drafts:
        before = told.setdefault(name_key(draft.name), draft)
        if (
            draft.allergens is not None
            and before.allergens is not None
            and set(draft.allergens) != set(before.allergens)
        ):
            errors.append(_contradicts(draft, before))
        told[name_key(draft.name)] = replace(
            before,
            price_fen=draft.price_fen if before.price_fen is None else before.price_fen,
            allergens=draft.allergens if before.allergens is None else before.allergens,
            tags=before.tags or draft.tags,
            category=before.category or draft.category,
        )
    return told


def _complete(
    draft: Draft, dish: Dish | None, told: Draft, portions: int | None
) -> tuple[MenuRow | None, list[CellError]]:
    listed = told.price_fen if dish is None else dish.price_fen
    price = listed if draft.price_fen is None else draft.price_fen
    planned = portions if draft.portions is None else draft.portions
    faults = [
        *([_no_price(draft)] if price is None else []),
        *([_no_portions(draft)] if planned is None else []),
        *_against_list(draft, dish),
    ]
    if price is None or planned is None or faults:
        return None, faults
    row = MenuRow(
        cell=draft.cell,
        date=draft.date,
        period=draft.period,
        name=dish.name if dish else told.name,
        price_fen=price,
        portions=planned,
        allergens=told.allergens if dish is None or dish.allergens is None else dish.allergens,
        tags=dish.tags if dish else told.tags,
        category=dish.category if dish else told.category,
    )
    return row, []


def _against_list(draft: Draft, dish: Dish | None) -> list[CellError]:
    """A file may not silently differ from the dish list in what can make people ill."""
    if dish is None or dish.allergens is None or draft.allergens is None:
        return []
    if set(dish.allergens) == set(draft.allergens):
        return []
    stated = "、".join(ALLERGEN_NAMES[a] for a in dish.allergens) or "无"
    text = Text(
        zh=f"“{draft.name}”的过敏原与菜品库不一致(菜品库:{stated})。请先核实并更正其中一处。",
        en=f"The allergens of “{draft.name}” differ from the dish list ({stated}). Find out which "
        "is right and mend the other first.",
    )
    return [CellError(draft.cell, text)]


def _contradicts(draft: Draft, before: Draft) -> CellError:
    text = Text(
        zh=f"“{draft.name}”的过敏原与 {before.cell} 处写的不一致。",
        en=f"The allergens of “{draft.name}” differ from those at {before.cell}.",
    )
    return CellError(draft.cell, text)


def _repeated(first: Draft, again: Draft) -> CellError:
    meal = PERIOD_NAMES[again.period]
    same = first.price_fen == again.price_fen or again.price_fen is None
    price = "" if same or first.price_fen is None else f"({yuan(first.price_fen)} 元)"
    text = Text(
        zh=f"{again.date.month}月{again.date.day}日{meal.zh}重复出现“{again.name}”:"
        f"{first.cell.a1}{price} 和 {again.cell.a1}。请删去一处。",
        en=f"“{again.name}” stands twice for {meal.en} of {again.date.isoformat()}: at "
        f"{first.cell} and {again.cell}. Remove one.",
    )
    return CellError(again.cell, text)


def _no_price(draft: Draft) -> CellError:
    text = Text(
        zh=f"菜品库里没有“{draft.name}”,也没有写单价。请写成“{draft.name} 12元”这样。",
        en=f"“{draft.name}” is not in the dish list and has no price here. Write it as "
        f"“{draft.name} 12元”.",
    )
    return CellError(draft.cell, text)


def _no_portions(draft: Draft) -> CellError:
    text = Text(
        zh=f"“{draft.name}”没有写份数,例如“80份”。",
        en=f"“{draft.name}” has no number of portions, such as “80份”.",
    )
    return CellError(draft.cell, text)
