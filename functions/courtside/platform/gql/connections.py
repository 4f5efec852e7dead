"""Pages at the API: connections with opaque cursors, at most 100 items a page."""

from collections.abc import Callable
from typing import Generic, TypeVar

import strawberry

from courtside.kernel.errors import InvalidInput, Text
from courtside.kernel.paging import MAX_PAGE, Page, PageRequest

Node = TypeVar("Node")
Stored = TypeVar("Stored")


@strawberry.type(description="本页的位置 / Where this page ends.")
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Edge(Generic[Node]):
    node: Node
    cursor: str = strawberry.field(description="从此项之后继续 / Continue after this item.")


@strawberry.type
class Connection(Generic[Node]):
    edges: list[Edge[Node]]
    page_info: PageInfo


def connection(page: Page[Stored], of: Callable[[Stored], Node]) -> Connection[Node]:
    """A page of the domain as a connection; `of` makes the node of an item."""
    edges = [
        Edge(node=of(item), cursor=cursor)
        for item, cursor in zip(page.items, page.cursors, strict=True)
    ]
    end = page.cursors[-1] if page.cursors else None
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.more, end_cursor=end))


def page_request(first: int, after: str | None) -> PageRequest:
    """What a field's `first` and `after` ask for; InvalidInput unless 1 to 100."""
    if not 1 <= first <= MAX_PAGE:
        reason = Text(zh="每页 1 到 100 条", en="1 to 100 a page")
        raise InvalidInput(field="first", reason=reason, path=("first",))
    return PageRequest(first=first, after=after)
