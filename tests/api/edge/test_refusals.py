"""What a refusal leaves behind: its log line, its one audit entry a minute, and nothing else."""

import pytest
from infra.memory.engine import Faults

from courtside.kernel.actor import Principal
from courtside.kernel.errors import Busy, NotPermitted
from courtside.platform.dynamo.audit import JournalRefusals
from courtside.platform.dynamo.journal import from_item
from courtside.platform.observability import Line
from courtside.platform.signals import Signal
from testkit.signals import RecordedSignals

WHO = Principal(court="BJ01", person="P1", client="web")
REFUSED = NotPermitted(operation="meals.place_order")


def entries(app):
    return [from_item(record["dynamodb"]["NewImage"]) for record in app.engine.stream("journal")]


@pytest.fixture
def signals() -> RecordedSignals:
    return RecordedSignals()


@pytest.fixture
def refusals(app, signals) -> JournalRefusals:
    return JournalRefusals(app.app.database, signals)


class TestAuditOfRefusals:
    async def test_leaves_one_entry_with_code_operation_and_person(self, app, refusals):
        await refusals.record(WHO, "meals.place_order", REFUSED)

        (entry,) = entries(app)
        assert entry.key.pk == "BJ01#J#web~P1#R#NOT_PERMITTED#20260302T0100Z"
        assert (entry.result.kind, entry.result.id) == ("Refusal", "meals.place_order")
        assert (entry.changes, entry.movements, entry.facts, entry.job) == ((), (), (), None)

    async def test_counts_those_after_the_first_of_a_minute(self, app, refusals, signals):
        for operation in ("meals.place_order", "meals.cancel_order", "meals.place_order"):
            await refusals.record(WHO, operation, REFUSED)

        assert len(entries(app)) == 1
        assert signals.counts == {Signal.REFUSAL_REPEATED: 2}

    async def test_leaves_another_in_the_next_minute_and_for_another_person(self, app, refusals):
        await refusals.record(WHO, "meals.place_order", REFUSED)
        app.clock.advance(minutes=1)
        await refusals.record(WHO, "meals.place_order", REFUSED)
        other = Principal(court="BJ01", person="P2", client="web")
        await refusals.record(other, "meals.place_order", REFUSED)

        assert len({entry.key for entry in entries(app)}) == 3

    async def test_fails_closed(self, app, refusals):
        app.engine.faults = Faults(throttled=1.0)

        with pytest.raises(Busy):
            await refusals.record(WHO, "meals.place_order", REFUSED)

        assert entries(app) == []


class TestRefusedAtTheApi:
    async def test_a_stranger_to_the_court_is_refused_and_recorded_once(self, app, web, watched):
        first = await web.run("{me{person{id}}}")
        second = await web.run("{me{person{id}}}")

        assert (first.codes, second.codes) == (["NOT_PERMITTED"], ["NOT_PERMITTED"])
        (entry,) = entries(app)
        assert entry.operation == "R"
        assert watched.counts[Signal.REFUSAL_REPEATED] == 1

    async def test_nobody_leaves_no_entry(self, app, anybody, served):
        from testkit.graphql import Client, serve

        view, _ = serve(app, development=True)
        answer = await Client(view=view).run("{me{person{id}}}")

        assert answer.codes == ["NOT_SIGNED_IN"]
        assert entries(app) == []


class TestLogLine:
    async def test_has_codes_and_random_ids_only(self, web, watched):
        await web.run(
            "query 张三($a:Boolean){me{person{name}} serverNow @skip(if:$a)}", {"a": True}
        )

        (line,) = watched.lines
        client, _, person = line.principal.partition("~")
        assert line == Line(
            operation="ad_hoc",
            principal=line.principal,
            outcome="DOCUMENT_SYNTAX",
            status=400,
            milliseconds=0.0,
            calls=0,
            rounds=0,
            attempts=0,
            correlation=line.correlation,
        )
        assert (client, len(person)) == ("web", 20)

    async def test_counts_what_storage_did(self, web, watched):
        await web.run("{me{person{name}}}")

        (line,) = watched.lines
        assert line.outcome == "NOT_PERMITTED"
        assert (line.calls, line.attempts) == (2, 1)

    async def test_of_a_request_without_a_document(self, anybody, watched):
        await anybody.send(b"[]")

        (line,) = watched.lines
        assert (line.operation, line.principal, line.outcome) == ("unread", "-", "BATCH")
