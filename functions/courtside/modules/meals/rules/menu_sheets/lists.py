"""The list layout: one row a dish, as in the template. Columns are found by their headings."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from courtside.kernel.errors import Text
from courtside.kernel.sheets import EXAMPLE, Cell, Sheet
from courtside.modules.meals.rules.canteens import NAME_LENGTH
from courtside.modules.meals.rules.menu_sheets import words
from courtside.modules.meals.rules.menu_sheets.rows import Draft, Findings
from courtside.modules.meals.rules.menu_sheets.words import Wrong

HEADING_ROWS = 20  # how far down headings are looked for
T = TypeVar("T")


class Field(StrEnum):
    DATE = "日期"
    PERIOD = "餐次"
    DISH = "菜名"
    PRICE = "单价"
    PORTIONS = "份数"
    ALLERGENS = "过敏原"
    TAGS = "标签"
    CATEGORY = "类别"


HEADINGS: Mapping[str, Field] = {
    **dict.fromkeys(("日期", "供餐日期", "用餐日期", "就餐日期"), Field.DATE),
    **dict.fromkeys(("餐次", "餐别", "餐段", "餐时"), Field.PERIOD),
    **dict.fromkeys(("菜名", "菜品", "菜品名称", "品名", "菜肴", "菜肴名称"), Field.DISH),
    **dict.fromkeys(("单价", "价格", "售价", "价格/元", "元"), Field.PRICE),
    **dict.fromkeys(("份数", "计划份数", "数量", "供应量", "供应份数", "份"), Field.PORTIONS),
    **dict.fromkeys(("过敏原", "过敏源", "致敏物质", "致敏原"), Field.ALLERGENS),
    **dict.fromkeys(("标签", "特点", "口味"), Field.TAGS),
    **dict.fromkeys(("类别", "分类", "菜类", "品类"), Field.CATEGORY),
}
NEEDED = (Field.DATE, Field.PERIOD, Field.DISH)
_BRACKETED = re.compile(r"\(.*\)$")


def heading_of(text: str) -> Field | None:
    """The field that a heading names, or None; stars and units in brackets do not matter."""
    return HEADINGS.get(_BRACKETED.sub("", words.tight(text).replace("*", "")))


def find_headings(sheet: Sheet) -> int | None:
    """The row of the headings: the first that names date, meal and dish."""
    for row in range(min(sheet.rows, HEADING_ROWS)):
        if all(field in fields_of(sheet, row) for field in NEEDED):
            return row
    return None


def fields_of(sheet: Sheet, row: int) -> dict[Field, list[int]]:
    """The columns of each field that a row of headings names."""
    fields: dict[Field, list[int]] = {}
    for column in range(sheet.columns):
        field = heading_of(sheet.text(row, column))
        if field is not None:
            fields.setdefault(field, []).append(column)
    return fields


def missing_headings(sheet: Sheet) -> list[str]:
    """What a sheet that looks like a list lacks; nothing if it does not look like one at all."""
    rows = range(min(sheet.rows, HEADING_ROWS))
    best = max((set(fields_of(sheet, row)) for row in rows), key=len, default=set[Field]())
    return [field.value for field in NEEDED if field not in best] if len(best) > 1 else []


def read_list(sheet: Sheet, headings: int, *, today: date) -> Findings:
    """All rows below the headings. A row is a dish, or has an error, or is blank."""
    findings = Findings()
    fields = fields_of(sheet, headings)
    for field, columns in fields.items():
        for again in columns[1:]:
            findings.wrong(Cell(sheet.name, headings, again), _heading_twice(field))
    reader = _Reader(sheet, {field: columns[0] for field, columns in fields.items()}, findings)
    for row in range(headings + 1, sheet.rows):
        reader.read(row, today)
    return findings


class _Reader:
    """Reads rows by the columns that the headings gave; errors stand at their cells."""

    def __init__(self, sheet: Sheet, columns: Mapping[Field, int], findings: Findings) -> None:
        self._sheet = sheet
        self._columns = columns
        self._findings = findings

    def read(self, row: int, today: date) -> None:
        """One row. The example row of the template is passed over."""
        told = {field: self._sheet.text(row, column) for field, column in self._columns.items()}
        if not any(told.values()) or told[Field.DATE].startswith(EXAMPLE):
            return
        before = len(self._findings.errors)
        day = self._need(row, Field.DATE, lambda text: words.date_of(text, today), _NO_DATE)
        period = self._need(row, Field.PERIOD, words.period_of, _NO_PERIOD)
        name = self._need(row, Field.DISH, words.name_of, _NO_NAME)
        price = self._may(row, Field.PRICE, words.price_of)
        portions = self._may(row, Field.PORTIONS, words.portions_of)
        allergens = self._may(row, Field.ALLERGENS, words.allergens_of)
        tags = self._may(row, Field.TAGS, words.tags_of)
        if day and period and name and len(self._findings.errors) == before:
            self._findings.drafts.append(
                Draft(
                    cell=self._cell(row, Field.DISH),
                    date=day,
                    period=period,
                    name=name,
                    price_fen=price,
                    portions=portions,
                    allergens=allergens,
                    tags=tags or (),
                    category=words.plain(told.get(Field.CATEGORY, ""))[:NAME_LENGTH],
                )
            )

    def _need(
        self, row: int, field: Field, read: Callable[[str], T | None], missing: Text
    ) -> T | None:
        """The value of a field that every row has; merged dates and meals count for all rows."""
        column = self._columns[field]
        is_spread = field is not Field.DISH
        text = self._sheet.spread(row, column) if is_spread else self._sheet.text(row, column)
        try:
            value = read(text) if text else None
        except Wrong as error:
            self._findings.wrong(self._cell(row, field), error.text)
            return None
        if value is None:
            self._findings.wrong(self._cell(row, field), _told(missing, text))
        return value

    def _may(self, row: int, field: Field, read: Callable[[str], T]) -> T | None:
        text = self._sheet.text(row, self._columns[field]) if field in self._columns else ""
        try:
            return read(text) if text else None
        except Wrong as error:
            self._findings.wrong(self._cell(row, field), error.text)
            return None

    def _cell(self, row: int, field: Field) -> Cell:
        return Cell(self._sheet.name, row, self._columns[field])


_NO_DATE = Text(
    zh="日期{told}应写成 2026-03-02 或 3月2日。",
    en="The date{told} should be 2026-03-02 or 3月2日.",
)
_NO_PERIOD = Text(
    zh="餐次{told}应为早餐、午餐、晚餐或夜宵。",
    en="The meal{told} should be 早餐, 午餐, 晚餐 or 夜宵.",
)
_NO_NAME = Text(zh="这一行没有菜名。", en="This row has no dish.")


def _told(text: Text, told: str) -> Text:
    zh = f"“{told[:20]}”" if told else "没有填写,"
    en = f" “{told[:20]}”" if told else " is missing and"
    return Text(text.zh.replace("{told}", zh), text.en.replace("{told}", en))


def _heading_twice(field: Field) -> Text:
    return Text(
        zh=f"有两列“{field.value}”,不知以哪一列为准。请删去一列。",
        en=f"Two columns are headed “{field.value}”. Remove one.",
    )
