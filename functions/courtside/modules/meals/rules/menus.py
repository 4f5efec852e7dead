"""Publishing a menu, moving its cut-offs, closing its lines."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from courtside.kernel.errors import InvalidInput, Text
from courtside.kernel.workdays import DAY_BEGINS, WorkCalendar, business_day, local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import MealPeriod, Period
from courtside.modules.meals.contracts.menus import (
    MenuDay,
    MoveCutOff,
    PublishMenu,
    Window,
    WindowState,
)

MOST_DAYS = 14
LINES_A_CHILD = 12  # with the day, the job and the entry below 20 items
DAYS_AHEAD = 30  # nobody can order further ahead, which bounds what a leaver may have ordered
_AHEAD = Text(zh="最多提前 30 天发布", en="at most 30 days ahead")
BOUNDS = ("order_by", "change_by", "cancel_by")
_SERVING_ENDS = Text(zh="供餐结束须晚于开始", en="serving ends after it begins")
_SERVING_BEGAN = Text(zh="不得晚于供餐开始", en="not after serving begins")
_PASSED = Text(zh="须晚于现在", en="after now")
_RANGE = Text(zh="日期须按先后,最多 14 天", en="dates in order, at most 14 days")


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


def move_cut_off(
    request: MoveCutOff,
    day: MenuDay | None,
    *,
    job: str,
    lapsed: frozenset[str],
    now: datetime,
) -> MenuDay:
    """The day with the meal marked as being moved; its window turns when the job ends.

    Refusals: MenuNotPublished, MealClosed, MealBusy, InvalidInput for a bound that has passed or
    comes after the serving has begun.
    """
    known, window = find_window(day, request.period, date=request.date)
    if window.state is not WindowState.OPEN:
        raise errors.MealClosed(date=known.date, period=window.period.value)
    idle(known, window, lapsed=lapsed)
    if known.publishing is not None and known.publishing not in lapsed:
        raise errors.MealBusy(date=known.date, period=window.period.value)
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
    return set_window(replace(known, publishing=None), replace(window, job=job))


def set_window(day: MenuDay, window: Window) -> MenuDay:
    """The day's next version with that window in its place."""
    windows = tuple(window if w.period is window.period else w for w in day.windows)
    return replace(day, version=day.version + 1, windows=windows)


def find_window(day: MenuDay | None, period: Period, *, date: date) -> tuple[MenuDay, Window]:
    window = day.find_window(period) if day is not None and day.published else None
    if day is None or window is None:
        raise errors.MenuNotPublished(date=date)
    return day, window


def idle(day: MenuDay, window: Window, *, lapsed: frozenset[str]) -> Window:
    """The window without a lapsed job's lock; MealBusy while a job closes or moves the meal."""
    if window.job is not None and window.job not in lapsed:
        raise errors.MealBusy(date=day.date, period=window.period.value)
    return replace(window, job=None)


def locks(days: Iterable[MenuDay]) -> frozenset[str]:
    """The jobs that hold the days or meals of them."""
    held = {job for day in days for job in (day.publishing, *(w.job for w in day.windows))}
    return frozenset(job for job in held if job is not None)


def freed(day: MenuDay, *, job: str) -> MenuDay:
    """The day's next version without that job's locks."""
    windows = tuple(replace(w, job=None) if w.job == job else w for w in day.windows)
    publishing = None if day.publishing == job else day.publishing
    return replace(day, version=day.version + 1, windows=windows, publishing=publishing)


_CAMEL = {
    "serves_to": "date",
    "order_by": "orderBy",
    "change_by": "changeBy",
    "cancel_by": "cancelBy",
}


def serving(day: date, at: time) -> datetime:
    """A time before 04:00 is of the next morning: the business day is not over yet."""
    return local_instant(day + timedelta(days=at < DAY_BEGINS), at)
