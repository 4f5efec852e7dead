"""A grid's cell: several dishes, each perhaps with its price and portions."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from courtside.kernel.errors import Text
from courtside.modules.meals.rules.menu_sheets.words import (
    NOBODY_EATS,
    Wrong,
    name_of,
    plain,
    portions_of,
    price_of,
    tight,
)

# Numbers are bounded and begin after no digit: matching stays linear on any text.
_AMOUNT = r"(?<![\d.])\d{1,9}(?:\.\d{1,9})?"
_EACH = re.compile(rf"(¥ ?{_AMOUNT}|{_AMOUNT} ?元?) ?/ ?[份个碗只盘例位人]")
_NUMBERING = re.compile(r"(?:^|(?<=[\s、,;]))\(?\d{1,2}(?:[、)]|\.(?!\d))\s*")
_SEPARATORS = "、,;/"
_ATTRIBUTE = re.compile(
    rf"(?P<price>¥ ?{_AMOUNT} ?元?|{_AMOUNT} ?元)"
    r"|(?P<portions>(?<![\d.])\d{1,9} ?份|[x×*] ?\d{1,9}(?![.\d]))"
)
_BETWEEN = f" {_SEPARATORS}每"
_BLANKS = str.maketrans(dict.fromkeys(_BETWEEN, " "))
_BLANK = re.compile(r"[^\S\n]+")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_BARE_NUMBER = re.compile(r"(?:^|(?<=[^\x00-\x7f]))\d+(?:\.\d+)?$")

Known = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One dish of a cell, as far as the cell says."""

    name: str
    price_fen: int | None = None
    portions: int | None = None


def pieces_of(text: str, known: Known) -> tuple[list[Piece], list[Text]]:
    """The dishes of a cell and what is ambiguous in it.

    Dishes are separated by line breaks or one of 、,,;;/ and, where that is unambiguous, by
    blanks. `known` tells whether the dish list has a name.
    """
    if tight(text) in NOBODY_EATS:
        return [], []
    pieces: list[Piece] = []
    wrong: list[Text] = []
    for segment in _joined(_each_price(_BLANK.sub(" ", plain(text)))):
        try:
            pieces.extend(_dishes(segment, known))
        except Wrong as error:
            wrong.append(error.text)
    return pieces, wrong


def _joined(text: str) -> list[str]:
    """The cell's segments. One that is only a price or portions belongs to the name beside it or
    on the line above, if there is just one; otherwise it stays alone, and is an error later."""
    lines: list[list[str]] = []
    for line in text.split("\n"):
        parts = [part.strip() for part in _segments(line) if part.strip()]
        names = [part for part in parts if not _is_attribute(part)]
        alone = [part for part in parts if _is_attribute(part)]
        if alone and len(names) == 1:
            lines.append([" ".join((*names, *alone))])
        elif alone and not names and lines and len(lines[-1]) == 1:
            lines[-1] = [" ".join((*lines[-1], *alone))]
        elif parts:
            lines.append(parts)
    return [segment for line in lines for segment in line]


def _is_attribute(part: str) -> bool:
    return not _ATTRIBUTE.sub("", part).strip(" ()")


def _each_price(text: str) -> str:
    """`12元/份` without its slash, and `1.` before a dish as the line break that it stands for."""
    text = _EACH.sub(lambda m: m[1] if m[1][0] == "¥" or m[1][-1] == "元" else f"{m[1]}元", text)
    return _NUMBERING.sub("\n", text)


def _segments(text: str) -> Iterator[str]:
    """Parts between separators that do not stand in brackets."""
    depth, part = 0, ""
    for char in text:
        depth += (char == "(") - (char == ")")
        if char in _SEPARATORS and depth <= 0:
            yield part
            part = ""
        else:
            part += char
    yield part


def _dishes(segment: str, known: Known) -> Iterator[Piece]:
    """The dishes of one segment: names, each followed by its own price and portions.

    Where there is one name, they may stand before it as well.
    """
    if not segment.strip():
        return
    groups = list(_groups(_BRACKETS.sub(_opened, segment)))
    if not groups[0].name and len(groups) == 2:  # noqa: PLR2004 - attributes, then the one name
        groups = [_Group(groups[1].name, [*groups[0].told, *groups[1].told])]
    for group in groups:
        names = _names(group.name, known) if group.name else []
        if not names or (len(names) > 1 and group.told):
            raise Wrong(_unclear(segment))
        for name in names:
            _check_number(name, known, stands_in=group.name)
        yield from _told(names, group.told)


@dataclass(frozen=True, slots=True)
class _Group:
    """A stretch of names and the prices and portions that follow it."""

    name: str
    told: list[re.Match[str]]


def _groups(text: str) -> Iterator[_Group]:
    name, told, end = "", list[re.Match[str]](), 0
    for match in _ATTRIBUTE.finditer(text):
        between = text[end : match.start()].strip()
        if between and told:
            yield _Group(name, told)
            told = []
        name = between or name
        told.append(match)
        end = match.end()
    rest = text[end:].strip()
    if told or not rest:
        yield _Group(name, told)
    if rest:
        yield _Group(rest, [])


def _opened(match: re.Match[str]) -> str:
    """Brackets that hold nothing but price and portions open; others belong to the name."""
    left = _ATTRIBUTE.sub("", match[1])
    opens = left != match[1] and not left.strip(_BETWEEN)
    return f" {match[1].translate(_BLANKS)} " if opens else match[0]


def _names(text: str, known: Known) -> list[str]:
    """One name, or several that blanks separate; Wrong if it could be either."""
    words = text.split()
    if len(words) == 1 or text.isascii():
        return [" ".join(words)]
    for word in words:
        _check_number(word, known, stands_in=text)
    joined, each = known("".join(words)), all(known(word) for word in words)
    if joined == each:
        raise Wrong(_unclear(text))
    return ["".join(words)] if joined else words


def _told(names: list[str], told: list[re.Match[str]]) -> Iterator[Piece]:
    prices = [match["price"] for match in told if match["price"]]
    portions = [match["portions"] for match in told if match["portions"]]
    if len(prices) > 1 or len(portions) > 1:
        raise Wrong(_twice(names[0]))
    for name in names:
        yield Piece(
            name=name_of(name),
            price_fen=price_of(prices[0]) if prices else None,
            portions=portions_of(portions[0]) if portions else None,
        )


def _check_number(name: str, known: Known, *, stands_in: str) -> None:
    bare = _BARE_NUMBER.search(name)
    if bare is not None and not name.startswith("=") and not known(name):
        raise Wrong(
            Text(
                zh=f"“{stands_in[:20]}”里的数字 {bare[0]} 是单价还是份数?请写成“{bare[0]}元”或"
                f"“{bare[0]}份”。",
                en=f"Is {bare[0]} in “{stands_in[:20]}” a price or a number of portions? Write "
                f"“{bare[0]}元” or “{bare[0]}份”.",
            )
        )


def _unclear(text: str) -> Text:
    told = text.strip()[:30]
    return Text(
        zh=f"“{told}”:看不出是一道菜还是几道菜。请每道菜另起一行,或用“、”隔开,价格写在菜名后面。",
        en=f"“{told}”: one dish or several? Put each on a line of its own or separate them by 、, "
        "with the price after the name.",
    )


def _twice(name: str) -> Text:
    return Text(
        zh=f"“{name[:20]}”写了两个单价或两个份数。",
        en=f"“{name[:20]}” has two prices or two numbers of portions.",
    )
