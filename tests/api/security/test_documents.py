"""G-07 to G-10: documents made to cost much, to slip past a limit, or to ask the schema about
itself, sent to the API as it is deployed."""

import random
import re
import time
from typing import Any

import graphql.validation.rules.overlapping_fields_can_be_merged as overlapping
import pytest
from graphql import is_enum_type, is_input_object_type, is_object_type, parse

from courtside.entrypoints.schema import schema
from courtside.platform.gql.documents import MOST_ERRORS, Preparation
from courtside.platform.gql.limits import Limits, too_large
from testkit.factories.living import ROOT
from testkit.factories.people import COURT
from testkit.figures import record
from testkit.graphql import Answer, Client, serve, sign_in

GRAPHQL = schema._schema
LIMITS = Limits()
COMPARISONS = 150_000  # of fields, in the worst document that the limits let through
PROTOCOL = {"errors", "message", "extensions", "locations"}  # of every answer with errors
PERSONS = "{persons(first:%s){edges{node{name}}}}"


@pytest.fixture
def door(living):
    return serve(living.court.app)


@pytest.fixture
def web(living, door) -> Client:
    """A client that was granted documents of its own."""
    return sign_in(living.court.app, door[0], ROOT, court=COURT)


@pytest.fixture
def phone(living, door) -> Client:
    """A client that was not."""
    return sign_in(living.court.app, door[0], ROOT, court=COURT, client="phone")


def repeated(part: str, count: int) -> str:
    return "{" + " ".join([part] * count) + "}"


def fragments(count: int, *, each: str) -> str:
    """Fragments of the same type that all meet in one selection."""
    spreads = " ".join(f"...F{n}" for n in range(count))
    parts = " ".join(f"fragment F{n} on Query {{ {each} }}" for n in range(count))
    return f"{{ {spreads} }} {parts}"


def conflicting(count: int) -> str:
    """Inline fragments whose fields all have one name and other arguments."""
    part = "... on Query {{ persons(first:{}) {{ edges {{ node {{ name }} }} }} }}"
    return "{" + " ".join(part.format(n + 1) for n in range(count)) + "}"


def nested(count: int) -> str:
    """The same nested selection again and again: each pair is compared, and all within it."""
    return repeated("me { person { unit { id name } grants { role } } court { id } }", count)


WORST = {
    "one field, again and again": repeated("serverNow", LIMITS.fields),
    "the same nested fields": nested(36),
    "fragments of one field": fragments(95, each="serverNow"),
    "fragments of nested fields": fragments(60, each="me { court { id } }"),
    "inline fragments in conflict": conflicting(45),
    "inline fragments in inline fragments": "{"
    + "... on Query {" * 60
    + "serverNow"
    + "}" * 60
    + " "
    + "... on Query { serverNow } " * 100
    + "}",
    "one alias, two fields": "{" + "a: serverNow " * 8 + "a: units { id } " * 7 + "}",
    "fragments that spread the next twice": "{ ...F0 } "
    + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(100))
    + " fragment F100 on Query { serverNow }",
}


class TestValidation:
    """G-07."""

    @pytest.mark.parametrize("name", WORST)
    def test_compares_no_more_fields_than_it_may(self, name, monkeypatch):
        compared = 0
        find = overlapping.find_conflict

        def counted(*given: Any) -> Any:
            nonlocal compared
            compared += 1
            return find(*given)

        monkeypatch.setattr(overlapping, "find_conflict", counted)
        began = time.perf_counter()
        Preparation(development=False).prepare(schema, WORST[name], None)

        assert compared <= COMPARISONS
        milliseconds = round((time.perf_counter() - began) * 1000)
        record("G-07", f"{name}: comparisons, ms", f"{compared}, {milliseconds}")

    def test_without_limits_would_compare_many_more(self):
        """What the bounds are for: the same shapes, ten times as long, are refused unvalidated."""
        longer = {
            "field": repeated("serverNow", 4_000),
            "nested": nested(360),
            "conflicting": conflicting(450),
        }

        for text in longer.values():
            (error,) = Preparation(development=False).prepare(schema, text, None).errors
            assert error.extensions["code"] == "DOCUMENT_TOKENS"

    async def test_tells_a_handful_of_errors(self, web):
        answer = await web.run("{" + " ".join(f"nothing{n}" for n in range(300)) + "}")

        assert answer.codes == ["DOCUMENT_INVALID"] * MOST_ERRORS


