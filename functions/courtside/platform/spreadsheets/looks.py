"""Fonts, fills and borders of the workbooks that we write; one look for all of them."""

import unicodedata

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

FONT = "微软雅黑"
RED = "FFFFC7CE"
_LINE = Side(style="thin", color="FFBFBFBF")
_INK = "FF1F3864"

ERROR_FILL = PatternFill("solid", start_color=RED, end_color=RED)
NO_FILL = PatternFill()
_RED_LINE = Side(style="medium", color="FFC00000")
ERROR_BORDER = Border(left=_RED_LINE, right=_RED_LINE, top=_RED_LINE, bottom=_RED_LINE)
GRID = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
HEADING_FILL = PatternFill("solid", start_color=_INK, end_color=_INK)
HEADING_FONT = Font(name=FONT, size=11, bold=True, color="FFFFFFFF")
TITLE_FONT = Font(name=FONT, size=15, bold=True, color=_INK)
TEXT_FONT = Font(name=FONT, size=10.5)
QUIET_FONT = Font(name=FONT, size=10, italic=True, color="FF7F7F7F")
LINK_FONT = Font(name=FONT, size=10.5, underline="single", color="FF0563C1")
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
WRAP = Alignment(vertical="center", wrap_text=True)

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDE = {"W", "F", "A"}


def harmless(text: str) -> str:
    """Text that no spreadsheet program takes for a formula, not even after saving as .csv.

    Numbers and lone dashes stay as they are.
    """
    if not text.startswith(_STARTS_FORMULA) or text.strip("-+ ") == "" or _is_number(text):
        return text
    return f"'{text}"


def width_of(text: str) -> int:
    """Columns of width that the longest line of a text takes: a Han character takes two."""
    lines = text.splitlines() or [""]
    return max(sum(1 + (unicodedata.east_asian_width(c) in _WIDE) for c in line) for line in lines)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
