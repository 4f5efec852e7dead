"""O-05: what is wrong with a release stops it, before its first request."""

import asyncio
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from courtside import bootstrap
from courtside.entrypoints import graphql_http
from courtside.entrypoints.graphql_http import checks, operations_folder
from courtside.entrypoints.pre_traffic import PreTraffic
from courtside.platform import probe
from courtside.platform.dynamo.engine import EngineFault, Throttled, Unanswered
from courtside.platform.gql.documents import MANIFEST, TrustedDocuments, document_id_of
from courtside.platform.probe import probed
from courtside.platform.settings import from_environment
from courtside.platform.signals import Signal
from testkit.signals import RecordedSignals

SOUND = {"COURTSIDE_STAGE": "prod", "AWS_REGION": "cn-north-1"}
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}


class Release:
    """A release of the API on a test's application; defects are done to it."""

    def __init__(self, app, folder: Path) -> None:
        self.app = app.app
        self.environment = dict(SOUND)
        self.folder = folder
        self.fetch = None
        shutil.copytree(operations_folder(), folder)

    def issued(self, **changed):
        """With one issuer, changed so."""
        (issuer,) = self.app.settings.issuers
        self._settings(issuers=({**issuer, **changed},))

    def _settings(self, **changed):
        base = self.app.foundation
        settings = replace(base.settings, **changed)
        self.app = replace(self.app, foundation=replace(base, settings=settings))

    def without_issuers(self):
        self._settings(issuers=())

    def broken(self, table, error):
        """Reads of that table fail so."""
        self._engine(Broken(self.app.foundation.engine, table, error))

    def _engine(self, engine):
        self.app = replace(self.app, foundation=replace(self.app.foundation, engine=engine))

    def keyless(self):
        class Keys:
            def digest(self, court, purpose, data):
                raise LookupError(court)

        self.app = replace(self.app, foundation=replace(self.app.foundation, keys=Keys()))

    def document(self, text, *, known=True):
        """One document more, which the manifest knows by its text or by another."""
        (self.folder / "phone" / "New.graphql").write_text(text, "utf-8")
        manifest = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        digest = document_id_of(text if known else text + " ").removeprefix("sha256:")
        manifest[digest] = "phone/New.graphql"
        (self.folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")

    def lost(self, name):
        (self.folder / name).unlink()

    async def failed(self):
        """The checks that stop it."""

        def made():
            from_environment(self.environment)
            documents = TrustedDocuments(self.folder)
            return checks(self.app, documents=documents, fetch=self.fetch)

        return set((await probed(made))["failed"])


class Broken:
    def __init__(self, inner, table, error) -> None:
        self._inner, self._table, self._error = inner, table, error

    async def get(self, reads):
        if self._table in {read.table for read in reads}:
            if self._error is None:
                await asyncio.Event().wait()
            raise self._error
        return await self._inner.get(reads)


async def unreachable(url):
    raise OSError(url)


async def keyless(url):
    return {"keys": []}


async def nonsense(url):
    return {"keys": [{"kty": "none"}]}


def distant(release, fetch):
    """Keys are fetched, and this is what comes."""
    release.fetch = fetch
    release.issued(jwks=None, jwks_url="https://id.example.gov.cn/jwks")


SETTINGS = {"settings"}
DOCUMENTS = {"documents"}
ISSUERS = {"issuers"}
DEFECTS = {
    "no stage": (lambda r: r.environment.pop("COURTSIDE_STAGE"), SETTINGS),
    "no region": (lambda r: r.environment.pop("AWS_REGION"), SETTINGS),
    "issuers are no JSON": (lambda r: r.environment.update(COURTSIDE_ISSUERS="{"), SETTINGS),
    "the deadline is no number": (
        lambda r: r.environment.update(COURTSIDE_DEADLINE="8s"),
        SETTINGS,
    ),
    "a weak algorithm": (lambda r: r.issued(algorithms=["HS256"]), SETTINGS),
    "no algorithm": (lambda r: r.issued(algorithms=["none"]), SETTINGS),
    "an issuer without a court": (lambda r: r.issued(court_claim=""), SETTINGS),
    "keys without TLS": (
        lambda r: r.issued(jwks=None, jwks_url="http://id.example.gov.cn"),
        SETTINGS,
    ),
    "nobody is trusted": (lambda r: r.without_issuers(), ISSUERS),
    "the issuer is not to be reached": (lambda r: distant(r, unreachable), ISSUERS),
    "the issuer has no keys": (lambda r: distant(r, keyless), ISSUERS),
    "the issuer's keys are none": (lambda r: distant(r, nonsense), ISSUERS),
    "no right to read records": (
        lambda r: r.broken("records", EngineFault("AccessDenied")),
        {"table records"},
    ),
    "no table of private data": (
        lambda r: r.broken("private", EngineFault("TableNotFound")),
        {"table private"},
    ),
    "the journal does not answer": (
        lambda r: r.broken("journal", Unanswered("TimeoutError")),
        {"table journal"},
    ),
    "the table of keys is throttled": (
        lambda r: r.broken("keys", Throttled("keys")),
        {"table keys"},
    ),
    "a table hangs": (lambda r: r.broken("records", None), {"table records"}),
    "the court's key cannot be opened": (lambda r: r.keyless(), {"court key"}),
    "no manifest": (lambda r: r.lost(MANIFEST), DOCUMENTS | {"answer"}),
    "a document was forgotten": (lambda r: r.lost("phone/DayMenu.graphql"), DOCUMENTS),
    "a document was changed": (lambda r: r.document("{ serverNow }", known=False), DOCUMENTS),
    "a document asks for what is gone": (lambda r: r.document("{ goneSince }"), DOCUMENTS),
    "a document is too large": (
        lambda r: r.document("{ " + " ".join(f"a{n}: serverNow" for n in range(600)) + " }"),
        DOCUMENTS,
    ),
    "a document is no document": (lambda r: r.document("{ serverNow "), DOCUMENTS),
}


@pytest.fixture
def release(app, tmp_path):
    return Release(app, tmp_path / "operations")


class TestApi:
    async def test_a_sound_release_passes(self, release):
        assert await release.failed() == set()

    @pytest.mark.parametrize("defect", DEFECTS)
    async def test_a_defect_stops_it(self, release, defect, monkeypatch):
        if defect == "a table hangs":
            monkeypatch.setattr(probe, "SECONDS", 2.0)  # beyond what the other checks compute
        seed, stopped_by = DEFECTS[defect]

        seed(release)

        assert await release.failed() == stopped_by

    def test_more_than_twenty_are_seeded(self):
        assert len(DEFECTS) >= 20

    async def test_a_fault_in_every_answer_stops_it(self, release, monkeypatch):
        def breaks(*_):
            raise RuntimeError

        monkeypatch.setattr(graphql_http.View, "_context", breaks)

        assert await release.failed() == {"answer"}

    async def test_writes_nothing(self, release, app):
        before = app.engine.dump()

        await release.failed()

        assert app.engine.dump() == before

    @pytest.mark.parametrize(
        "event",
        [{"probe": True, "httpMethod": "POST"}, {"Records": []}, {"task": "sweep"}, {}, [], None],
    )
    def test_nobody_else_s_event_is_one(self, event):
        assert not probe.is_probe(event)


class Lambdas:
    """Versions and what each answers to the probe; an exception does not answer at all."""

    def __init__(self, **answers) -> None:
        self.answers = answers
        self.asked = []

    def invoke(self, *, FunctionName, Payload):  # noqa: N803 - as boto3 has them
        name = FunctionName.rsplit(":", 2)[-2].replace("-", "_")
        self.asked.append((name, json.loads(Payload)))
        answer = self.answers.get(name, {"failed": {}})
        if isinstance(answer, Exception):
            raise answer
        more = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **more}