class TestProbes:
    """G-08: the twelve probes of graphql-cop, each negative."""

    async def test_alias_overloading(self, web):
        answer = await web.run("{" + " ".join(f"a{n}:__typename" for n in range(101)) + "}")

        assert (answer.status, answer.codes) == (400, ["DOCUMENT_ALIASES"])

    async def test_batching(self, web):
        answer = await web.post([{"query": "{__typename}"}] * 10)

        assert (answer.status, answer.codes) == (400, ["BATCH"])

    @pytest.mark.parametrize("document", ["{__typename}", "mutation{__typename}"])
    async def test_get_query_and_get_mutation(self, web, document):
        answer = await web.send(f"query={document}".encode(), method="GET")

        assert (answer.status, answer.codes) == (405, ["METHOD"])

    async def test_urlencoded_post(self, web):
        headers = {"content-type": "application/x-www-form-urlencoded"}

        answer = await web.send(b"query=%7B__typename%7D", headers=headers)

        assert (answer.status, answer.codes) == (415, ["MEDIA_TYPE"])

    @pytest.mark.parametrize("document", ["{__typename}", "{nothing}", "{"])
    async def test_trace_and_debug(self, web, document):
        answer = await web.run(document)

        assert answer.body.keys() <= {"data", "errors"}
        assert not re.search(
            rb'(?i)"(tracing|stack|exception|debug|extensions":{[^}]*time)', answer.raw
        )

    async def test_field_duplication(self, web):
        answer = await web.run(repeated("__typename", 500))

        assert (answer.status, answer.codes) == (400, ["DOCUMENT_FIELDS"])

    async def test_field_suggestions(self, web):
        answer = await web.run("{ unit serverNo { me } }")

        assert b"Did you mean" not in answer.raw
        assert b"units" not in answer.raw
        assert b"serverNow" not in answer.raw

    async def test_graphiql(self, web):
        answer = await web.send(b"", method="GET", headers={"accept": "text/html"})

        assert answer.status in (405, 406)
        assert b"<html" not in answer.raw.lower()

    async def test_introspection(self, web):
        answer = await web.run("{__schema{types{name fields{name}}}}")

        assert (answer.status, set(answer.codes)) == (400, {"DOCUMENT_INVALID"})

    async def test_circular_introspection(self, web):
        inner = "fields{name type{" * 4 + "name" + "}}" * 4
        answer = await web.run(f"{{__schema{{types{{{inner}}}}}}}")

        assert answer.status == 400
        assert "data" not in answer.body

    @pytest.mark.parametrize("directive", ["@aa", "@include(if:true)", "@skip(if:false)"])
    async def test_directive_overloading(self, web, directive):
        answer = await web.run("{__typename " + f"{directive} " * 10 + "}")

        assert answer.status == 400
        assert len(answer.codes) <= MOST_ERRORS

    async def test_450_directives(self, web):
        answer = await web.run("{__typename " + "@include(if:true) " * 450 + "}")

        assert (answer.status, answer.codes) == (400, ["DOCUMENT_TOKENS"])

    @pytest.mark.parametrize(
        "document",
        [
            "{serverNow} {serverNow}",
            "query A{serverNow} query A{serverNow}",
            "{serverNow} query A{serverNow}",
        ],
    )
    async def test_doubled_operations(self, web, document):
        answer = await web.run(document)

        assert answer.status == 400
        record("G-08", "graphql-cop probes negative", "12 of 12")


MANY = " ".join(f"a{n}:serverNow" for n in range(20))
BYPASSES: dict[str, dict[str, Any]] = {
    "a fragment named __schema": {
        "query": f"{{...__schema}} fragment __schema on Query {{{MANY}}}"
    },
    "a fragment named __type": {"query": f"{{...__type}} fragment __type on Query {{{MANY}}}"},
    "a fragment named on-like": {"query": f"{{...One}} fragment One on Query {{{MANY}}}"},
    "an operation named __schema": {"query": f"query __schema {{{MANY}}}"},
    "an operation named IntrospectionQuery": {"query": f"query IntrospectionQuery {{{MANY}}}"},
    "an alias named __schema": {"query": f"{{__schema:serverNow {MANY}}}"},
    "aliases within inline fragments": {"query": f"{{... on Query {{{MANY}}}}}"},
    "aliases without a type condition": {"query": f"{{... {{{MANY}}}}}"},
    "aliases behind @include false": {"query": f"{{... @include(if:false) {{{MANY}}}}}"},
    "aliases behind @skip": {"query": f"{{... @skip(if:true) {{{MANY}}}}}"},
    "aliases in an unused fragment": {"query": f"{{serverNow}} fragment F on Query {{{MANY}}}"},
    "another operation is meant": {
        "query": f"query Small{{serverNow}} query Large{{{MANY}}}",
        "operationName": "Small",
    },
    "the other operation is meant": {
        "query": f"query Small{{serverNow}} query Large{{{MANY}}}",
        "operationName": "Large",
    },
    "aliases spread over two fragments": {
        "query": "{...A ...B} "
        f"fragment A on Query {{{' '.join(f'a{n}:serverNow' for n in range(10))}}} "
        f"fragment B on Query {{{' '.join(f'b{n}:serverNow' for n in range(10))}}}"
    },
    "fragments that double": {
        "query": "{...F0} "
        + " ".join(f"fragment F{n} on Query {{...F{n + 1} ...F{n + 1}}}" for n in range(20))
        + " fragment F20 on Query {serverNow}"
    },
    "first in a variable": {
        "query": "query($n:Int!){" + PERSONS[1:-1] % "$n" + "}",
        "variables": {"n": 101},
    },
    "first in a variable's default": {"query": "query($n:Int!=101){" + PERSONS[1:-1] % "$n" + "}"},
    "first of 101": {"query": PERSONS % 101},
    "first of -1": {"query": PERSONS % -1},
    "first beyond 32 bits": {"query": PERSONS % (2**31)},
    "first of ten digits more": {"query": PERSONS % 10**30},
    "introspection in a fragment": {
        "query": "{...F} fragment F on Query {__schema{queryType{name}}}"
    },
    "introspection inline": {"query": '{... on Query {__type(name:"Query"){name}}}'},
    "introspection under an alias": {"query": "{a:__schema{queryType{name}}}"},
    "introspection in an unused operation": {
        "query": "query A{serverNow} query B{__schema{queryType{name}}}",
        "operationName": "A",
    },
    "introspection behind @skip": {"query": "{serverNow __schema @skip(if:true){queryType{name}}}"},
    "fields through an interface": {
        "query": "mutation M($i:AddUnitInput!){addUnit(input:$i){errors{"
        + " ".join(f"... on PlainError {{a{n}:code}}" for n in range(20))
        + "}}}"
    },
}


