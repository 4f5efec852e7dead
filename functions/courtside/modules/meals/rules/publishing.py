"""Publishing: what is drafted gets onto the menu, and what is drafted no longer comes off it.

One job publishes a day at a time, under a batch of its own. Whatever an earlier job left unseen is
marked before the pointer turns, so that the next batch never brings it to light.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from courtside.kernel.errors import NotFound
from courtside.kernel.ledger import Movement
from courtside.kernel.workdays import WorkCalendar
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Dish, MealPeriod, Period
from courtside.modules.meals.contracts.menus import (
    DraftDay,
    DraftLine,
    LineState,
    MenuDay,
    MenuLine,
    PlannedLines,
    PublishMenu,
    Window,
    WindowState,
)
from courtside.modules.meals.rules.menus import idle, resolve_window

PLANNED = "PLANNED"
LINES_A_CHILD = 8  # each with a check of its dish; day, job and entry make 19 items
WITHDRAWN_A_CHILD = 12


class LineKey(NamedTuple):
    period: Period
    dish: str


class Rest(NamedTuple):
    """A line that a day has and its draft does not; `stays` when only an older mark comes off."""

    key: LineKey
    stays: bool


Lines = Mapping[LineKey, MenuLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFacts:
    """Drafts by day, the canteen's dishes and settings, what each day already has, and the jobs
    whose locks have lapsed."""

    pointers: Mapping[date, DraftDay]
    drafts: Mapping[date, Sequence[DraftLine]]
    dishes: Mapping[str, Dish]
    periods: Mapping[Period, MealPeriod]
    days: Mapping[date, MenuDay]
    lines: Mapping[date, Lines]
    calendar: WorkCalendar
    lapsed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDay:
    """A day as it is when its publishing begins, how many lines its draft has, and the rest on
    which something must be marked before the turn."""

    day: MenuDay
    drafted: int
    rest: tuple[Rest, ...]


def plan_publishing(
    request: PublishMenu, facts: PublishFacts, *, job: str
) -> tuple[PublishedDay, ...]:
    """The days to publish, each at its next version with a batch of its own, held by `job`.

    Refusals: NothingDrafted, NoAllergenStatement (all such dishes), MealClosed, MealBusy,
    PriceChanged, FewerThanSold, CalendarYearMissing.
    """
    drafted = {day: lines for day, lines in sorted(facts.drafts.items()) if lines}
    if not drafted:
        raise errors.NothingDrafted
    _check_statements(drafted, facts.dishes)
    days = []
    for on, lines in drafted.items():
        day = _next_day(request.canteen, on, lines, facts, job=job)
        rest = _rest(day, lines, facts.lines.get(on, {}))
        days.append(PublishedDay(day=day, drafted=len(lines), rest=rest))
    return tuple(days)


def new_line(draft: DraftLine, dish: Dish, day: MenuDay, window: Window, *, batch: int) -> MenuLine:
    """A line as it opens, with all its portions to be had."""
    return MenuLine(
        canteen=day.canteen,
        date=day.date,
        period=draft.period,
        dish=dish.id,
        name=dish.name,
        price_fen=draft.price_fen,
        allergens=dish.allergens,
        tags=dish.tags,
        planned=draft.planned,
        available=draft.planned,
        held=0,
        state=LineState.OPEN,
        order_by=window.order_by,
        change_by=window.change_by,
        cancel_by=window.cancel_by,
        closed_at=None,
        batch=batch,
    )


def planned_change(line: MenuLine, draft: DraftLine) -> int:
    """By how many portions the line changes; what was sold meanwhile stays planned."""
    return max(draft.planned - line.planned, -line.available)


def plan_lines(
    day: MenuDay,
    lines: Lines,
    drafted: Sequence[DraftLine],
    rest: Sequence[Rest],
    dishes: Mapping[str, Dish],
) -> PlannedLines:
    """Each drafted line as it shall be, and the rest marked; a meal that closed meanwhile takes no
    more lines. A line that is seen changes at once (docs/adr/0055), all others with the batch."""
    opened: list[MenuLine] = []
    changed: list[tuple[MenuLine, int]] = []
    for draft in drafted:
        window, line = day.find_window(draft.period), lines.get(LineKey(draft.period, draft.dish))
        if window is None or window.state is not WindowState.OPEN:
            continue
        if line is None:
            dish = dishes[draft.dish]
            opened.append(new_line(draft, dish, day, window, batch=day.batch))
        elif not line.is_closed:
            anew = _written_anew(line, draft, dishes[draft.dish], day, window)
            changed.append((anew, planned_change(line, draft)))
    return PlannedLines(
        dishes=tuple(dishes.values()),
        opened=opened,
        changed=changed,
        marked=[
            replace(lines[key], gone=None if stays else day.batch)
            for key, stays in rest
            if key in lines
        ],
    )


def movements(chunk: PlannedLines) -> tuple[Movement, ...]:
    """The journalled side of opening lines' accounts, and of planning more or fewer."""
    opened = [
        Movement(account=x.account.id, available=x.planned, counter=PLANNED, opens=0)
        for x in chunk.opened
    ]
    changed = [
        Movement(account=x.account.id, available=change, counter=PLANNED)
        for x, change in chunk.changed
        if change
    ]
    return (*opened, *changed)


