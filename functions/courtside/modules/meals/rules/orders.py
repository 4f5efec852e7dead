"""What an order takes and gives back: pure decisions on what was read and a given `now`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from courtside.kernel.errors import InvalidInput, NotFound, Stale, Text, VersionConflict
from courtside.kernel.journal import Event
from courtside.kernel.ledger import Account, AccountId, Movement, Short, Unit, move
from courtside.modules.meals import errors, events
from courtside.modules.meals.contracts.menus import MenuDay, MenuLine, line_account
from courtside.modules.meals.contracts.orders import (
    MAX_DISHES,
    MAX_QUANTITY,
    Bound,
    ChangeMealOrder,
    Decided,
    MealOrder,
    OrderFacts,
    OrderKey,
    OrderLine,
    OrderState,
    PlaceMealOrder,
    Wanted,
    subsidy_account,
    wallet_account,
)

SOLD = "SOLD"
MEALS = "MEALS"
_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payment:
    subsidy: int
    wallet: int


def place_order(
    request: PlaceMealOrder,
    facts: OrderFacts,
    *,
    key: OrderKey,
    placed_by: str,
    new_code: str,
    now: datetime,
) -> Decided:
    """A new order, or the next version of a cancelled one, which keeps its code.

    Refusals: MenuNotPublished, AlreadyOrdered, DISH not found, OrderWindowClosed, SoldOut,
    InsufficientFunds.
    """
    if facts.order is not None and facts.order.is_live:
        raise already_ordered(facts.order)
    lines = _take(request.lines, facts, key=key, bound=Bound.ORDER, now=now)
    total = sum(line.quantity * line.price_fen for line in lines)
    subsidy, wallet = _accounts(facts, key, request.canteen)
    paid = _pay(total, subsidy, wallet)
    order = MealOrder(
        key=key,
        version=1 if facts.order is None else facts.order.version + 1,
        state=OrderState.PLACED,
        canteen=request.canteen,
        lines=lines,
        subsidy_fen=paid.subsidy,
        wallet_fen=paid.wallet,
        code=new_code if facts.order is None else facts.order.code,
        placed_at=now,
        placed_by=placed_by,
    )
    portions = [_portions(facts.lines[x.dish], -x.quantity, had=0) for x in lines]
    money = [_money(subsidy, -paid.subsidy), _money(wallet, -paid.wallet)]
    return Decided(
        order=order,
        had={},
        movements=tuple(m for m in (*portions, *money) if m is not None),
        event=_told(events.MealOrderPlaced, order),
        bound=Bound.ORDER,
    )


def change_order(request: ChangeMealOrder, facts: OrderFacts, *, now: datetime) -> Decided:
    """The order's next version with other dishes; portions and money move by the difference.

    Refusals: as for placing, ChangeWindowClosed, AlreadyCancelled, AlreadyCollected,
    VersionConflict.
    """
    before = _live(facts.order, request.expected_version)
    if before.canteen != request.canteen:
        reason = Text(zh="须为同一食堂的菜品", en="the dishes must be of the order's canteen")
        raise InvalidInput(field="lines", reason=reason)
    had = _quantities(before)
    lines = _take(request.lines, facts, key=before.key, bound=Bound.CHANGE, now=now, had=had)
    total = sum(line.quantity * line.price_fen for line in lines)
    subsidy, wallet = _accounts(facts, before.key, before.canteen)
    paid = _pay(
        total,
        replace(subsidy, available=subsidy.available + before.subsidy_fen),
        replace(wallet, available=wallet.available + before.wallet_fen),
    )
    order = replace(
        before,
        version=before.version + 1,
        lines=lines,
        subsidy_fen=paid.subsidy,
        wallet_fen=paid.wallet,
    )
    money = [
        _money(subsidy, before.subsidy_fen - paid.subsidy),
        _money(wallet, before.wallet_fen - paid.wallet),
    ]
    return Decided(
        order=order,
        had=had,
        movements=tuple(m for m in (*_difference(before, order, facts), *money) if m is not None),
        event=_told(events.MealOrderChanged, order),
        bound=Bound.CHANGE,
    )


def cancel_order(
    before: MealOrder | None, *, expected_version: int | None = None, bound: Bound = Bound.CANCEL
) -> Decided:
    """The order cancelled; portions go back to their lines and money to where it came from.

    Whether it is too late is decided by the line accounts inside the transaction: nothing that was
    read beforehand could be newer. Refusals: AlreadyCancelled, AlreadyCollected, VersionConflict.
    """
    order = _live(before, expected_version)
    cancelled = replace(order, version=order.version + 1, state=OrderState.CANCELLED)
    portions = [_given_back(order, line, line.quantity) for line in order.lines]
    sources = (
        (_subsidy_account(order.key, order.canteen), order.subsidy_fen),
        (wallet_account(order.key.diner), order.wallet_fen),
    )
    money = [Movement(account=a, available=fen, counter=MEALS) for a, fen in sources if fen]
    event = events.MealOrderCancelled(
        aggregate=cancelled.aggregate,
        version=cancelled.version,
        canteen=order.canteen,
        subsidy=order.subsidy_fen,
        wallet=order.wallet_fen,
    )
    return Decided(
        order=cancelled,
        had=_quantities(order),
        movements=(*portions, *money),
        event=event,
        bound=bound,
    )


def is_ahead(order: MealOrder, day: MenuDay | None, *, now: datetime) -> bool:
    """Whether the meal can still be cancelled for its diner: neither cancelled nor handed out, and
    its serving has not ended."""
    window = day.find_window(order.key.period) if day is not None else None
    is_served = window is not None and now >= window.serves_to
    return order.state is OrderState.PLACED and not is_served


def already_ordered(order: MealOrder) -> errors.AlreadyOrdered:
    return errors.AlreadyOrdered(
        order=str(order.key), pickup_code=order.code, version=order.version
    )


def closed(bound: Bound, closed_at: datetime) -> Exception:
    """The refusal of a write that came after its cut-off."""
    match bound:
        case Bound.ORDER:
            return errors.OrderWindowClosed(closed_at=closed_at)
        case Bound.CHANGE:
            return errors.ChangeWindowClosed(closed_at=closed_at)
        case _:
            return errors.CancelWindowClosed(closed_at=closed_at)


def cut_off(line: MenuLine, bound: Bound) -> datetime:
    """Until when (exclusive) the line may be touched in that way."""
    match bound:
        case Bound.ORDER:
            return line.order_by
        case Bound.CHANGE:
            return line.change_by
        case _:
            return line.cancel_by


def _closed_at(line: MenuLine, bound: Bound) -> datetime:
    """When it was too late: at the cut-off, unless the kitchen closed the meal before it."""
    until = cut_off(line, bound)
    return until if line.closed_at is None else min(line.closed_at, until)


def explain(line: MenuLine | None, amount: int, decided: Decided, *, now: datetime) -> Exception:
    """Why a line's account refused `amount` inside the transaction: what it was then says it."""
    bound = decided.bound
    if line is None:
        return Stale()
    if line.is_closed:
        return closed(bound, _closed_at(line, bound))
    if bound is not Bound.NONE and now >= cut_off(line, bound):
        return closed(bound, cut_off(line, bound))
    if line.is_open and line.available + amount < 0:
        left = line.available + decided.had.get(line.dish, 0)
        return errors.SoldOut(canteen=line.canteen, dish=line.dish, name=line.name, left=left)
    return Stale()


