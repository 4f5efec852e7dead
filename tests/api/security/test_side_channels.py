"""Z-04, A-03 and Z-07: what another court has changes no byte of an answer; and who lost a role or
left is refused from the next request on, in whatever order things happen."""

import asyncio
import random
import re
import statistics
import time
from datetime import timedelta
from itertools import count

import pytest
from infra.memory.engine import Faults

from courtside.entrypoints.schema import schema
from courtside.kernel import ids
from courtside.kernel.actor import Role
from testkit.app import build_app
from testkit.factories.living import ROOT, ALivingCourt, a_living_court
from testkit.factories.people import COURT, OTHER_COURT, asked
from testkit.figures import record
from testkit.graphql import serve, sign_in
from testkit.screens import screens
from testkit.tokens import issuers
from testkit.walker import Seen, absent, places, roots, variables

GRAPHQL = schema._schema
ROOTS = roots(GRAPHQL)
QUERIES = [root for root in ROOTS if not root.is_mutation]
SAMPLE = 400
_FILE = re.compile(rb"/files/[^\"]*")  # a workbook tells the second in which it was made


class Chance:
    """`secrets` from a seed, so that two worlds draw the same ids."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def __getattr__(self, name: str):
        return {"choice": self._chance.choice, "randbits": self._chance.getrandbits}[name]


async def _world(app, monkeypatch, *, with_another: bool) -> ALivingCourt:
    """Our court, at the same instant and with the same ids, with another beside it or alone."""
    began = app.clock.now()
    if with_another:
        await a_living_court(app, code=OTHER_COURT, mark="乙院")
    app.clock.set(began)
    monkeypatch.setattr(ids, "secrets", Chance(7))
    return await a_living_court(app, code=COURT, mark="甲院")


async def _answers(living: ALivingCourt, foreign: Seen) -> list[bytes]:
    """Every root field with our ids, and with the other court's at each place of an id."""
    app = living.court.app
    view, _ = serve(app, development=True)
    client, seen, keys = sign_in(app, view, ROOT, court=COURT), Seen(), count(1)
    seen.take(living.shown)
    found = []
    for root in (*QUERIES, *ROOTS):
        puts = [
            {place: held[-1]} for place in places(root.arguments) for held in foreign.ids.values()
        ]
        for put in [{}, *puts]:
            given = variables(root, seen, put=put)
            if "input" in given:
                given["input"]["idempotencyKey"] = f"side-{next(keys):06}"
            answer = await client.run(root.text, given)
            if not root.is_mutation:
                seen.take(answer.body)
            found.append(_FILE.sub(b"", answer.raw))
    return found


class TestAnotherCourtsRows:
    """Z-04."""

    async def test_change_no_byte_of_ours(self, tmp_path, monkeypatch):
        """The same court twice, from the same seed: alone, and beside another that has the same
        names, staff numbers and days, whose own ids are asked for."""
        answers, foreign = [], None
        for with_another in (True, False):
            monkeypatch.setattr(ids, "secrets", Chance(1))
            with build_app(tmp_path, issuers=issuers(COURT, OTHER_COURT)) as app:
                if foreign is None:
                    living = await _world(app, monkeypatch, with_another=True)
                    view, _ = serve(app, development=True)
                    client, foreign = sign_in(app, view, ROOT, court=OTHER_COURT), Seen()
                    for root in QUERIES:
                        foreign.take((await client.run(root.text, variables(root, foreign))).body)
                else:
                    living = await _world(app, monkeypatch, with_another=with_another)
                monkeypatch.setattr(ids, "secrets", Chance(9))
                answers.append(await _answers(living, foreign))

        differ = [n for n, (one, other) in enumerate(zip(*answers, strict=True)) if one != other]
        assert differ == []
        assert len(answers[0]) > 250
        record("Z-04", "answers that differ", f"0 of {len(answers[0])}")

    async def test_cost_the_same_work_as_none(self, app, court):
        """A foreign id is looked for exactly as one that belongs to nobody."""
        other = await a_living_court(app, code=OTHER_COURT, mark="乙院")
        await court.somebody(*_all(), staff_no=ROOT)
        foreign = Seen()
        foreign.take(other.shown)
        view, _ = serve(app, development=True)
        client = sign_in(app, view, ROOT, court=COURT)
        tried = 0

        for root in QUERIES:
            for place in places(root.arguments):
                for held in foreign.ids.values():
                    work = []
                    for one in (held[-1], absent(held[-1])):
                        given = variables(root, foreign, put={place: one})
                        meter = (await client.run(root.text, given)).meter
                        work.append((meter.calls, meter.rounds, meter.read_units))
                    assert work[0] == work[1]
                    tried += 1

        assert tried >= 20

    @pytest.mark.nightly
    async def test_takes_the_same_time_as_none(self, app, court):
        other = await a_living_court(app, code=OTHER_COURT, mark="乙院")
        await court.somebody(*_all(), staff_no=ROOT)
        foreign = Seen()
        foreign.take(other.shown)
        view, _ = serve(app, development=True)
        client = sign_in(app, view, ROOT, court=COURT)
        root = next(root for root in QUERIES if root.name == "menuImport")
        (place,) = places(root.arguments)
        real = foreign.ids["SheetImport"][-1]
        took: dict[str, list[float]] = {real: [], absent(real): []}
        for n in range(2 * SAMPLE):
            one = list(took)[n % 2]
            given = variables(root, foreign, put={place: one})
            began = time.perf_counter()
            await client.run(root.text, given)
            took[one].append(time.perf_counter() - began)

        ours, none = took.values()
        auc = sum(a > b for a in ours for b in none) / (len(ours) * len(none))
        assert abs(auc - 0.5) <= 0.05, statistics.median(ours)
        record("Z-04", "timing AUC", round(max(auc, 1 - auc), 3))