def turned(day: MenuDay) -> MenuDay:
    """The day with everything of its batch to be seen, free for the next publishing."""
    return replace(day, version=day.version + 1, published=day.batch, publishing=None)


def to_withdraw(lines: Lines, rest: Iterable[Rest], *, batch: int) -> list[MenuLine]:
    """Lines that went with that batch and whose accounts are still open."""
    found = [lines[key] for key, _ in rest if key in lines]
    return [line for line in found if line.gone == batch and line.is_open]


def _next_day(
    canteen: str, on: date, lines: Sequence[DraftLine], facts: PublishFacts, *, job: str
) -> MenuDay:
    before = facts.days.get(on)
    if before is None:
        before = MenuDay(canteen=canteen, date=on, version=0, published=0, batch=0, windows=())
    if before.publishing is not None and before.publishing not in facts.lapsed:
        raise errors.MealBusy(date=on, period=lines[0].period.value)
    known = facts.lines.get(on, {})
    windows = {window.period: window for window in before.windows}
    for period in sorted({line.period for line in lines}, key=list(Period).index):
        meal = [line for line in lines if line.period is period]
        windows[period] = _window(before, period, meal, facts)
    for line in lines:
        if windows[line.period].state is WindowState.OPEN:
            _check_line(line, known.get(LineKey(line.period, line.dish)), before)
    return replace(
        before,
        version=before.version + 1,
        batch=before.batch + 1,
        windows=tuple(windows[period] for period in Period if period in windows),
        publishing=job,
    )


def _window(
    before: MenuDay, period: Period, meal: Sequence[DraftLine], facts: PublishFacts
) -> Window:
    """The meal's window, made if it is the first time; a meal that is closed stays as it is, and
    its draft must say nothing new."""
    window = before.find_window(period)
    if window is None:
        settings = facts.periods.get(period)
        if settings is None:
            raise NotFound(kind=errors.PERIOD)
        return resolve_window(settings, before.date, facts.calendar)
    if window.state is WindowState.OPEN:
        return idle(before, window, lapsed=facts.lapsed)
    if not _is_as_published(before, meal, facts.lines.get(before.date, {})):
        raise errors.MealClosed(date=before.date, period=period.value)
    return window


def _is_as_published(day: MenuDay, meal: Sequence[DraftLine], lines: Lines) -> bool:
    shown = {
        line.dish: line
        for line in lines.values()
        if line.period is meal[0].period and line.is_shown(day.published)
    }
    return shown.keys() == {draft.dish for draft in meal} and all(
        shown[draft.dish].price_fen == draft.price_fen
        and planned_change(shown[draft.dish], draft) == 0
        for draft in meal
    )


def _check_line(draft: DraftLine, line: MenuLine | None, day: MenuDay) -> None:
    if line is None:
        return
    sold = line.planned - line.available
    if line.price_fen != draft.price_fen and not _was_never_seen(line, day):
        raise errors.PriceChanged(date=draft.date, name=line.name, published=line.price_fen)
    if draft.planned < sold:
        raise errors.FewerThanSold(date=draft.date, name=line.name, sold=sold)


def _was_never_seen(line: MenuLine, day: MenuDay) -> bool:
    """Left behind by a publishing that did not come to its end; nobody can have ordered it."""
    return line.batch > day.published and line.planned == line.available


def _rest(day: MenuDay, drafted: Sequence[DraftLine], lines: Lines) -> tuple[Rest, ...]:
    """Lines without a draft that are seen although their meal is drafted, or that a publishing
    which did not come to its end has left unseen or marked."""
    keys = {LineKey(draft.period, draft.dish) for draft in drafted}
    open_now = {w.period for w in day.windows if w.state is WindowState.OPEN}
    redrawn = open_now & {draft.period for draft in drafted}
    rest = []
    for key, line in sorted(lines.items()):
        if key in keys:
            continue
        is_shown = line.is_shown(day.published)
        stays = is_shown and line.period not in redrawn
        is_marked = line.gone is not None and line.gone > day.published
        if is_marked or line.batch > day.published or (is_shown and not stays):
            rest.append(Rest(key, stays))
    return tuple(rest)


def _written_anew(
    line: MenuLine, draft: DraftLine, dish: Dish, day: MenuDay, window: Window
) -> MenuLine:
    """The line as drafted and as its meal is bounded; one that is not seen waits for the batch."""
    return replace(
        line,
        price_fen=draft.price_fen,
        allergens=dish.allergens,
        tags=dish.tags,
        state=LineState.OPEN,
        order_by=window.order_by,
        change_by=window.change_by,
        cancel_by=window.cancel_by,
        batch=line.batch if line.is_shown(day.published) else day.batch,
        gone=None,
    )


def _check_statements(
    drafted: Mapping[date, Sequence[DraftLine]], dishes: Mapping[str, Dish]
) -> None:
    missing: dict[str, str] = {}
    for lines in drafted.values():
        for n, line in enumerate(lines):
            dish = dishes.get(line.dish)
            if dish is None:
                raise NotFound(kind=errors.DISH, path=("drafts", n))
            if dish.allergens is None:
                missing[dish.id] = dish.name
    if missing:
        names = "、".join(sorted(missing.values()))
        raise errors.NoAllergenStatement(dishes=sorted(missing), names=names)