class TestBypasses:
    """G-09: the limits hold whatever things are called and wherever they stand."""

    @pytest.mark.parametrize("name", BYPASSES)
    async def test_does_not_pass(self, web, name):
        answer = await web.post(BYPASSES[name])

        data = answer.body.get("data") or {}
        assert answer.codes != []
        assert not any(data.values())
        assert set(answer.codes) <= {
            "DOCUMENT_ALIASES",
            "DOCUMENT_FIELDS",
            "DOCUMENT_COST",
            "DOCUMENT_INVALID",
            "INVALID_INPUT",
        }
        record("G-09", "bypasses", f"0 of {len(BYPASSES)}")

    def test_tries_at_least_twenty_five(self):
        assert len(BYPASSES) >= 25

    def test_refuses_by_a_limit_and_not_by_a_slip_of_the_document(self):
        """Each bomb is valid GraphQL: were it smaller, it would run."""
        bombs = [one["query"] for one in BYPASSES.values() if MANY in one["query"]]

        for text in bombs:
            small = text.replace(MANY, "a0:serverNow")
            assert too_large(parse(small), LIMITS) == []
            assert too_large(parse(text), LIMITS) != []


def names_of_the_schema() -> set[str]:
    """Names that nobody guesses: of fields, arguments and values, no common words."""
    found: set[str] = set()
    for kind in GRAPHQL.type_map.values():
        if kind.name.startswith("__"):
            continue
        found.add(kind.name)
        if is_object_type(kind) or is_input_object_type(kind):
            found |= set(kind.fields)
        if is_enum_type(kind):
            found |= set(kind.values)
    return {name for name in found if len(name) > 4} - PROTOCOL


def misspelt(name: str, chance: random.Random) -> str:
    """Nearly that name, and no other one."""
    at = chance.randrange(1, len(name))
    near = (name[:at] + name[at + 1 :], name[:at] + "x" + name[at:], name + "s")
    return chance.choice([one for one in near if one not in names_of_the_schema()])


def leaks(answer: Answer, sent: str) -> set[str]:
    """Names of the schema that the answer says and the document did not."""
    said = set(re.findall(r"\w+", answer.raw.decode()))
    return (said & names_of_the_schema()) - set(re.findall(r"\w+", sent))


class TestSecrecy:
    """G-10: the API as it is deployed does not describe itself."""

    async def test_says_no_name_to_a_known_client(self, phone):
        chance = random.Random(10)
        names = sorted(names_of_the_schema())

        for n in range(1_000):
            text = f"{{ {misspelt(names[n % len(names)], chance)} }}"
            answer = await phone.run(text)

            assert answer.codes == ["DOCUMENT_NOT_TRUSTED"]
            assert leaks(answer, text) == set()

    async def test_suggests_no_name_to_a_client_with_documents_of_its_own(self, web):
        """A type's name stands in its own fields' errors; no field, argument or value does."""
        chance = random.Random(11)
        names = sorted(names_of_the_schema() - set(GRAPHQL.type_map))
        told: set[str] = set()

        for n in range(1_000):
            name = misspelt(names[n % len(names)], chance)
            within = ["{{ {} }}", "{{ me {{ person {{ {} }} }} }}", "{{ units({}:1) {{ id }} }}"]
            text = within[n % 3].format(name)
            answer = await web.run(text)
            told |= leaks(answer, text) - set(GRAPHQL.type_map)

        assert told == set()
        record("G-10", "schema names told in fuzzed answers", "0 of 2000")