class TestWhoLeft:
    """A-03: a token may be good for a day; the roles behind it are read with every request."""

    async def test_is_refused_at_once(self, app, court):
        leaver = await court.somebody(Role.KITCHEN, staff_no="L0001")
        screen = screens(app).of("L0001", court=COURT)
        assert (await screen.show("Me")).codes == []
        longest = timedelta()

        await court.leaves(leaver)
        left = app.clock.now()
        for second in range(0, 61, 5):
            app.clock.set(left + timedelta(seconds=second))
            if (await screen.show("Me")).codes != ["NOT_PERMITTED"]:
                longest = timedelta(seconds=second)

        assert longest == timedelta()
        record("A-03", "longest delay to refusal, s", longest.total_seconds())

    async def test_whose_role_was_revoked_loses_it_with_the_next_request(self, app, court):
        holder = await court.somebody(Role.FINANCE, staff_no="F0001")
        screen = screens(app).of("F0001", court=COURT)
        assert (await screen.show("Persons")).codes == []

        await court.revokes(holder, Role.FINANCE)

        assert (await screen.show("Persons")).codes == ["NOT_PERMITTED"]


class TestRevocationInFlight:
    """Z-07."""

    @pytest.mark.parametrize("seed", range(20))
    async def test_nothing_is_written_after_it(self, app, court, seed):
        """An administrator's grants are revoked while ten of his changes are under way, at any
        point of theirs: what was written was written before, by the journal's own order."""
        chance = random.Random(seed)
        boss = await court.somebody(Role.ADMINISTRATOR, staff_no="B0001")
        target = await court.somebody(Role.CLERK)
        screen = screens(app).of("B0001", court=COURT)
        app.engine.faults = Faults(latency=0.2, overlap=0.008)

        async def change(n: int) -> str:
            await app.clock.sleep(chance.uniform(0, 1))
            given = {**asked("AddUnit", target), "name": f"第{n}庭"}
            answer = await screen.do("AddUnit", given, key=f"flight-{seed:03}-{n:03}")
            errors = answer.data["addUnit"]["errors"]
            return errors[0]["code"] if errors else "DONE"

        async def revoke() -> None:
            await app.clock.sleep(chance.uniform(0, 1))
            await court.revokes(boss, Role.ADMINISTRATOR)

        outcomes, _ = await asyncio.gather(asyncio.gather(*map(change, range(10))), revoke())

        order = _operations_in_order(app)
        end = order.index("people.revoke_role")
        assert "people.add_unit" not in order[end:]
        assert order.count("people.add_unit") == outcomes.count("DONE")
        assert set(outcomes) <= {"DONE", "NOT_PERMITTED"}
        record("Z-07", "writes after revocation", 0)


def _operations_in_order(app) -> list[str]:
    """Operations of the journal's entries in the order in which the stream carries them."""
    keys = [r["dynamodb"]["NewImage"]["pk"]["S"] for r in app.engine.stream("journal")]
    return [key.split("#")[3] for key in keys]


def _all() -> list[Role]:
    return sorted(set(Role) - {Role.MEMBER, Role.SYSTEM})
