"""Refusals of meals: each with its stable code, its facts and a sentence in both languages."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from courtside.kernel.errors import Language, Path, Refusal, Text
from courtside.kernel.money import yuan
from courtside.kernel.workdays import ZONE

CANTEEN = Text(zh="食堂", en="canteen")
DISH = Text(zh="菜品", en="dish")
PERIOD = Text(zh="餐次", en="meal period")
ORDER = Text(zh="订餐", en="meal order")
COUNT = Text(zh="备餐统计", en="kitchen count")
DINER = Text(zh="就餐人", en="diner")
IMPORT = Text(zh="导入", en="import")
JOB = Text(zh="任务", en="job")


class Alternative(NamedTuple):
    """Another dish of the same meal that is to be had."""

    dish: str
    name: str
    left: int
    price_fen: int


class MenuNotPublished(Refusal):
    code = "MENU_NOT_PUBLISHED"
    text = Text(
        zh="{date} 的这一餐尚未发布菜单。", en="No menu is published for that meal on {date}."
    )

    def __init__(self, *, date: date, path: Path = ("input", "date")) -> None:
        super().__init__(path=path)
        self.date = date


class SoldOut(Refusal):
    """Less is left of a dish than was asked for; `alternatives` are of the same meal."""

    code = "SOLD_OUT"
    text = Text(zh="“{name}”只剩 {left} 份。", en="Only {left} of “{name}” left.")

    def __init__(
        self,
        *,
        canteen: str,
        dish: str,
        name: str,
        left: int,
        alternatives: Sequence[Alternative] = (),
        path: Path = ("input", "lines"),
    ) -> None:
        super().__init__(path=path)
        self.canteen = canteen
        self.dish = dish
        self.name = name
        self.left = left
        self.alternatives = tuple(alternatives)

    def message(self, language: Language) -> str:
        """Nobody speaks of zero portions."""
        if self.left:
            return super().message(language)
        return f"“{self.name}”已订完。" if language == "zh" else f"“{self.name}” is sold out."


class _WindowClosed(Refusal):
    def __init__(self, *, closed_at: datetime, path: Path = ()) -> None:
        super().__init__(path=path)
        self.closed_at = closed_at.astimezone(ZONE)


class OrderWindowClosed(_WindowClosed):
    code = "ORDER_WINDOW_CLOSED"
    text = Text(
        zh="订餐已于 {closed_at:%m-%d %H:%M} 截止。",
        en="Ordering closed on {closed_at:%m-%d at %H:%M}.",
    )


class ChangeWindowClosed(_WindowClosed):
    code = "CHANGE_WINDOW_CLOSED"
    text = Text(
        zh="改餐已于 {closed_at:%m-%d %H:%M} 截止。",
        en="Changing closed on {closed_at:%m-%d at %H:%M}.",
    )


class CancelWindowClosed(_WindowClosed):
    code = "CANCEL_WINDOW_CLOSED"
    text = Text(
        zh="退餐已于 {closed_at:%m-%d %H:%M} 截止。",
        en="Cancelling closed on {closed_at:%m-%d at %H:%M}.",
    )


class InsufficientFunds(Refusal):
    """Subsidy and wallet together do not pay for it; amounts in fen."""

    code = "INSUFFICIENT_FUNDS"
    text = Text(
        zh="余额不足:还差 {missing_yuan} 元(可用 {available_yuan} 元)。",
        en="Not enough money: {missing_yuan} yuan short ({available_yuan} available).",
    )
    audited = True

    def __init__(self, *, missing: int, available: int, path: Path = ()) -> None:
        super().__init__(path=path)
        self.missing = missing
        self.available = available
        self.missing_yuan = yuan(missing)
        self.available_yuan = yuan(available)


class AlreadyOrdered(Refusal):
    """One live order for a diner, date and meal: change it instead. `order` is its key."""

    code = "ALREADY_ORDERED"
    text = Text(
        zh="这一餐已有订餐(取餐码 {pickup_code}),可改餐。",
        en="There is an order for this meal already (code {pickup_code}); change it instead.",
    )

    def __init__(self, *, order: str, pickup_code: str, version: int) -> None:
        super().__init__()
        self.order = order
        self.pickup_code = pickup_code
        self.version = version


class AlreadyCancelled(Refusal):
    code = "ALREADY_CANCELLED"
    text = Text(zh="该订餐已退。", en="The order was cancelled before.")


class AlreadyCollected(Refusal):
    """The first scan won; when and at which window it was."""

    code = "ALREADY_COLLECTED"
    text = Text(
        zh="已于 {collected_at:%H:%M} 在{window}取餐。",
        en="Collected already at {collected_at:%H:%M}, {window}.",
    )

    def __init__(self, *, collected_at: datetime, window: str) -> None:
        super().__init__()
        self.collected_at = collected_at.astimezone(ZONE)
        self.window = window


class CodeOfAnotherDay(Refusal):
    code = "CODE_OF_ANOTHER_DAY"
    text = Text(zh="这是 {date} 的取餐码。", en="This code is for {date}.")

    def __init__(self, *, date: date) -> None:
        super().__init__(path=("input", "code"))
        self.date = date


class CodeOfAnotherCanteen(Refusal):
    code = "CODE_OF_ANOTHER_CANTEEN"
    text = Text(zh="这是其他食堂的取餐码。", en="This code is for another canteen.")

    def __init__(self, *, canteen: str) -> None:
        super().__init__(path=("input", "code"))
        self.canteen = canteen


class NoAllergenStatement(Refusal):
    """Dishes for which nothing was stated yet, which blocks publishing."""

    code = "NO_ALLERGEN_STATEMENT"
    text = Text(
        zh="以下菜品尚未声明过敏原,不能发布:{names}。",
        en="No allergen statement yet, cannot be published: {names}.",
    )

    def __init__(self, *, dishes: Sequence[str], names: str) -> None:
        super().__init__()
        self.dishes = tuple(dishes)
        self.names = names


class NothingDrafted(Refusal):
    code = "NOTHING_DRAFTED"
    text = Text(zh="这些日期没有待发布的菜单。", en="Nothing is drafted for these days.")


class DayIsOver(Refusal):
    code = "DAY_IS_OVER"
    text = Text(zh="{date} 已过。", en="{date} is over.")

    def __init__(self, *, date: date) -> None:
        super().__init__()
        self.date = date


class MealClosed(Refusal):
    """The kitchen has counted (or is counting) that meal: nothing of it can change."""

    code = "MEAL_CLOSED"
    text = Text(
        zh="{date} {period} 已截单统计。", en="{period} of {date} was closed for the kitchen count."
    )

    def __init__(self, *, date: date, period: str) -> None:
        super().__init__()
        self.date = date
        self.period = period


class MealBusy(Refusal):
    """Another change of the same meal is still being carried out."""

    code = "MEAL_BUSY"
    text = Text(
        zh="{date} {period} 正在处理另一项调整,请稍后再试。",
        en="Another change of {period} on {date} is under way. Try again shortly.",
    )

    def __init__(self, *, date: date, period: str) -> None:
        super().__init__()
        self.date = date
        self.period = period


class TakenOver(Refusal):
    """A later request holds what the job had been asked for: what is left of it is not done."""

    code = "TAKEN_OVER"
    text = Text(
        zh="此任务久未推进,已由后来的请求接替。",
        en="The job made no progress for long, and a later request took its place.",
    )


class StillOpen(Refusal):
    """Orders can still come in; pass `early` to close the meal before that."""

    code = "STILL_OPEN"
    text = Text(
        zh="订餐到 {closes_at:%m-%d %H:%M} 才截止。",
        en="Orders can come in until {closes_at:%m-%d %H:%M}.",
    )

    def __init__(self, *, closes_at: datetime) -> None:
        super().__init__()
        self.closes_at = closes_at.astimezone(ZONE)


class PriceChanged(Refusal):
    """A published price stands: people have ordered at it."""

    code = "PRICE_CHANGED"
    text = Text(
        zh="{date} “{name}”已按 {published_yuan} 元发布,价格不能改。",
        en="“{name}” of {date} was published at {published_yuan} yuan; the price stands.",
    )

    def __init__(self, *, date: date, name: str, published: int) -> None:
        super().__init__()
        self.date = date
        self.name = name
        self.published = published
        self.published_yuan = yuan(published)


class FewerThanSold(Refusal):
    """Planned portions cannot fall below those that are ordered already."""

    code = "FEWER_THAN_SOLD"
    text = Text(
        zh="{date} “{name}”已订出 {sold} 份,计划不能更少。",
        en="{sold} portions of “{name}” on {date} are ordered; no fewer can be planned.",
    )

    def __init__(self, *, date: date, name: str, sold: int) -> None:
        super().__init__()
        self.date = date
        self.name = name
        self.sold = sold


class DishExists(Refusal):
    code = "DISH_EXISTS"
    text = Text(zh="食堂已有“{name}”。", en="The canteen has “{name}” already.")

    def __init__(self, *, name: str) -> None:
        super().__init__(path=("input", "name"))
        self.name = name


class ImportNotChecked(Refusal):
    """Only a file whose dry run found nothing wrong is taken."""

    code = "IMPORT_NOT_CHECKED"
    text = Text(
        zh="该文件还不能导入(状态 {state})。", en="The file cannot be taken yet (it is {state})."
    )

    def __init__(self, *, state: str) -> None:
        super().__init__()
        self.state = state


class ImportBusy(Refusal):
    """The file is being checked or taken, or was taken already."""

    code = "IMPORT_BUSY"
    text = Text(
        zh="该文件正在处理或已经导入(状态 {state})。",
        en="The file is being processed or was taken already (it is {state}).",
    )

    def __init__(self, *, state: str) -> None:
        super().__init__()
        self.state = state


class AlreadyTaken(Refusal):
    """The same list of top-ups was committed before: its money moves once."""

    code = "ALREADY_TAKEN"
    text = Text(
        zh="同一份充值表已于 {at:%Y-%m-%d %H:%M} 提交入账,未再次充值。"
        "如确需再充一次,请在表中改动(如备注)后另行上传。",
        en="This very list was committed on {at:%Y-%m-%d at %H:%M}; nothing is paid a second time. "
        "To pay it once more on purpose, upload a list that differs, for example by a remark.",
    )
    audited = True

    def __init__(self, *, import_id: str, at: datetime) -> None:
        super().__init__(path=("input", "importId"))
        self.import_id = import_id
        self.at = at.astimezone(ZONE)


class AnotherFile(Refusal):
    code = "ANOTHER_FILE"
    text = Text(zh="这不是检查过的那个文件。", en="This is not the file that was checked.")

    def __init__(self) -> None:
        super().__init__(path=("input", "sha256"))
