"""Counting what was ordered, and handing it out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from courtside.kernel.errors import InvalidInput, NotFound, Text
from courtside.kernel.ids import ALPHABET
from courtside.kernel.workdays import business_day
from courtside.modules.meals import errors, events
from courtside.modules.meals.contracts.canteens import Canteen, Period
from courtside.modules.meals.contracts.kitchen import (
    CountedDiner,
    CountLine,
    IssueKitchenCount,
    KitchenCount,
)
from courtside.modules.meals.contracts.menus import MenuDay, MenuLine, WindowState
from courtside.modules.meals.contracts.orders import (
    CollectMealOrder,
    MealOrder,
    OrderState,
    Wanted,
)
from courtside.modules.meals.rules.menus import find_window, idle, set_window

CODE_LENGTH = 8
CODE = Text(zh="取餐码", en="pick-up code")
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": "", "\u3000": ""})


def normalise_code(typed: str) -> str:
    """The code that was meant: look-alikes, lower case and spaces are forgiven."""
    code = typed.strip().upper().translate(_ALIKE)
    if len(code) != CODE_LENGTH or any(c not in ALPHABET for c in code):
        raise NotFound(kind=CODE, path=("input", "code"))
    return code


def start_count(
    request: IssueKitchenCount,
    day: MenuDay | None,
    *,
    job: str,
    lapsed: frozenset[str],
    now: datetime,
) -> MenuDay:
    """The day with the meal marked as closing, or as it is when it was closed before.

    Refusals: MenuNotPublished, MealBusy, StillOpen (unless `early`).
    """
    known, window = find_window(day, request.period, date=request.date)
    idle(known, window, lapsed=lapsed)
    closes_at = max(window.order_by, window.change_by, window.cancel_by)
    if window.state is WindowState.OPEN and now < closes_at and not request.early:
        raise errors.StillOpen(closes_at=closes_at)
    state = WindowState.CLOSED if window.state is WindowState.CLOSED else WindowState.CLOSING
    return set_window(known, replace(window, state=state, job=job))


def counted(
    day: MenuDay,
    period: Period,
    lines: Iterable[MenuLine],
    orders: Iterable[MealOrder],
    *,
    now: datetime,
) -> KitchenCount:
    """The count of a closed meal: every live order of this canteen is in it, whatever it names."""
    known = {line.dish: line for line in lines}
    live = sorted((o for o in orders if o.is_live and o.canteen == day.canteen), key=_by_code)
    counts = _count_lines(known, live, published=day.published)
    window = day.find_window(period)
    return KitchenCount(
        canteen=day.canteen,
        date=day.date,
        period=period,
        version=(window.count if window else 0) + 1,
        issued_at=now,
        lines=counts,
        diners=tuple(_diner(order) for order in live),
        counted=sum(line.portions for line in counts),
        ordered=sum(line.quantity for order in live for line in order.lines),
        sold=sum(line.planned - line.available - line.held for line in known.values()),
    )


def issued(count: KitchenCount) -> events.KitchenCountIssued:
    return events.KitchenCountIssued(
        aggregate=count.aggregate,
        version=count.version,
        canteen=count.canteen,
        date=count.date.isoformat(),
        period=count.period.value,
        portions=count.counted,
        diners=len(count.diners),
        agrees=count.agrees,
    )


def collect(
    request: CollectMealOrder,
    order: MealOrder | None,
    *,
    canteen: Canteen | None,
    by: str,
    now: datetime,
) -> MealOrder:
    """The order handed out, its next version.

    Refusals: code not found, CodeOfAnotherCanteen, CodeOfAnotherDay, AlreadyCancelled,
    AlreadyCollected (when and where), an unknown window.
    """
    if canteen is None:
        raise NotFound(kind=errors.CANTEEN, path=("input", "canteenId"))
    if request.window not in canteen.windows:
        reason = Text(zh="食堂没有这个窗口", en="the canteen has no such window")
        raise InvalidInput(field="window", reason=reason)
    if order is None:
        raise NotFound(kind=CODE, path=("input", "code"))
    if order.canteen != request.canteen:
        raise errors.CodeOfAnotherCanteen(canteen=order.canteen)
    if order.collected_at is not None:
        raise errors.AlreadyCollected(collected_at=order.collected_at, window=order.window or "")
    if order.key.date != business_day(now):
        raise errors.CodeOfAnotherDay(date=order.key.date)
    if order.state is OrderState.CANCELLED:
        raise errors.AlreadyCancelled
    return replace(
        order,
        version=order.version + 1,
        state=OrderState.COLLECTED,
        collected_at=now,
        collected_by=by,
        window=request.window,
    )


def likeliest(
    found: Sequence[MealOrder], request: CollectMealOrder, *, now: datetime
) -> MealOrder | None:
    """Of the orders that carry a code, today's of this canteen before any other."""
    today = business_day(now)
    ranked = sorted(
        found,
        key=lambda o: (o.key.date == today, o.canteen == request.canteen, o.is_live, o.placed_at),
    )
    return ranked[-1] if ranked else None


def _count_lines(
    known: Mapping[str, MenuLine], live: Sequence[MealOrder], *, published: int
) -> tuple[CountLine, ...]:
    """What is on the menu, and after it what was ordered and has been taken off."""
    portions: Counter[str] = Counter()
    diners: Counter[str] = Counter()
    shown = {dish for dish, line in known.items() if line.is_shown(published)}
    names = {dish: line.name for dish, line in known.items() if dish in shown}
    for order in live:
        for line in order.lines:
            portions[line.dish] += line.quantity
            diners[line.dish] += 1
            names.setdefault(line.dish, line.name)
    return tuple(
        CountLine(
            dish=dish,
            name=name,
            allergens=known[dish].allergens if dish in known else None,
            portions=portions[dish],
            diners=diners[dish],
            offered=dish in shown,
        )
        for dish, name in names.items()
    )


def _diner(order: MealOrder) -> CountedDiner:
    lines = tuple(Wanted(dish=line.dish, quantity=line.quantity) for line in order.lines)
    return CountedDiner(code=order.code, lines=lines)


def _by_code(order: MealOrder) -> str:
    return order.code
