"""Pages of a list: what is asked for and what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
MAX_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """The first `first` things after `after`, an opaque cursor of an earlier page."""

    first: int = 20
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """`cursors[i]` continues after `items[i]`; `more` tells whether anything follows."""

    items: Sequence[T]
    cursors: Sequence[str]
    more: bool
