"""Publishing a menu, moving its cut-offs, closing its lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from courtside.kernel.errors import InvalidInput, NotFound, Text
from courtside.kernel.workdays import DAY_BEGINS, WorkCalendar, business_day, local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import Dish, MealPeriod, Period
from courtside.modules.meals.contracts.menus import (
    DraftLine,
    MenuDay,
    MenuLine,
    MoveCutOff,
    PublishMenu,
    Window,
    WindowState,
)

MOST_DAYS = 14
LINES_A_CHILD = 12  # with the day, the job and the entry below 20 items, and the entry below 1 KB
DAYS_AHEAD = 30  # nobody can order further ahead, which bounds what a leaver may have ordered
_AHEAD = Text(zh="最多提前 30 天发布", en="at most 30 days ahead")
BOUNDS = ("order_by", "change_by", "cancel_by")
_SERVING_ENDS = Text(zh="供餐结束须晚于开始", en="serving ends after it begins")
_SERVING_BEGAN = Text(zh="不得晚于供餐开始", en="not after serving begins")
_PASSED = Text(zh="须晚于现在", en="after now")
_RANGE = Text(zh="日期须按先后,最多 14 天", en="dates in order, at most 14 days")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFacts:
    """Drafts by day with the batch they stand in, the canteen's dishes and settings, and what each
    day already has."""

    batches: Mapping[date, str]
    drafts: Mapping[date, Sequence[DraftLine]]
    dishes: Mapping[str, Dish]
    periods: Mapping[Period, MealPeriod]
    days: Mapping[date, MenuDay]
    lines: Mapping[date, Mapping[tuple[Period, str], MenuLine]]
    calendar: WorkCalendar


def resolve_window(settings: MealPeriod, day: date, calendar: WorkCalendar) -> Window:
    """The settings as instants of one day; on a day off there is no subsidy."""
    return Window(
        period=settings.period,
        serves_from=serving(day, settings.serve_from),
        serves_to=serving(day, settings.serve_to),
        order_by=settings.order.resolve(day, calendar),
        change_by=settings.change.resolve(day, calendar),
        cancel_by=settings.cancel.resolve(day, calendar),
        subsidy_fen=settings.subsidy_fen if calendar.is_workday(day) else 0,
    )


def check_window(window: Window, fields: Mapping[str, str]) -> None:
    """InvalidInput unless it is served from a time to a later one, and no cut-off comes after the
    serving has begun; `fields` says what the caller calls each part of a window."""
    if window.serves_from >= window.serves_to:
        raise InvalidInput(field=fields["serves_to"], reason=_SERVING_ENDS)
    for bound in BOUNDS:
        if getattr(window, bound) > window.serves_from:
            raise InvalidInput(field=fields[bound], reason=_SERVING_BEGAN)


def days_of(request: PublishMenu, *, now: datetime) -> tuple[date, ...]:
    """The dates asked for. Refusals: DayIsOver, InvalidInput."""
    count = (request.to_on - request.from_on).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise InvalidInput(field="to", reason=_RANGE)
    today = business_day(now)
    if request.from_on < today:
        raise errors.DayIsOver(date=request.from_on)
    if request.to_on > today + timedelta(days=DAYS_AHEAD):
        raise InvalidInput(field="to", reason=_AHEAD)
    return tuple(request.from_on + timedelta(days=n) for n in range(count))


def plan_publishing(request: PublishMenu, facts: PublishFacts) -> tuple[MenuDay, ...]:
    """The days to publish, each at its next version with a batch of its own.

    Refusals: NothingDrafted, NoAllergenStatement (all such dishes), MealClosed, MealBusy,
    PriceChanged, FewerThanSold, CalendarYearMissing.
    """
    drafted = {day: lines for day, lines in sorted(facts.drafts.items()) if lines}
    if not drafted:
        raise errors.NothingDrafted
    _check_statements(drafted, facts.dishes)
    return tuple(_next_day(request.canteen, day, lines, facts) for day, lines in drafted.items())


def chunks(days: Iterable[tuple[date, int]]) -> list[tuple[date, int]]:
    """One child for each LINES_A_CHILD drafted lines of a day: (day, first line)."""
    return [(day, at) for day, count in days for at in range(0, count, LINES_A_CHILD)]


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
        is_open=True,
        order_by=window.order_by,
        change_by=window.change_by,
        cancel_by=window.cancel_by,
        closed_at=None,
        batch=batch,
    )


def planned_change(line: MenuLine, draft: DraftLine) -> int:
    """By how many portions the line changes; what was sold meanwhile stays planned."""
    return max(draft.planned - line.planned, -line.available)


def move_cut_off(request: MoveCutOff, day: MenuDay | None, *, job: str, now: datetime) -> MenuDay:
    """The day with the meal marked as being moved; its window turns when the job ends.

    Refusals: MenuNotPublished, MealClosed, MealBusy, InvalidInput for a bound that has passed or
    comes after the serving has begun.
    """
    known, window = find_window(day, request.period, date=request.date)
    if window.state is not WindowState.OPEN:
        raise errors.MealClosed(date=known.date, period=window.period.value)
    idle(known, window)
    moved = replace(
        window,
        order_by=request.order_by,
        change_by=request.change_by,
        cancel_by=request.cancel_by,
    )
    check_window(moved, _CAMEL)
    for bound in BOUNDS:
        if getattr(moved, bound) <= now:
            raise InvalidInput(field=_CAMEL[bound], reason=_PASSED)
    return set_window(known, replace(window, job=job))


def set_window(day: MenuDay, window: Window) -> MenuDay:
    """The day's next version with that window in its place."""
    windows = tuple(window if w.period is window.period else w for w in day.windows)
    return replace(day, version=day.version + 1, windows=windows)


