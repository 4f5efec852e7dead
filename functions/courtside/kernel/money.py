"""Money: integer fen inside, a decimal string in yuan outside, never a float."""

import re

from courtside.kernel.errors import Text

_YUAN = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,2}))?")
MONEY_FORMAT = Text(
    zh="应为以元为单位的金额,最多两位小数,例如 12.50",
    en="expected yuan with at most two decimals, for example 12.50",
)


def yuan(fen: int) -> str:
    """`1250` → `"12.50"`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fen(text: str) -> int:
    """`"12.5"` → `1250`. ValueError for anything but yuan with at most two decimals."""
    match = _YUAN.fullmatch(text.strip())
    if match is None or not text.isascii():
        raise ValueError(MONEY_FORMAT.en)
    sign, whole, part = match.groups()
    amount = int(whole) * 100 + int((part or "").ljust(2, "0"))
    return -amount if sign else amount
