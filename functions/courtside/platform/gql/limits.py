"""How large a document is, and whether that is too large: one walk that visits every node once.

A fragment is measured at its definition and its size is added wherever it is spread, so that the
work is linear in the document however often fragments spread each other. Limiters that follow every
path take 2^n steps for n fragments that spread the next one twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)

from courtside.kernel.errors import Text
from courtside.kernel.paging import MAX_PAGE

PAGE_ARGUMENT = "first"
LONGEST_NUMBER = 8  # digits of a `first` that is worth reading
ENOUGH = 1_000_000  # sizes are not counted beyond this: sums of nested fragments double each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest document that is answered; each bound is inclusive."""

    tokens: int = 1_000
    depth: int = 10
    aliases: int = 15
    fields: int = 400
    cost: int = 20_000


# The editor's introspection nests `ofType` nine deep; it runs in development only.
DEVELOPMENT = Limits(tokens=4_000, depth=24, aliases=60, fields=2_000, cost=100_000)

MESSAGES: Mapping[str, Text] = {
    "tokens": Text(zh="查询超过 {most} 个词法单元。", en="More than {most} tokens."),
    "depth": Text(zh="查询嵌套超过 {most} 层。", en="Nested more than {most} deep."),
    "aliases": Text(zh="查询的别名超过 {most} 个。", en="More than {most} aliases."),
    "fields": Text(zh="查询展开后超过 {most} 个字段。", en="Expands to more than {most} fields."),
    "cost": Text(zh="查询的成本超过 {most}。", en="Costs more than {most}."),
}


class TooLarge(GraphQLError):
    """The document passes a limit; `code` is one of DOCUMENT_DEPTH, DOCUMENT_COST and so on."""

    def __init__(self, name: str, most: int) -> None:
        text = MESSAGES[name]
        message = f"{text.zh} / {text.en}".format(most=most)
        super().__init__(message, extensions={"code": f"DOCUMENT_{name.upper()}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a selection comes to with its fragments expanded.

    `cost` counts each field once for every item of the pages around it: `first` as it is written,
    or the largest page where a variable stands.
    """

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    cost: int = 0


NOTHING = Size()


class Measure:
    """The sizes of one document's operations; `visited` counts selections looked at."""

    def __init__(self, document: DocumentNode) -> None:
        self.visited = 0
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, Size] = {}
        self._operations = [
            node for node in document.definitions if isinstance(node, OperationDefinitionNode)
        ]

    def largest(self) -> Size:
        """The largest of each measure over all operations and all fragments, used or not."""
        sizes = [self._selections(node.selection_set) for node in self._operations]
        sizes += [self._fragment(name) for name in self._fragments]
        return Size(
            depth=max((s.depth for s in sizes), default=0),
            aliases=max((s.aliases for s in sizes), default=0),
            fields=max((s.fields for s in sizes), default=0),
            cost=max((s.cost for s in sizes), default=0),
        )

    def _selections(self, selected: SelectionSetNode | None) -> Size:
        depth = aliases = fields = cost = 0
        for node in () if selected is None else selected.selections:
            self.visited += 1
            if isinstance(node, FieldNode):
                one = self._field(node)
            elif isinstance(node, FragmentSpreadNode):
                one = self._fragment(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                one = self._selections(node.selection_set)
            else:
                raise TypeError(type(node).__name__)
            depth = max(depth, one.depth)
            aliases += one.aliases
            fields += one.fields
            cost += one.cost
        return _capped(depth=depth, aliases=aliases, fields=fields, cost=cost)

    def _field(self, node: FieldNode) -> Size:
        inner = NOTHING if node.selection_set is None else self._selections(node.selection_set)
        return Size(
            depth=inner.depth + 1,
            aliases=inner.aliases + (node.alias is not None),
            fields=inner.fields + 1,
            cost=1 + _page(node) * inner.cost,
        )

    def _fragment(self, name: str) -> Size:
        """A fragment's size; an unknown one, or one within itself, is validation's to refuse."""
        known = self._known.get(name)
        if known is None:
            self._known[name] = NOTHING
            definition = self._fragments.get(name)
            known = NOTHING if definition is None else self._selections(definition.selection_set)
            self._known[name] = known
        return known


def too_large(document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """Every limit that the document passes; nothing if it may go on to validation."""
    size = Measure(document).largest()
    return [
        TooLarge(name, most)
        for name, found, most in (
            ("depth", size.depth, limits.depth),
            ("aliases", size.aliases, limits.aliases),
            ("fields", size.fields, limits.fields),
            ("cost", size.cost, limits.cost),
        )
        if found > most
    ]


def _capped(*, depth: int, aliases: int, fields: int, cost: int) -> Size:
    return Size(
        depth=depth,
        aliases=min(aliases, ENOUGH),
        fields=min(fields, ENOUGH),
        cost=min(cost, ENOUGH),
    )


def _page(node: FieldNode) -> int:
    """How many items the field may answer: the largest `first` among its arguments, or one."""
    return max((_first(one.name.value, one.value) for one in node.arguments or ()), default=1)


def _first(name: str, value: ValueNode) -> int:
    if isinstance(value, ObjectValueNode):
        return max((_first(f.name.value, f.value) for f in value.fields), default=1)
    if name != PAGE_ARGUMENT:
        return 1
    if isinstance(value, IntValueNode) and len(value.value) < LONGEST_NUMBER:
        return max(1, int(value.value))
    return MAX_PAGE
