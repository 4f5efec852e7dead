"""The words of canteens' spreadsheets: headings, meals, allergens, tags, dates, money, counts."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import MINYEAR, date, timedelta

from courtside.kernel import money
from courtside.kernel.errors import Text
from courtside.modules.meals.contracts.canteens import Allergen, Period, Tag
from courtside.modules.meals.rules.canteens import MOST_FEN, NAME_LENGTH

MOST_PORTIONS = 9_999
LONGEST_DATE, LONGEST_TITLE = 40, 200  # characters; nobody writes longer ones
NOBODY_EATS = {
    *("无", "休", "休息", "放假", "停餐", "停供", "暂停", "闭餐", "不供餐", "不开餐", "不供应"),
    *("-", "--", "—", "——", "/", "\\", "×"),
}

PERIODS: Mapping[str, Period] = {
    **dict.fromkeys(("早餐", "早饭", "早点", "早", "早上", "早市"), Period.BREAKFAST),
    **dict.fromkeys(("午餐", "中餐", "午饭", "中饭", "午", "中午", "午市"), Period.LUNCH),
    **dict.fromkeys(("晚餐", "晚饭", "晚", "晚上", "晚市"), Period.DINNER),
    **dict.fromkeys(("夜宵", "宵夜", "夜餐", "夜班餐", "加餐"), Period.NIGHT),
}
PERIOD_NAMES = {
    Period.BREAKFAST: Text(zh="早餐", en="breakfast"),
    Period.LUNCH: Text(zh="午餐", en="lunch"),
    Period.DINNER: Text(zh="晚餐", en="dinner"),
    Period.NIGHT: Text(zh="夜宵", en="night meal"),
}

# The eight groups of GB 7718-2011, 4.4.3, by the names that the standard and kitchens use.
ALLERGENS: Mapping[str, Allergen] = {
    **dict.fromkeys(
        ("含麸质谷物", "含麸质的谷物", "含有麸质的谷物", "麸质", "小麦", "面筋", "面粉", "大麦"),
        Allergen.GLUTEN,
    ),
    **dict.fromkeys(("甲壳", "甲壳类", "甲壳纲类动物", "虾", "蟹", "虾蟹"), Allergen.CRUSTACEAN),
    **dict.fromkeys(("鱼", "鱼类"), Allergen.FISH),
    **dict.fromkeys(("蛋", "蛋类", "鸡蛋"), Allergen.EGG),
    **dict.fromkeys(("花生",), Allergen.PEANUT),
    **dict.fromkeys(("大豆", "黄豆", "豆类", "豆"), Allergen.SOY),
    **dict.fromkeys(("乳", "奶", "牛奶", "乳类", "奶类"), Allergen.MILK),
    **dict.fromkeys(("坚果", "坚果类", "坚果及其果仁类", "核桃", "腰果", "杏仁"), Allergen.NUT),
}
ALLERGEN_NAMES = {
    Allergen.GLUTEN: "含麸质谷物",
    Allergen.CRUSTACEAN: "甲壳类",
    Allergen.FISH: "鱼类",
    Allergen.EGG: "蛋类",
    Allergen.PEANUT: "花生",
    Allergen.SOY: "大豆",
    Allergen.MILK: "乳",
    Allergen.NUT: "坚果",
}
NO_ALLERGENS = {"无", "没有", "无过敏原", "不含", "none", "NONE", "None"}
_PRODUCTS = re.compile(r"(及其?制品|制品|及乳|\(包括乳糖\))+$")

TAGS: Mapping[str, Tag] = {
    **dict.fromkeys(("清真",), Tag.HALAL),
    **dict.fromkeys(("素食", "素", "全素"), Tag.VEGETARIAN),
    **dict.fromkeys(("低盐", "少盐"), Tag.LOW_SALT),
    **dict.fromkeys(("低糖", "少糖"), Tag.LOW_SUGAR),
    **dict.fromkeys(("低嘌呤",), Tag.LOW_PURINE),
    **dict.fromkeys(("微辣",), Tag.SPICY_1),
    **dict.fromkeys(("中辣", "辣"), Tag.SPICY_2),
    **dict.fromkeys(("特辣", "重辣", "麻辣"), Tag.SPICY_3),
}

WEEKDAYS = "一二三四五六日"
_WEEKDAY = r"(?:星期|周|礼拜)\s*([一二三四五六日天])"
_ONLY_WEEKDAY = re.compile(_WEEKDAY)
_TAIL = rf"\s*[(\s]?\s*(?:{_WEEKDAY})?\s*\)?"
_DAY = r"(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?"
_WITH_YEAR = re.compile(
    rf"(?:(\d{{4}})\s*年\s*{_DAY}|(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}})){_TAIL}"
)
_WITHOUT_YEAR = re.compile(rf"(?:{_DAY}|(\d{{1,2}})[-/](\d{{1,2}})){_TAIL}")
_TODAY_FIRST = re.compile(rf"{_WEEKDAY}\s*[(\s]?\s*(.*?)\)?")
_SERIAL = re.compile(r"[34567]\d{4}")
_EXCEL_DAY_0 = date(1899, 12, 30)
_SPAN = re.compile(
    rf"(?:(\d{{4}})\s*年\s*)?{_DAY}\s*(?:至|到|[-–—~])+\s*(?:(\d{{4}})\s*年\s*)?"
    r"(?:(\d{1,2})\s*月\s*)?(\d{1,2})\s*[日号]?"
)
_PRICE = re.compile(r"¥?\s*(\d+(?:\.\d+)?)\s*(?:元|块)?(?:\s*/\s*[份个碗只盘例位人])?")
_COUNT = re.compile(r"[x×*]?\s*(\d+)\s*[份个人]?")
_LIST = re.compile(r"[\s、,,;;/|+]+")


class Wrong(Exception):
    """A text that cannot be taken as what it stands for."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def plain(text: str) -> str:
    """Full-width digits, letters and brackets as half-width; outer blanks removed."""
    return unicodedata.normalize("NFKC", text).strip()


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def tight(text: str) -> str:
    """Without any blank, for comparing labels such as 午↵餐."""
    return "".join(plain(text).split())


