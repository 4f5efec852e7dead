"""Canteens, meal periods and dishes: what may be set, and the defaults."""

import hashlib
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from courtside.kernel.errors import InvalidInput, NotFound, Text, VersionConflict
from courtside.kernel.ids import from_digest
from courtside.kernel.workdays import CutOff, local_instant
from courtside.modules.meals import errors
from courtside.modules.meals.contracts.canteens import (
    AddCanteen,
    AddDish,
    Canteen,
    Dish,
    MealPeriod,
    Period,
    SetDishAllergens,
    SetMealPeriod,
)
from courtside.modules.meals.contracts.menus import Window
from courtside.modules.meals.rules.menus import check_window, serving

NAME_LENGTH = 20  # five of them still fit an order of one kilobyte
MOST_WINDOWS = 20
MOST_FEN = 100_000  # a dish or a subsidy above a thousand yuan is a slip of the keyboard
DISH_ID = 7
_SOME_DAY = date(2026, 3, 4)
_FIELDS = {
    "serves_to": "serveTo",
    "order_by": "order",
    "change_by": "change",
    "cancel_by": "cancel",
}

_SERVING = {
    Period.BREAKFAST: (time(7, 0), time(8, 30)),
    Period.LUNCH: (time(11, 30), time(13, 0)),
    Period.DINNER: (time(17, 30), time(19, 0)),
    Period.NIGHT: (time(22, 30), time(0, 30)),
}
_ORDER = {
    Period.BREAKFAST: CutOff(days_before=1, at=time(17, 0)),
    Period.LUNCH: CutOff(days_before=0, at=time(9, 30)),
    Period.DINNER: CutOff(days_before=0, at=time(15, 0)),
    Period.NIGHT: CutOff(days_before=0, at=time(19, 0)),
}
_CHANGE = {
    Period.BREAKFAST: CutOff(days_before=1, at=time(16, 30)),
    Period.LUNCH: CutOff(days_before=0, at=time(9, 0)),
    Period.DINNER: CutOff(days_before=0, at=time(14, 30)),
    Period.NIGHT: CutOff(days_before=0, at=time(18, 30)),
}


def add_canteen(request: AddCanteen, *, canteen: str) -> tuple[Canteen, tuple[MealPeriod, ...]]:
    """A canteen and its four periods at their defaults, without subsidy."""
    _name(request.name, "name")
    if not 1 <= len(request.windows) <= MOST_WINDOWS or len(set(request.windows)) != len(
        request.windows
    ):
        reason = Text(
            zh=f"须为 1 到 {MOST_WINDOWS} 个不同的窗口", en=f"1 to {MOST_WINDOWS} different windows"
        )
        raise InvalidInput(field="windows", reason=reason)
    for window in request.windows:
        _name(window, "windows")
    made = Canteen(
        id=canteen,
        name=request.name.strip(),
        site=request.site.strip(),
        windows=request.windows,
        version=1,
    )
    return made, tuple(default_period(canteen, period) for period in Period)


def default_period(canteen: str, period: Period) -> MealPeriod:
    """The usual times of a meal; changing and cancelling end before ordering does."""
    serve_from, serve_to = _SERVING[period]
    return MealPeriod(
        canteen=canteen,
        period=period,
        serve_from=serve_from,
        serve_to=serve_to,
        order=_ORDER[period],
        change=_CHANGE[period],
        cancel=_CHANGE[period],
        subsidy_fen=0,
        version=1,
    )


def set_period(request: SetMealPeriod, before: MealPeriod | None) -> MealPeriod:
    """The period's next version; menus that are published keep the times they were given.

    Refusals: NotFound, VersionConflict, InvalidInput for times that no day can keep.
    """
    if before is None:
        raise NotFound(kind=errors.CANTEEN, path=("input", "canteenId"))
    if before.version != request.expected_version:
        raise VersionConflict(current=before.version)
    _amount(request.subsidy_fen, "subsidy")
    for field, rule in (("order", request.order), ("change", request.change)):
        _cut_off(rule, field)
    _cut_off(request.cancel, "cancel")
    check_window(_latest(request), _FIELDS)
    return replace(
        before,
        serve_from=request.serve_from,
        serve_to=request.serve_to,
        order=request.order,
        change=request.change,
        cancel=request.cancel,
        subsidy_fen=request.subsidy_fen,
        version=before.version + 1,
    )


def _latest(request: SetMealPeriod) -> Window:
    """The meal on a day with only work days before it: days off move a cut-off but earlier."""
    return Window(
        period=request.period,
        serves_from=serving(_SOME_DAY, request.serve_from),
        serves_to=serving(_SOME_DAY, request.serve_to),
        order_by=_due(request.order),
        change_by=_due(request.change),
        cancel_by=_due(request.cancel),
        subsidy_fen=request.subsidy_fen,
    )


def _due(rule: CutOff) -> datetime:
    return local_instant(_SOME_DAY - timedelta(days=rule.days_before), rule.at)


def dish_id(canteen: str, name: str) -> str:
    """Derived from the name, so that a name that is added twice meets itself."""
    return from_digest(hashlib.sha256(f"{canteen}\n{name.strip()}".encode()).digest(), DISH_ID)


def add_dish(request: AddDish) -> Dish:
    _name(request.name, "name")
    _amount(request.price_fen, "price")
    return Dish(
        canteen=request.canteen,
        id=dish_id(request.canteen, request.name),
        name=request.name.strip(),
        category=request.category.strip()[:NAME_LENGTH],
        price_fen=request.price_fen,
        allergens=request.allergens,
        tags=request.tags,
        version=1,
    )


def set_allergens(request: SetDishAllergens, before: Dish | None) -> Dish:
    if before is None:
        raise NotFound(kind=errors.DISH, path=("input", "dishId"))
    if before.version != request.expected_version:
        raise VersionConflict(current=before.version)
    return replace(before, allergens=request.allergens, version=before.version + 1)


def _name(text: str, field: str) -> None:
    stripped = text.strip()
    if not 1 <= len(stripped) <= NAME_LENGTH or not stripped.isprintable() or "#" in stripped:
        reason = Text(
            zh=f"须为 1 到 {NAME_LENGTH} 个字,不含 #", en=f"1 to {NAME_LENGTH} characters, no #"
        )
        raise InvalidInput(field=field, reason=reason)


def _amount(fen: int, field: str) -> None:
    if not 0 <= fen <= MOST_FEN:
        raise InvalidInput(
            field=field, reason=Text(zh="须在 0 到 1000 元之间", en="0 to 1000 yuan")
        )


def _cut_off(rule: CutOff, field: str) -> None:
    most = 14
    if not 0 <= rule.days_before <= most:
        raise InvalidInput(
            field=field, reason=Text(zh="最多提前 14 天", en="at most 14 days before")
        )
