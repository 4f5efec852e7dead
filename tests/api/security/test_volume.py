"""G-06, G-16 and G-17: the largest answers, how many calls they take, and two persons who ask at
the same time of one warm container."""

import asyncio
from datetime import timedelta

import pytest
from graphql import OperationDefinitionNode, parse

from courtside.entrypoints.graphql_http import operations_folder
from courtside.entrypoints.schema import schema
from courtside.platform.gql.documents import TrustedDocuments
from testkit.app import build_app
from testkit.factories.living import JUDGE, NEIGHBOUR, ROOT, a_living_court
from testkit.factories.meals import MONDAY
from testkit.factories.people import COURT, OTHER_COURT
from testkit.figures import record
from testkit.graphql import serve, sign_in
from testkit.screens import document
from testkit.tokens import issuers
from testkit.walker import Seen, choices, roots, variables

LARGEST = 1_000_000  # bytes; Lambda answers six times as much
MOST_CALLS = 12
MANY = 100
THURSDAY = MONDAY + timedelta(days=3)
ROOTS = {root.name: root for root in roots(schema._schema)}
QUERIES = {name: root for name, root in ROOTS.items() if not root.is_mutation}
INTERLEAVED = 1_000


def operations() -> dict[str, str]:
    """Every query of the manifest: its name and the root field that it asks."""
    trusted = TrustedDocuments(operations_folder())
    found = {}
    for known in trusted.ids:
        operation = trusted.find(known)
        node = next(
            one
            for one in parse(operation.text).definitions
            if isinstance(one, OperationDefinitionNode)
        )
        asked = [field.name.value for field in node.selection_set.selections]
        if len(asked) == 1 and asked[0] in QUERIES:
            found[operation.name] = asked[0]
    return found


async def _court(app, rows: int):
    living = await a_living_court(app, code=COURT, mark="甲院")
    for n in range(rows):
        await living.court.somebody(name=f"人员{n:03}", staff_no=f"V{n:04}")
    await living.canteen.serves(
        {f"菜品{n:03}": 10 for n in range(rows)}, on=MONDAY + timedelta(days=3)
    )
    return living


async def _answers(app) -> dict[str, tuple[int, int, int, int]]:
    """Bytes, reads, rounds and calls of every query in the manifest, with the widest pages."""
    view, _ = serve(app, development=True)
    client = sign_in(app, view, ROOT, court=COURT)
    seen = Seen()
    for _ in range(2):
        for root in QUERIES.values():
            seen.take((await client.run(root.text, variables(root, seen))).body)
    wide = {("first",): 100, ("date",): str(THURSDAY), ("day",): str(MONDAY)}
    measured = {}
    for name, field in operations().items():
        root = QUERIES[field]
        for put in choices(root):
            given = variables(root, seen, put={**put, **wide})
            answer = await client.trusted(document(name), given)
            if not answer.codes:
                meter = answer.meter
                took = (len(answer.raw), meter.reads, meter.rounds, meter.calls)
                measured[name] = max(took, measured.get(name, took))
    return measured


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The same screens of a small court and of one with a hundred more of everything."""
    found = []
    for rows in (1, MANY):
        folder = tmp_path_factory.mktemp("volume")
        with build_app(folder, issuers=issuers(COURT, OTHER_COURT)) as app:
            asyncio.run(_court(app, rows))
            found.append(asyncio.run(_answers(app)))
    return found


class TestVolume:
    def test_measures_most_screens(self, measured):
        assert len(measured[1]) >= 8
        assert measured[0].keys() == measured[1].keys()

    def test_no_answer_is_larger_than_it_may_be(self, measured):
        """G-06."""
        largest = max(measured[1], key=lambda name: measured[1][name][0])

        assert measured[1][largest][0] <= LARGEST
        assert measured[1]["Persons"][0] > 3 * measured[0]["Persons"][0]
        record("G-06", "largest answer, bytes", f"{measured[1][largest][0]} ({largest})")

    def test_calls_do_not_grow_with_rows(self, measured):
        """G-16. What is written of a look at others' records is one entry for twenty of them."""
        grown = {
            name: (small[1:3], measured[1][name][1:3])
            for name, small in measured[0].items()
            if measured[1][name][1:3] > small[1:3]
        }
        most = max(calls for *_, calls in measured[1].values())

        assert grown == {}
        assert most <= MOST_CALLS
        record("G-16", "most calls of a screen", most)


class TestInterleaved:
    """G-17."""

    async def test_two_persons_never_see_each_other(self, living):
        app = living.court.app
        view, _ = serve(app)
        names = {JUDGE: f"{living.mark}李法官", NEIGHBOUR: f"{living.mark}赵邻座"}
        clients = {who: sign_in(app, view, who, court=COURT) for who in names}

        async def wrong(who: str) -> bool:
            answer = await clients[who].trusted(document("Me"))
            return answer.data["me"]["person"]["name"] != names[who]

        mixed = 0
        for _ in range(INTERLEAVED // 50):
            turns = [wrong((JUDGE, NEIGHBOUR)[n % 2]) for n in range(50)]
            mixed += sum(await asyncio.gather(*turns))

        assert mixed == 0
        record("G-17", "cross-principal hits", f"0 in {INTERLEAVED}")
