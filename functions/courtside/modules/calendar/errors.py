"""Refusals of the calendar module."""

from datetime import date

from courtside.kernel.errors import Refusal, Text


class DayHasPassed(Refusal):
    """What a day was stands in orders and subsidies already; it is not rewritten."""

    code = "DAY_HAS_PASSED"
    text = Text(zh="{on} 已过,不能再更改。", en="{on} has passed and cannot be changed.")

    def __init__(self, *, on: date) -> None:
        super().__init__(path=("input", "on"))
        self.on = on.isoformat()


class YearHasPassed(Refusal):
    code = "YEAR_HAS_PASSED"
    text = Text(zh="{year} 年已过,不能再导入。", en="{year} has passed and cannot be imported.")

    def __init__(self, *, year: int) -> None:
        super().__init__(path=("input", "year"))
        self.year = year
