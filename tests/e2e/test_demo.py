"""The demo is a court like any other: its books must prove."""

from datetime import timedelta

import pytest
from infra.demo import scenario
from infra.demo.host import Host

from courtside.platform.reconcile import Reconciler
from testkit.app import build_app

ISSUERS = ({"issuer": "https://issuer.test", "court": "C310"},)


@pytest.fixture
def app(tmp_path):
    with build_app(tmp_path, issuers=ISSUERS) as built:
        yield built


async def findings(app):
    since = scenario.first_week(app.clock.now()) - 2 * scenario.FOUNDED_BEFORE
    reconciler = Reconciler(app.app.database, clock=app.clock, signals=app.signals)
    report = await reconciler.reconcile(scenario.court_code(), since=since)
    return report.entries, report.findings


class TestDemo:
    async def test_its_books_prove_and_a_later_start_adds_only_what_is_missing(self, app):
        host = Host(app=app.app, court=scenario.court_code(), set_clock=app.clock.set)
        now = app.clock.now()

        placed = await scenario.play(host, now=now)
        await app.settle()
        entries, found = await findings(app)

        assert placed > 1_000
        assert found == ()

        before = app.engine.dump()
        await scenario.extend(host, since=now, now=now)

        assert app.engine.dump() == before

        later = now + timedelta(days=1, hours=5)
        assert await scenario.extend(host, since=now, now=later) > 0
        await app.settle()
        more, found = await findings(app)
        assert more > entries
        assert found == ()
