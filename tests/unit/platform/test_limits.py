"""G-03 and G-04: a document's size is known in linear work, and each limit is exact."""

from itertools import product

import pytest
from graphql import GraphQLError, Lexer, Source, TokenKind, parse
from strawberry.extensions import query_depth_limiter

from courtside.kernel.paging import MAX_PAGE
from courtside.platform.gql.limits import Limits, Measure, Size, too_large

LIMITS = Limits()


def fan_out(fragments: int, spreads: int, *, inline: bool = False, nested: bool = False) -> str:
    """Fragments that each spread the next one `spreads` times: spreads^fragments paths."""
    parts = ["{...F0}"]
    for n in range(fragments):
        one = f"...F{n + 1}"
        if inline:
            one = f"...on Query{{{one}}}"
        if nested:
            one = f"a{{{one}}}"
        parts.append(f"fragment F{n} on Query{{{' '.join([one] * spreads)}}}")
    parts.append(f"fragment F{fragments} on Query{{a}}")
    return " ".join(parts)


def tokens(text: str) -> int:
    lexer, count = Lexer(Source(text)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
    return count


def size(text: str) -> Size:
    return Measure(parse(text)).largest()


def exceeded(text: str, limits: Limits = LIMITS) -> list[str]:
    return [error.extensions["code"] for error in too_large(parse(text), limits)]


BOMBS = [
    fan_out(n, k, inline=inline, nested=nested)
    for n, k, inline, nested in product((5, 20, 40, 95), (2, 3, 6), (False, True), (False, True))
]


class TestFanOut:
    """G-03."""

    @pytest.mark.parametrize("text", [b for b in BOMBS if tokens(b) <= LIMITS.tokens])
    def test_visits_each_selection_once(self, text):
        measure = Measure(parse(text))

        measure.largest()

        assert measure.visited <= 2 * tokens(text)

    @pytest.mark.parametrize("spreads", [2, 6])
    def test_refuses_what_would_be_expanded(self, spreads):
        assert "DOCUMENT_FIELDS" in exceeded(fan_out(20, spreads))

    def test_the_usual_limiter_follows_every_path(self, monkeypatch):
        """The broken twin: strawberry's own limiter, by how often it looks at a node."""
        looked_at = 0
        document, original = parse(fan_out(16, 2)), query_depth_limiter.determine_depth

        def counted(**arguments):
            nonlocal looked_at
            looked_at += 1
            return original(**arguments)

        monkeypatch.setattr(query_depth_limiter, "determine_depth", counted)
        counted(
            node=document.definitions[0],
            fragments={d.name.value: d for d in document.definitions[1:]},
            depth_so_far=0,
            max_depth=1000,
            context=None,
            operation_name="q",
            should_ignore=None,
        )
        measure = Measure(document)
        measure.largest()

        assert looked_at > 100_000
        assert measure.visited < 60

    @pytest.mark.parametrize(
        "text",
        [
            "{...A} fragment A on Query{...A}",
            "{...A} fragment A on Query{...B} fragment B on Query{...A}",
            "{...Missing}",
            "{a{...Missing}}",
            "fragment A on Query{a}",
        ],
    )
    def test_leaves_what_is_no_proper_document_to_validation(self, text):
        assert exceeded(text) == []


def deep(levels: int) -> str:
    return "{" + "a{" * (levels - 1) + "a" + "}" * levels


def aliased(count: int) -> str:
    return "{" + " ".join(f"b{n}:a" for n in range(count)) + "}"


def wide(count: int) -> str:
    return "{" + " ".join(f"f{n}" for n in range(count)) + "}"


def priced(cost: int) -> str:
    """A list of 100 with fields enough that the document costs exactly `cost`."""
    inner, rest = divmod(cost - 1, MAX_PAGE)
    return "{l(first:100){" + "a " * inner + "}" + "a " * rest + "}"


class TestLimits:
    """G-04: accepted at the limit, refused one beyond it."""

    @pytest.mark.parametrize(
        ("code", "make", "limits"),
        [
            ("DOCUMENT_DEPTH", deep, Limits(depth=10)),
            ("DOCUMENT_ALIASES", aliased, Limits(aliases=15)),
            ("DOCUMENT_FIELDS", wide, Limits(fields=500)),
            ("DOCUMENT_COST", priced, Limits(cost=1_000)),
        ],
    )
    def test_is_exact(self, code, make, limits):
        name = code.removeprefix("DOCUMENT_").lower()
        most = getattr(limits, name)

        assert exceeded(make(most), limits) == []
        assert exceeded(make(most + 1), limits) == [code]

    def test_measures_every_operation(self):
        assert exceeded("query A{a} query B" + deep(11)) == ["DOCUMENT_DEPTH"]

    def test_measures_fragments_that_nobody_spreads(self):
        assert exceeded("{a} fragment F on Query" + deep(11)) == ["DOCUMENT_DEPTH"]

    def test_counts_what_fragments_add_where_they_are_spread(self):
        text = "{x{...F} y{...F}} fragment F on Query{a b:c}"

        assert size(text) == Size(depth=2, aliases=2, fields=6, cost=6)

    def test_takes_the_largest_page_for_a_variable(self):
        assert size("query($n:Int){l(first:$n){a}}").cost == 1 + MAX_PAGE

    @pytest.mark.parametrize("written", ["99999999999999999999", "1e3", '"5"', "null"])
    def test_takes_the_largest_page_for_what_is_no_usual_number(self, written):
        assert size(f"{{l(first:{written}){{a}}}}").cost == 1 + MAX_PAGE

    def test_finds_a_page_within_an_input_object(self):
        assert size("{l(input:{page:{first:50}}){a}}").cost == 51

    def test_nested_pages_multiply(self):
        assert size("{l(first:10){m(first:20){a}}}").cost == 1 + 10 * (1 + 20)

    @pytest.mark.parametrize("name", ["__schema", "__type", "__typename"])
    def test_a_name_with_underscores_changes_nothing(self, name):
        """GHSA-733v: a fragment, an alias or a field of such a name was once not counted."""
        spread = f"{{...{name}}} fragment {name} on Query{{{'a ' * 501}}}"

        assert exceeded(spread) == ["DOCUMENT_FIELDS"]
        assert exceeded(f"{{{name}:a{{{'a ' * 501}}}}}") == ["DOCUMENT_FIELDS"]

    def test_messages_are_in_both_languages(self):
        (error,) = too_large(parse(deep(11)), LIMITS)

        assert isinstance(error, GraphQLError)
        assert error.message == "查询嵌套超过 10 层。 / Nested more than 10 deep."