class CodeDeploy:
    def __init__(self) -> None:
        self.told = []

    def put_lifecycle_event_hook_execution_status(self, **told):
        self.told.append(told)


def a_version(name):
    return f"arn:aws-cn:lambda:cn-north-1:123456789012:function:{name}:7"


VERSIONS = [a_version("graphql-http"), a_version("journal-relay")]


class TestHook:
    def asked(self, **answers):
        lambdas, codedeploy, signals = Lambdas(**answers), CodeDeploy(), RecordedSignals()
        status = PreTraffic(lambdas, codedeploy, signals).take(EVENT, VERSIONS)
        assert [name for name, _ in lambdas.asked] == ["graphql_http", "journal_relay"]
        (told,) = codedeploy.told
        assert told == {
            "deploymentId": "d-1",
            "lifecycleEventHookExecutionId": "e-1",
            "status": status,
        }
        return status, signals

    def test_lets_a_release_go_on_when_every_version_holds(self):
        status, signals = self.asked()

        assert status == "Succeeded"
        assert not signals.told

    @pytest.mark.parametrize(
        ("answer", "check", "fault"),
        [
            ({"failed": {"table keys": "EngineFault"}}, "table keys", "EngineFault"),
            ({"errorType": "Runtime.ImportModuleError"}, "call", "Runtime.ImportModuleError"),
            ({"errorType": "Sandbox.Timedout"}, "call", "Sandbox.Timedout"),
            ({"statusCode": 200}, "call", "NotAProbe"),
            ({"failed": None}, "call", "NotAProbe"),
            (OSError("no such version"), "call", "OSError"),
        ],
    )
    def test_stops_it_for_one_that_does_not(self, answer, check, fault):
        status, signals = self.asked(journal_relay=answer)

        assert status == "Failed"
        (told,) = signals.told
        assert told.signal is Signal.RELEASE_REFUSED
        assert told.facts == {
            "function": "journal-relay",
            "version": "7",
            "check": check,
            "fault": fault,
        }


class TestWorkers:
    """Each asks for tables that its role may read: the roles are compared in tests/infra."""

    @pytest.mark.parametrize("name", ["journal_relay", "event_worker", "job_worker", "scheduled"])
    def test_reads_tables_that_there_are(self, app, name):
        from importlib import import_module

        read = import_module(f"courtside.entrypoints.{name}").READ

        assert set(read) <= set(app.app.settings.tables)

    async def test_a_table_that_fails_stops_it(self, app):
        engine = Broken(app.app.foundation.engine, "records", EngineFault("AccessDenied"))

        told = await probed(lambda: probe.table_checks(engine, ("records", "journal")))

        assert told == {"failed": {"table records": "EngineFault"}}

    async def test_an_application_that_cannot_be_built_stops_it(self):
        told = await probed(lambda: bootstrap.foundation(from_environment({})))

        assert told == {"failed": {"settings": "KeyError"}}