def period_of(text: str) -> Period | None:
    """The meal that a label names, or None; times in it (`午餐(11:30-13:00)`) are not read."""
    return PERIODS.get(re.sub(r"\(.*\)$|[0-9:~—-]+$", "", tight(text)))


def allergens_of(text: str) -> tuple[Allergen, ...] | None:
    """The statement in a cell: None when blank, () for 无; Wrong for words that are not of the
    eight groups of GB 7718."""
    words = [_PRODUCTS.sub("", word) for word in _LIST.split(plain(text)) if word]
    if not words:
        return None
    stated_none = [word for word in words if word in NO_ALLERGENS]
    if stated_none and len(words) == 1:
        return ()
    unknown = [word for word in words if word not in ALLERGENS]
    if stated_none or unknown:
        raise Wrong(_allergen_error(stated_none or unknown, contradicts=bool(stated_none)))
    found = {ALLERGENS[word] for word in words}
    return tuple(allergen for allergen in Allergen if allergen in found)


def _allergen_error(words: list[str], *, contradicts: bool) -> Text:
    if contradicts:
        return Text(
            zh="过敏原既写了“无”又写了其他,请只留一种。",
            en="Allergens say both “none” (无) and something else. Keep one.",
        )
    known = "、".join(ALLERGEN_NAMES.values())
    told = "、".join(words)
    return Text(
        zh=f"不认识的过敏原“{told}”。可填:{known};没有请填“无”。",
        en=f"Unknown allergen “{told}”. Use {known}; write 无 for none.",
    )


def tags_of(text: str) -> tuple[Tag, ...]:
    """Tags of a dish; Wrong for one that is not known."""
    words = [word for word in _LIST.split(plain(text)) if word and word not in NOBODY_EATS]
    unknown = [word for word in words if word not in TAGS]
    if unknown:
        known = "、".join(TAG_NAMES)
        raise Wrong(
            Text(
                zh=f"不认识的标签“{'、'.join(unknown)}”。可填:{known}。",
                en=f"Unknown tag “{'、'.join(unknown)}”. Use {known}.",
            )
        )
    found = {TAGS[word] for word in words}
    return tuple(tag for tag in Tag if tag in found)


TAG_NAMES = ("清真", "素食", "低盐", "低糖", "低嘌呤", "微辣", "中辣", "特辣")


def price_of(text: str) -> int:
    """Fen of a price in yuan: 12, 12.5, ¥12, 12元, 12元/份. Wrong otherwise."""
    match = _PRICE.fullmatch(_one_line(text))
    try:
        fen = money.fen(match[1]) if match else -1
    except ValueError:
        fen = -1
    if not 0 <= fen <= MOST_FEN:
        raise Wrong(
            Text(
                zh=f"单价“{text[:20]}”应为 0 到 1000 元,最多两位小数,例如 12.50。",
                en=f"The price “{text[:20]}” should be 0 to 1000 yuan with at most two decimals, "
                "for example 12.50.",
            )
        )
    return fen


