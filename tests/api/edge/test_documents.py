"""G-01 and G-02: known clients run what is registered, and nothing else is even parsed."""

import random
from hashlib import sha256

import pytest

from courtside.platform.gql import documents as documents_module
from courtside.platform.gql.documents import PREFIX, document_id_of
from courtside.platform.signals import Signal
from testkit.graphql import Client, serve

from .conftest import NOW_DOCUMENT

SEED = 20260302


def mutated(text: str, chance: random.Random) -> str:
    """The registered text with a few characters changed."""
    characters = list(text)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(characters))
        characters[at] = chance.choice(" {}abcXYZ#\n\t,$!中")
    return "".join(characters)


@pytest.fixture
def parsed(monkeypatch) -> list[str]:
    """Every text that reaches the parser."""
    texts: list[str] = []
    parse = documents_module.parse

    def recorded(text, **options):
        texts.append(text)
        return parse(text, **options)

    monkeypatch.setattr(documents_module, "parse", recorded)
    return texts


class TestTrustedDocuments:
    async def test_runs_a_registered_operation_by_its_id(self, phone, watched):
        answer = await phone.trusted(NOW_DOCUMENT)

        assert answer.status == 200
        assert answer.data == {"serverNow": "2026-03-02T09:00:00.000+08:00"}
        assert watched.lines[-1].operation == "ServerNow"

    async def test_refuses_five_hundred_documents_of_a_known_clients_own(
        self, phone, watched, parsed
    ):
        """G-01."""
        chance = random.Random(SEED)
        sent = [NOW_DOCUMENT, *(mutated(NOW_DOCUMENT, chance) for _ in range(499))]

        answers = [await phone.run(text) for text in sent]

        assert {answer.status for answer in answers} == {403}
        assert {code for answer in answers for code in answer.codes} == {"DOCUMENT_NOT_TRUSTED"}
        assert parsed == []
        assert watched.counts[Signal.DOCUMENT_REFUSED] == 500

    async def test_refuses_documents_of_somebody_unknown(self, anybody, parsed):
        answer = await anybody.run("{serverNow}")

        assert (answer.status, answer.codes) == (403, ["DOCUMENT_NOT_TRUSTED"])
        assert parsed == []

    @pytest.mark.parametrize(
        "document_id",
        [
            "",
            "ServerNow",
            sha256(NOW_DOCUMENT.encode()).hexdigest(),
            PREFIX,
            PREFIX + "0" * 64,
            PREFIX + "../manifest.json",
            PREFIX.upper() + sha256(NOW_DOCUMENT.encode()).hexdigest(),
            document_id_of(NOW_DOCUMENT) + " ",
            document_id_of(NOW_DOCUMENT).upper(),
            "x" * 10_000,
            "编号",
        ],
    )
    async def test_refuses_an_unknown_id_without_repeating_it(
        self, phone, watched, parsed, document_id
    ):
        """G-02."""
        answer = await phone.post({"documentId": document_id})

        assert (answer.status, answer.codes) == (404, ["DOCUMENT_UNKNOWN"])
        assert document_id == "" or document_id not in answer.raw.decode()
        assert parsed == []
        assert watched.counts[Signal.DOCUMENT_REFUSED] == 1

    async def test_refuses_an_id_together_with_a_document(self, web):
        body = {"documentId": document_id_of(NOW_DOCUMENT), "query": "{serverNow}"}

        answer = await web.post(body)

        assert (answer.status, answer.codes) == (400, ["BODY_INVALID"])

    async def test_a_file_that_was_changed_after_it_was_registered_is_a_fault(
        self, phone, watched, tmp_path
    ):
        (tmp_path / "operations" / "phone" / "ServerNow.graphql").write_text("{serverNow}")

        answer = await phone.trusted(NOW_DOCUMENT)

        assert (answer.status, answer.codes) == (500, ["INTERNAL"])
        assert len(watched.faults) == 1

    async def test_looks_at_a_document_once(self, phone, parsed):
        for _ in range(50):
            await phone.trusted(NOW_DOCUMENT)

        assert len(parsed) == 1


class TestDocumentsOfOnesOwn:
    async def test_runs_for_a_client_with_the_grant(self, web, watched):
        answer = await web.run("query Anything {serverNow}")

        assert answer.status == 200
        assert watched.lines[-1].operation == "ad_hoc"

    async def test_runs_for_anybody_in_development(self, app):
        view, _ = serve(app, development=True)

        assert (await Client(view=view).run("{serverNow}")).status == 200

    @pytest.mark.parametrize("asked", ["{__schema{types{name}}}", '{__type(name:"Query"){name}}'])
    async def test_shows_the_schema_only_in_development(self, app, web, asked):
        view, _ = serve(app, development=True)

        refused = await web.run(asked)
        shown = await Client(view=view).run(asked)

        assert (refused.status, refused.codes) == (400, ["DOCUMENT_INVALID"] * len(refused.codes))
        assert shown.status == 200

    async def test_suggests_nothing(self, web):
        answer = await web.run("{serverNov}")

        assert answer.codes == ["DOCUMENT_INVALID"]
        assert "Did you mean" not in answer.raw.decode()

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("{", "DOCUMENT_SYNTAX"),
            ("{serverNow}" * 2, "DOCUMENT_INVALID"),
            ("query A{serverNow} query B{serverNow}", "OPERATION_NAME"),
            ("fragment F on Query{serverNow}", "DOCUMENT_INVALID"),
            ("{serverNow @skip(if:" + "[" * 450 + "]" * 450 + ")}", "DOCUMENT_DEPTH"),
            ("{serverNow @skip(if:" + "[" * 90 + "]" * 90 + ")}", "DOCUMENT_INVALID"),
            ("query A{serverNow} {serverNow}", "DOCUMENT_INVALID"),
            ("{" + "a{" * 11 + "a" + "}" * 12, "DOCUMENT_DEPTH"),
            ("{" + "a " * 1_000 + "}", "DOCUMENT_TOKENS"),
            ("{" + "a{" * 400 + "a" + "}" * 401, "DOCUMENT_DEPTH"),
            ("{...A} fragment A on Query{...A}", "DOCUMENT_INVALID"),
            ("{...Missing}", "DOCUMENT_INVALID"),
            ("subscription {serverNow}", "DOCUMENT_INVALID"),
            ("query($n:Int!){serverNow @include(if:$n)}", "DOCUMENT_INVALID"),
            ("query($a:Boolean!){serverNow @include(if:$a)}", "BAD_INPUT"),
        ],
    )
    async def test_answers_400_to_what_does_not_execute(self, web, text, code):
        answer = await web.run(text)

        assert answer.status == 400
        assert answer.codes[0] == code
        assert "data" not in answer.body
        assert "correlation" not in answer.raw.decode()

    async def test_answers_200_to_the_same_with_the_older_media_type(self, web):
        web.accept = "application/json"

        answer = await web.run("{nothing}")

        assert (answer.status, answer.codes) == (200, ["DOCUMENT_INVALID"])
        assert answer.headers["content-type"] == "application/json"

    @pytest.mark.parametrize(("name", "status"), [("A", 200), ("C", 400), ("", 400), (None, 400)])
    async def test_runs_the_operation_that_is_named(self, web, name, status):
        body = {"query": "query A{serverNow} query B{serverNow}", "operationName": name}

        assert (await web.post(body)).status == status
