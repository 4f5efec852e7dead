"""The grid that canteens keep on the wall: dates across, meals down, several dishes a cell.

Titles may stand above, weekdays beside the dates, a column of categories beside the meals, and each
date may span columns of its own for dish, price and portions. One sheet may hold several weeks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from courtside.kernel.errors import Text
from courtside.kernel.sheets import Cell, Sheet
from courtside.modules.meals.contracts.canteens import Period
from courtside.modules.meals.rules.canteens import NAME_LENGTH
from courtside.modules.meals.rules.menu_sheets import words
from courtside.modules.meals.rules.menu_sheets.cells import Known, Piece, pieces_of
from courtside.modules.meals.rules.menu_sheets.lists import HEADING_ROWS, Field, heading_of
from courtside.modules.meals.rules.menu_sheets.rows import Draft, Findings
from courtside.modules.meals.rules.menu_sheets.words import Wrong

NOTES = ("备注", "注", "说明", "温馨提示", "提示", "制表", "审核", "营养", "合计", "总计", "负责人")
_SUB_HEADINGS = {Field.DISH, Field.PRICE, Field.PORTIONS}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column below a date, and what it holds."""

    date: date
    holds: Field = Field.DISH


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A week within a sheet: its columns, and the rows of its body."""

    columns: Mapping[int, _Column]
    labels: int
    head: int
    first: int
    last: int


def find_grid(sheet: Sheet, *, today: date) -> list[int]:
    """The rows that head a week: dates, or weekdays under a title that names the week, to the right
    of a column of meals. Empty if the sheet is no grid."""
    heads = [row for row in range(sheet.rows) if _is_head(sheet, row, today)]
    return heads if heads and heads[0] < HEADING_ROWS else []


def read_grid(sheet: Sheet, heads: list[int], *, today: date, known: Known) -> Findings:
    """All dishes of a grid; what cannot be placed under one date and one meal is an error."""
    findings = Findings()
    areas: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for place, first in sheet.merged.items():
        areas.setdefault(first, []).append(place)
    for head, until in zip(heads, [*heads[1:], sheet.rows], strict=True):
        section = _section(sheet, head, until, today, findings)
        _Body(sheet, section, findings, areas).read(known)
    return findings


def _is_head(sheet: Sheet, row: int, today: date) -> bool:
    dated = _dated(sheet, row, today)
    if not dated or dated[0] == 0:
        return False
    below = range(row + 1, min(row + 1 + HEADING_ROWS, sheet.rows))
    return any(words.period_of(sheet.text(r, c)) for r in below for c in range(dated[0]))


def _dated(sheet: Sheet, row: int, today: date) -> list[int]:
    """Columns of a row that are headed by a date, or by a weekday where none has a date."""
    columns = range(sheet.columns)
    dates = [c for c in columns if words.is_date(sheet.text(row, c), today)]
    if dates:
        return dates
    weekdays = [c for c in columns if words.weekday_of(sheet.text(row, c))]
    beside = [r for r in (row - 1, row + 1) if 0 <= r < sheet.rows]
    has_dates = any(words.is_date(sheet.text(r, c), today) for r in beside for c in weekdays)
    return weekdays if len(weekdays) > 1 and not has_dates else []


def _section(sheet: Sheet, head: int, until: int, today: date, findings: Findings) -> _Section:
    dated = _dated(sheet, head, today)
    columns = dict(_columns(sheet, head, dated, today, findings))
    first = head + 1
    if _is_weekdays(sheet, first, columns):
        _check_weekdays(sheet, first, columns, findings)
        first += 1
    if _is_weekdays(sheet, head - 1, columns):
        _check_weekdays(sheet, head - 1, columns, findings)
    roles = {c: heading_of(sheet.text(first, c)) for c in columns}
    if any(roles.values()) and all(r is None or r in _SUB_HEADINGS for r in roles.values()):
        columns = {c: _Column(told.date, roles[c] or Field.DISH) for c, told in columns.items()}
        first += 1
    labels = next(
        c
        for c in range(dated[0])
        if any(words.period_of(sheet.text(r, c)) for r in range(first, sheet.rows))
    )
    return _Section(columns=columns, labels=labels, head=head, first=first, last=until)


def _columns(
    sheet: Sheet, head: int, dated: list[int], today: date, findings: Findings
) -> Iterator[tuple[int, _Column]]:
    """Each column that stands under a date, which a merged heading shares among several."""
    week = _week(sheet, head, today)
    days: dict[int, date] = {}
    for column in dated:
        text = sheet.text(head, column)
        try:
            day = words.date_of(text, today) or _in_week(week, words.weekday_of(text))
        except Wrong as error:
            findings.wrong(Cell(sheet.name, head, column), error.text)
            continue
        if day is None:
            findings.wrong(Cell(sheet.name, head, column), _NO_DATE)
        else:
            days[column] = day
    for column in range(dated[0], sheet.columns):
        first = sheet.merged.get((head, column), (head, column))[1]
        if first in days:
            yield column, _Column(days[first])


def _week(sheet: Sheet, head: int, today: date) -> tuple[date, date] | None:
    """The week that a title above names, if exactly one does."""
    titles = [text for (row, _), text in sheet.cells.items() if row < head]
    spans = {span for text in titles if (span := words.span_of(text, today)) is not None}
    return spans.pop() if len(spans) == 1 else None


def _in_week(week: tuple[date, date] | None, weekday: str | None) -> date | None:
    if week is None or weekday is None:
        return None
    day = week[0]
    while words.WEEKDAYS[day.weekday()] != weekday:
        day += timedelta(days=1)
    return day if day <= week[1] else None


def _is_weekdays(sheet: Sheet, row: int, columns: Mapping[int, _Column]) -> bool:
    told = [sheet.text(row, column) for column in columns]
    return any(told) and all(not text or words.weekday_of(text) for text in told)


def _check_weekdays(
    sheet: Sheet, row: int, columns: Mapping[int, _Column], findings: Findings
) -> None:
    for column, told in columns.items():
        try:
            words.check_weekday(told.date, words.weekday_of(sheet.text(row, column)))
        except Wrong as error:
            findings.wrong(Cell(sheet.name, row, column), error.text)


class _Body:
    """The dishes of one week."""

    def __init__(
        self,
        sheet: Sheet,
        section: _Section,
        findings: Findings,
        areas: Mapping[tuple[int, int], list[tuple[int, int]]],
    ) -> None:
        self._sheet = sheet
        self._section = section
        self._findings = findings
        self._areas = areas
        self._periods = self._find_periods()

    def read(self, known: Known) -> None:
        for row in range(self._section.first, self._section.last):
            if row in self._periods:
                for column in range(min(self._section.columns, default=0), self._sheet.columns):
                    self._read_cell(row, column, known)

    def _find_periods(self) -> dict[int, Period | None]:
        """The meal of each row; a blank label continues the one above. None: there is none. Rows of
        notes are left out."""
        periods: dict[int, Period | None] = {}
        current: Period | None = None
        for row in range(self._section.first, self._section.last):
            label = self._sheet.spread(row, self._section.labels)
            first = words.tight(self._sheet.spread(row, 0))
            if first.startswith(NOTES) or words.tight(label).startswith(NOTES):
                continue
            if label:
                current = words.period_of(label)
                if current is None and self._holds_anything(row):
                    cell = self._sheet.cell(row, self._section.labels)
                    self._findings.wrong(cell, _unknown_period(label))
                    continue
            periods[row] = current
        return periods

    def _holds_anything(self, row: int) -> bool:
        return any(self._sheet.text(row, column) for column in self._section.columns)

    def _read_cell(self, row: int, column: int, known: Known) -> None:
        text = self._sheet.text(row, column)
        told = self._section.columns.get(column)
        if not text or words.tight(text) in words.NOBODY_EATS:
            return
        cell = Cell(self._sheet.name, row, column)
        period = self._periods[row]
        if told is None and self._is_remark(column):
            return
        if told is None or period is None:
            self._findings.wrong(cell, _UNDATED if told is None else _NO_PERIOD)
        elif self._is_shared(row, column):
            self._findings.wrong(cell, _SHARED)
        elif told.holds is Field.DISH:
            self._read_dishes(cell, told.date, period, known)
        elif not self._dish_beside(row, column):
            self._findings.wrong(cell, _NO_DISH_BESIDE)

    def _is_remark(self, column: int) -> bool:
        """Whether the column is headed as notes, which are not read."""
        return words.tight(self._sheet.spread(self._section.head, column)).startswith(NOTES)

    def _read_dishes(self, cell: Cell, day: date, period: Period, known: Known) -> None:
        pieces, wrong = pieces_of(self._sheet.text(cell.row, cell.column), known)
        for text in wrong:
            self._findings.wrong(cell, text)
        beside = self._beside(cell)
        if beside and len(pieces) > 1:
            self._findings.wrong(cell, _ONE_PRICE_MANY)
            return
        for piece in pieces:
            told = self._with_beside(piece, beside)
            if told is not None:
                self._findings.drafts.append(
                    Draft(
                        cell=cell,
                        date=day,
                        period=period,
                        name=told.name,
                        price_fen=told.price_fen,
                        portions=told.portions,
                        category=self._category(cell.row),
                    )
                )

    def _with_beside(self, piece: Piece, beside: Mapping[Field, Cell]) -> Piece | None:
        """The piece with what stands in its own columns of price and portions."""
        price, portions = piece.price_fen, piece.portions
        for field, cell in beside.items():
            text = self._sheet.text(cell.row, cell.column)
            try:
                if field is Field.PRICE:
                    price = words.price_of(text)
                else:
                    portions = words.portions_of(text)
            except Wrong as error:
                self._findings.wrong(cell, error.text)
                return None
        return Piece(name=piece.name, price_fen=price, portions=portions)

    def _beside(self, cell: Cell) -> dict[Field, Cell]:
        """Price and portions in the columns that follow a dish's, up to the next dishes."""
        found: dict[Field, Cell] = {}
        for column in range(cell.column + 1, self._sheet.columns):
            told = self._section.columns.get(column)
            if told is None or told.holds is Field.DISH:
                break
            if self._sheet.text(cell.row, column):
                found[told.holds] = Cell(self._sheet.name, cell.row, column)
        return found

    def _dish_beside(self, row: int, column: int) -> bool:
        """Whether the dish is written to which a price or a number of portions belongs."""
        while column > 0:
            column -= 1
            told = self._section.columns.get(column)
            if told is None or told.holds is Field.DISH:
                return told is not None and bool(self._sheet.text(row, column))
        return False

    def _category(self, row: int) -> str:
        between = range(self._section.labels + 1, min(self._section.columns))
        told = [self._sheet.spread(row, column) for column in between]
        found = next((text for text in told if text and not words.period_of(text)), "")
        return words.tight(found)[:NAME_LENGTH]

    def _is_shared(self, row: int, column: int) -> bool:
        """Whether a merged cell reaches over several dates or meals."""
        places = [(row, column), *self._areas.get((row, column), ())]
        dates = {told.date for _, c in places if (told := self._section.columns.get(c))}
        return len(dates) > 1 or len({self._periods.get(r) for r, _ in places}) > 1