def portions_of(text: str) -> int:
    """A number of portions: 80, 80份. Wrong otherwise."""
    match = _COUNT.fullmatch(_one_line(text))
    count = int(match[1]) if match and len(match[1]) < 9 else 0  # noqa: PLR2004 - digits
    if not 1 <= count <= MOST_PORTIONS:
        raise Wrong(
            Text(
                zh=f"份数“{text[:20]}”应为 1 到 {MOST_PORTIONS} 的整数。",
                en=f"Portions “{text[:20]}” should be a whole number from 1 to {MOST_PORTIONS}.",
            )
        )
    return count


def name_of(text: str) -> str:
    """A dish's name as it is kept. Wrong if it is no name."""
    name = plain(" ".join(text.split()))
    if name.startswith(("=", "#")):
        raise Wrong(
            Text(
                zh=f"公式“{name[:20]}”没有结果。请在 Excel 或 WPS 中打开并保存,或改为直接填写。",
                en=f"The formula “{name[:20]}” has no result. Open and save the file in Excel or "
                "WPS, or type the value.",
            )
        )
    letters = any(char.isalpha() for char in name)
    if not letters or not 1 <= len(name) <= NAME_LENGTH or not name.isprintable() or "#" in name:
        raise Wrong(
            Text(
                zh=f"“{name[:20]}”不能作为菜名(1 到 {NAME_LENGTH} 个字,不含 #)。",
                en=f"“{name[:20]}” cannot be a dish's name (1 to {NAME_LENGTH} characters, no #).",
            )
        )
    return name


def name_key(name: str) -> str:
    """What two spellings of one dish have in common."""
    return tight(name).casefold()


def is_date(text: str, today: date) -> bool:
    """Whether a heading is meant as a date, even one that does not exist."""
    try:
        return date_of(text, today) is not None
    except Wrong:
        return True


def date_of(text: str, today: date) -> date | None:
    """The date that a cell names, None if it names none.

    Without a year it is the nearest to `today`. Wrong if there is no such day, or if a weekday
    stands beside it that is another day's.
    """
    told = _one_line(text)
    if len(told) > LONGEST_DATE:
        return None
    if _SERIAL.fullmatch(told):
        return _EXCEL_DAY_0 + timedelta(days=int(told))
    turned = _TODAY_FIRST.fullmatch(told)
    if turned and turned[2]:
        told = f"{turned[2]} 星期{turned[1]}"
    if match := _WITH_YEAR.fullmatch(told):
        year, month, day, *other, weekday = match.groups()
        year, month, day = (year, month, day) if year else other
        found = _real(int(year), int(month), int(day))
    elif match := _WITHOUT_YEAR.fullmatch(told):
        month, day, *other, weekday = match.groups()
        month, day = (month, day) if month else other
        found = _nearest(int(month), int(day), today)
    else:
        return None
    if found is None:
        raise Wrong(Text(zh=f"没有“{told}”这一天。", en=f"There is no such day: “{told}”."))
    check_weekday(found, weekday)
    return found


def weekday_of(text: str) -> str | None:
    """The weekday that a heading names and nothing else: 一 … 日."""
    match = _ONLY_WEEKDAY.fullmatch(tight(text).strip("()"))
    return match[1].replace("天", "日") if match else None


def check_weekday(day: date, weekday: str | None) -> None:
    """Wrong if the weekday beside a date is not the date's."""
    actual = WEEKDAYS[day.weekday()]
    if weekday is not None and weekday.replace("天", "日") != actual:
        raise Wrong(
            Text(
                zh=f"{day.month}月{day.day}日是星期{actual},表中写的是星期{weekday}。请核对日期"
                f"(按 {day.year} 年)。",
                en=f"{day.isoformat()} is a {day:%A}, but the sheet says 星期{weekday}. "
                "Check the date.",
            )
        )


def span_of(text: str, today: date) -> tuple[date, date] | None:
    """The week that a title names (`3月2日—3月6日`), None if it names none or not one of 7 days."""
    match = _SPAN.search(_one_line(text)[:LONGEST_TITLE])
    if match is None:
        return None
    year, month, day, last_year, last_month, last_day = match.groups()
    first = (
        _real(int(year), int(month), int(day)) if year else _nearest(int(month), int(day), today)
    )
    if first is None:
        return None
    last_month = int(last_month or month)
    turns = last_month < first.month
    last = _real(int(last_year or first.year + turns), last_month, int(last_day))
    week = timedelta(days=6)
    return (first, last) if last is not None and first <= last <= first + week else None


def _nearest(month: int, day: int, today: date) -> date | None:
    years = (today.year - 1, today.year, today.year + 1)
    days = [found for year in years if (found := _real(year, month, day)) is not None]
    return min(days, key=lambda found: abs(found - today), default=None)


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(max(year, MINYEAR), month, day)
    except ValueError:
        return None
