"""The State Council's calendar as the `chinesecalendar` package has it, frozen for the kernel.

Holidays are days off by notice (also where they fall on a weekend); make-up work days are weekend
days that are worked instead (调休).
"""

from datetime import date
from functools import cache
from types import MappingProxyType

from courtside.kernel.workdays import DayKind, WorkCalendar


@cache
def state_council() -> WorkCalendar:
    """All years that the installed package knows (2004 to 2026 in 1.11). Read at the first use:
    its tables cost a cold start that asks for no calendar nothing."""
    from chinese_calendar import constants

    special: dict[date, DayKind] = dict.fromkeys(constants.holidays, DayKind.HOLIDAY)
    special |= dict.fromkeys(constants.workdays, DayKind.MAKEUP_WORKDAY)
    years = frozenset(day.year for day in constants.holidays)
    return WorkCalendar(special=MappingProxyType(special), years=years)
