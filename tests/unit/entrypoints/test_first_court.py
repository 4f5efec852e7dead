"""An operator's call of the job worker: how a court begins where nobody has a token yet."""

import pytest

from courtside.entrypoints.job_worker import Jobs
from testkit.factories.people import COURT
from testkit.screens import screens

ASKED = {
    "task": "create_court",
    "court": COURT,
    "name": "示范区人民法院",
    "level": "BASIC",
    "administrator": "王管理",
    "staff_no": "A0001",
}


@pytest.fixture
def jobs(app) -> Jobs:
    return Jobs(app.app, app.signals)


class TestCreateCourt:
    async def test_makes_a_court_whose_administrator_signs_in(self, app, jobs):
        answer = await jobs.take(ASKED)

        shown = (await screens(app).of("A0001", court=COURT).show("Me")).data["me"]
        assert answer == {"court": COURT, "created": True}
        assert shown["court"]["name"] == "示范区人民法院"
        assert "ADMINISTRATOR" in shown["roles"]

    async def test_does_it_once(self, app, jobs):
        await jobs.take(ASKED)
        before = app.engine.dump()

        again = await jobs.take(ASKED)

        assert again == {"court": COURT, "created": False}
        assert app.engine.dump() == before

    @pytest.mark.parametrize(
        ("changed", "code"),
        [({"name": ""}, "INVALID_INPUT"), ({"parent": "C999"}, "NOT_FOUND")],
    )
    async def test_says_what_was_refused(self, app, jobs, changed, code):
        before = app.engine.dump()

        answer = await jobs.take({**ASKED, **changed})

        assert (answer["court"], answer["refused"]) == (COURT, code)
        assert answer["message"]
        assert app.engine.dump() == before

    async def test_needs_an_issuer_that_signs_for_the_court(self, app, jobs):
        before = app.engine.dump()

        with pytest.raises(ValueError, match="no trusted issuer"):
            await jobs.take({**ASKED, "court": "C999"})

        assert app.engine.dump() == before

    async def test_takes_messages_as_before(self, jobs):
        assert await jobs.take({"Records": []}) == {"batchItemFailures": []}