def alternatives(lines: Iterable[MenuLine], *, to: str, published: int) -> list[errors.Alternative]:
    """Other dishes of the meal that are to be had, the nearest in price first; at most five."""
    shown = [line for line in lines if line.is_shown(published)]
    price = next((line.price_fen for line in shown if line.dish == to), 0)
    had = [x for x in shown if x.dish != to and x.is_open and x.available]
    had.sort(key=lambda x: (abs(x.price_fen - price), -x.available, x.name))
    return [
        errors.Alternative(
            dish=line.dish, name=line.name, left=line.available, price_fen=line.price_fen
        )
        for line in had[:MAX_DISHES]
    ]


def _quantities(order: MealOrder) -> dict[str, int]:
    return {line.dish: line.quantity for line in order.lines}


def _live(order: MealOrder | None, expected_version: int | None) -> MealOrder:
    if order is None:
        raise NotFound(kind=errors.ORDER)
    if order.state is OrderState.CANCELLED:
        raise errors.AlreadyCancelled
    if order.collected_at is not None:
        raise errors.AlreadyCollected(collected_at=order.collected_at, window=order.window or "")
    if expected_version not in (None, order.version):
        raise VersionConflict(current=order.version)
    return order


def _take(
    wanted: tuple[Wanted, ...],
    facts: OrderFacts,
    *,
    key: OrderKey,
    bound: Bound,
    now: datetime,
    had: Mapping[str, int] = _NOTHING,
) -> tuple[OrderLine, ...]:
    """The wanted lines as ordered, each of them published and still open; of what has been taken
    off the menu, no more than the diner had."""
    _check_wanted(wanted)
    day = facts.day
    if day is None or day.published == 0 or day.find_window(key.period) is None:
        raise errors.MenuNotPublished(date=key.date)
    taken = []
    for n, want in enumerate(wanted):
        line = facts.lines.get(want.dish)
        if line is None or not (
            line.is_shown(day.published) or want.quantity <= had.get(want.dish, 0)
        ):
            raise NotFound(kind=errors.DISH, path=("input", "lines", n, "dishId"))
        _check_open(line, bound, now)
        taken.append(
            OrderLine(
                dish=line.dish, name=line.name, quantity=want.quantity, price_fen=line.price_fen
            )
        )
    return tuple(taken)