_NO_DATE = Text(
    zh="只有星期,没有日期。请写成“3月2日 星期一”,或在标题中写明起止日期。",
    en="A weekday without a date. Write “3月2日 星期一”, or the week's first and last day in the "
    "title.",
)
_UNDATED = Text(
    zh="这一列上方没有日期,不知道是哪一天的菜。",
    en="No date stands above this column, so nobody knows the day of this dish.",
)
_NO_PERIOD = Text(
    zh="这一行没有写餐次(早餐、午餐、晚餐、夜宵)。",
    en="This row names no meal (早餐, 午餐, 晚餐, 夜宵).",
)
_SHARED = Text(
    zh="合并单元格跨了几天或几餐,不知道以哪一个为准。请取消合并,每天每餐分别填写。",
    en="A merged cell spans several days or meals. Unmerge it and fill in each of them.",
)
_ONE_PRICE_MANY = Text(
    zh="这一格有几道菜,旁边却只有一个价格或份数。请一道菜一行,或把价格写在菜名后面。",
    en="Several dishes but one price or number beside them. Give each dish its own row, or write "
    "the price after the name.",
)
_NO_DISH_BESIDE = Text(
    zh="这里有价格或份数,旁边却没有菜名。", en="A price or number of portions without a dish."
)


def _unknown_period(label: str) -> Text:
    return Text(
        zh=f"不认识的餐次“{label[:20]}”。请写早餐、午餐、晚餐或夜宵。",
        en=f"Unknown meal “{label[:20]}”. Write 早餐, 午餐, 晚餐 or 夜宵.",
    )