def find_window(day: MenuDay | None, period: Period, *, date: date) -> tuple[MenuDay, Window]:
    window = day.find_window(period) if day is not None and day.published else None
    if day is None or window is None:
        raise errors.MenuNotPublished(date=date)
    return day, window


def idle(day: MenuDay, window: Window) -> None:
    """MealBusy while a job closes or moves the meal."""
    if window.job is not None:
        raise errors.MealBusy(date=day.date, period=window.period.value)


_CAMEL = {
    "serves_to": "date",
    "order_by": "orderBy",
    "change_by": "changeBy",
    "cancel_by": "cancelBy",
}


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


def _next_day(canteen: str, day: date, lines: Sequence[DraftLine], facts: PublishFacts) -> MenuDay:
    before = facts.days.get(day)
    kept = {w.period: w for w in before.windows} if before is not None else {}
    for line in lines:
        window = kept.get(line.period)
        if window is None:
            kept[line.period] = _first_window(line.period, day, facts)
        elif window.state is not WindowState.OPEN:
            raise errors.MealClosed(date=day, period=window.period.value)
        elif before is not None:
            idle(before, window)
        _check_line(line, facts.lines.get(day, {}).get((line.period, line.dish)))
    return MenuDay(
        canteen=canteen,
        date=day,
        version=1 if before is None else before.version + 1,
        published=0 if before is None else before.published,
        batch=1 if before is None else before.batch + 1,
        windows=tuple(kept[period] for period in Period if period in kept),
    )


def _first_window(period: Period, day: date, facts: PublishFacts) -> Window:
    settings = facts.periods.get(period)
    if settings is None:
        raise NotFound(kind=errors.PERIOD)
    return resolve_window(settings, day, facts.calendar)


def _check_line(draft: DraftLine, line: MenuLine | None) -> None:
    if line is None:
        return
    if line.price_fen != draft.price_fen:
        raise errors.PriceChanged(date=draft.date, name=line.name, published=line.price_fen)
    sold = line.planned - line.available
    if draft.planned < sold:
        raise errors.FewerThanSold(date=draft.date, name=line.name, sold=sold)


def serving(day: date, at: time) -> datetime:
    """A time before 04:00 is of the next morning: the business day is not over yet."""
    return local_instant(day + timedelta(days=at < DAY_BEGINS), at)