def _check_wanted(wanted: tuple[Wanted, ...]) -> None:
    distinct = len({w.dish for w in wanted}) == len(wanted)
    if not distinct or not 1 <= len(wanted) <= MAX_DISHES:
        reason = Text(
            zh=f"须为 1 到 {MAX_DISHES} 种不同的菜", en=f"1 to {MAX_DISHES} different dishes"
        )
        raise InvalidInput(field="lines", reason=reason)
    for n, want in enumerate(wanted):
        if not 1 <= want.quantity <= MAX_QUANTITY:
            reason = Text(zh=f"每种 1 到 {MAX_QUANTITY} 份", en=f"1 to {MAX_QUANTITY} of each")
            path = ("input", "lines", n, "quantity")
            raise InvalidInput(field="quantity", reason=reason, path=path)


def _check_open(line: MenuLine, bound: Bound, now: datetime) -> None:
    if line.is_closed:
        raise closed(bound, _closed_at(line, bound))
    if now >= cut_off(line, bound):
        raise closed(bound, cut_off(line, bound))


def _subsidy_account(key: OrderKey, canteen: str) -> AccountId:
    return subsidy_account(key.diner, key.date, key.period, canteen=canteen)


def _accounts(facts: OrderFacts, key: OrderKey, canteen: str) -> tuple[Account, Account]:
    """Subsidy and wallet; a subsidy not yet touched opens at what the meal's window grants."""
    window = facts.day.find_window(key.period) if facts.day else None
    subsidy = facts.subsidy or Account(
        id=_subsidy_account(key, canteen),
        unit=Unit.FEN,
        available=window.subsidy_fen if window else 0,
        opened=False,
    )
    empty = Account(id=wallet_account(key.diner), unit=Unit.FEN, available=0)
    return subsidy, facts.wallet or empty


def _pay(total: int, subsidy: Account, wallet: Account) -> _Payment:
    """Subsidy first, then the wallet, which never goes below nothing."""
    from_subsidy = min(subsidy.available, total)
    rest = total - from_subsidy
    if rest > wallet.available:
        available = subsidy.available + wallet.available
        raise errors.InsufficientFunds(missing=rest - wallet.available, available=available)
    return _Payment(subsidy=from_subsidy, wallet=rest)


def _money(account: Account, amount: int) -> Movement | None:
    return move(account, amount, counter=MEALS) if amount else None


def _portions(line: MenuLine, amount: int, *, had: int) -> Movement:
    """Take or give portions; `had` are the diner's own, which count as left for them."""
    try:
        return move(line.account, amount, counter=SOLD)
    except Short:
        raise errors.SoldOut(
            canteen=line.canteen, dish=line.dish, name=line.name, left=line.available + had
        ) from None


def _given_back(order: MealOrder, line: OrderLine, quantity: int) -> Movement:
    account = line_account(order.canteen, order.key.date, order.key.period, line.dish)
    return Movement(account=account, available=quantity, counter=SOLD)


def _difference(before: MealOrder, after: MealOrder, facts: OrderFacts) -> list[Movement]:
    had = {line.dish: line for line in before.lines}
    moved = []
    for line in after.lines:
        old = had.pop(line.dish, None)
        held = old.quantity if old else 0
        if line.quantity != held:
            moved.append(_portions(facts.lines[line.dish], held - line.quantity, had=held))
    return moved + [_given_back(before, line, line.quantity) for line in had.values()]


def _told(
    kind: type[events.MealOrderPlaced] | type[events.MealOrderChanged], order: MealOrder
) -> Event:
    return kind(
        aggregate=order.aggregate,
        version=order.version,
        canteen=order.canteen,
        lines=_quantities(order),
        subsidy=order.subsidy_fen,
        wallet=order.wallet_fen,
    )
