"""The import screens as the office sends them: the whole answer, what it costs, and who may not."""

import hashlib
import re

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.factories.meals import a_canteen
from testkit.factories.people import COURT, OTHER_COURT, a_court
from testkit.screens import screens
from testkit.sheets import LIST, csv

NOW = "2026-03-02T09:00:00.000+08:00"
LATER = "2026-03-02T09:15:00.000+08:00"
COOK, FINANCE, JUDGE, OFFICER = "K1", "F1", "J1", "L1"
ROWS = [LIST, ("2026-03-02", "午餐", "红烧肉", "12.00", 80, "大豆", "", "荤菜")]
WRONG = [LIST, ("2026-03-02", "午餐", "红烧肉", "12.345", 80, "大豆", "", "荤菜")]


@pytest.fixture
async def canteen(court):
    await court.somebody(Role.KITCHEN, staff_no=COOK)
    await court.somebody(Role.FINANCE, staff_no=FINANCE)
    await court.somebody(Role.LOGISTICS_OFFICER, staff_no=OFFICER)
    await court.somebody(staff_no=JUDGE)
    return await a_canteen(court)


@pytest.fixture
def sit(app):
    """Somebody's screen."""
    return lambda who, court=COURT: screens(app).of(who, court=court)


def announced(canteen, data):
    return {
        "canteenId": encode("Canteen", canteen.id),
        "filename": "三月.csv",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }


def top_ups(data):
    return {
        "filename": "充值.csv",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }


def cost(answer) -> tuple[int, int, int]:
    return answer.meter.reads, answer.meter.writes, answer.meter.rounds


def refused(answer) -> list[str]:
    """The codes of a mutation's payload."""
    return [e["code"] for payload in answer.data.values() for e in payload["errors"]]


def audited(app, code: str = "NOT_PERMITTED") -> int:
    """How many refusals of that code left an entry."""
    return sum(f"#R#{code}#" in item["pk"]["S"] for item in app.engine.items("journal"))


async def arrives(app, data):
    await app.app.foundation.files.put(COURT, data)


async def started(app, canteen, screen, data):
    """The opaque id of a menu's file that was announced and uploaded."""
    answer = await screen.do("StartMenuImport", announced(canteen, data))
    await arrives(app, data)
    return answer.data["startMenuImport"]["menuImport"]["id"]


async def checked(app, canteen, screen, data):
    found = await started(app, canteen, screen, data)
    await screen.do("CheckMenuImport", {"importId": found})
    await app.settle()
    return found


async def top_up_started(app, screen, data):
    answer = await screen.do("StartTopUpImport", top_ups(data))
    await arrives(app, data)
    return answer.data["startTopUpImport"]["topUpImport"]["id"]


class TestStartMenuImport:
    async def test_answers_where_to_put_the_file(self, app, canteen, sit):
        data = csv(ROWS)

        answer = await sit(COOK).do("StartMenuImport", announced(canteen, data))

        shown = answer.data["startMenuImport"]
        upload = shown.pop("upload")
        found = shown["menuImport"].pop("id")
        assert shown == {
            "menuImport": {
                "state": "UPLOADING",
                "filename": "三月.csv",
                "sha256": hashlib.sha256(data).hexdigest(),
                "rows": 0,
                "faultCount": 0,
                "faults": [],
                "annotated": None,
                "jobId": None,
                "at": NOW,
            },
            "errors": [],
            "replayed": False,
        }
        assert found
        assert upload["expiresAt"] == LATER
        assert upload["headers"] == [{"name": "Content-Type", "value": "application/octet-stream"}]
        assert hashlib.sha256(data).hexdigest() in upload["url"]
        assert answer.meter.rounds == 3
        assert answer.meter.writes == 1

    async def test_says_what_is_wrong_with_a_file_that_is_too_large(self, app, canteen, sit):
        before = app.engine.dump()
        given = {**announced(canteen, b"x"), "size": 6_000_000}

        answer = await sit(COOK).do("StartMenuImport", given)

        (error,) = answer.data["startMenuImport"]["errors"]
        assert error["code"] == "UNREADABLE_SHEET"
        assert error["problem"] == "TOO_LARGE"
        assert "5 MB" in error["message"]
        assert app.engine.dump() == before


class TestCheckMenuImport:
    async def test_answers_that_the_check_has_begun(self, app, canteen, sit):
        screen = sit(COOK)
        found = await started(app, canteen, screen, csv(ROWS))

        answer = await screen.do("CheckMenuImport", {"importId": found})

        shown = answer.data["checkMenuImport"]
        assert shown["menuImport"].pop("jobId")
        assert shown == {
            "menuImport": {
                "id": found,
                "state": "CHECKING",
                "filename": "三月.csv",
                "sha256": hashlib.sha256(csv(ROWS)).hexdigest(),
                "rows": 0,
                "faultCount": 0,
                "faults": [],
                "annotated": None,
                "at": NOW,
            },
            "errors": [],
            "replayed": False,
        }
        assert (answer.meter.rounds, answer.meter.writes) == (2, 1)


class TestMenuImport:
    async def test_shows_faults_with_their_cells_in_both_languages(self, app, canteen, sit):
        screen = sit(COOK)
        found = await checked(app, canteen, screen, csv(WRONG))

        answer = await screen.show("MenuImport", importId=found)

        shown = answer.data["menuImport"]
        assert shown.pop("jobId")
        assert re.search(r"/files/C310/[0-9a-f]{64}\?", shown["annotated"]["url"])
        assert shown.pop("annotated")["expiresAt"] == LATER
        assert shown == {
            "id": found,
            "state": "FAULTY",
            "filename": "三月.csv",
            "sha256": hashlib.sha256(csv(WRONG)).hexdigest(),
            "rows": 0,
            "faultCount": 1,
            "faults": [
                {
                    "sheet": "CSV",
                    "address": "D2",
                    "zh": "单价“12.345”应为 0 到 1000 元,最多两位小数,例如 12.50。",
                    "en": "The price “12.345” should be 0 to 1000 yuan with at most two "
                    "decimals, for example 12.50.",
                }
            ],
            "at": NOW,
        }
        assert cost(answer) == (1, 0, 1)

    async def test_of_another_court_is_not_found(self, app, canteen, sit):
        found = await checked(app, canteen, sit(COOK), csv(ROWS))
        other = await a_court(app, code=OTHER_COURT)
        await other.somebody(Role.KITCHEN, staff_no=COOK)

        answer = await sit(COOK, OTHER_COURT).show("MenuImport", importId=found)

        assert answer.codes == ["NOT_FOUND"]


class TestCommitMenuImport:
    async def test_takes_the_checked_file_and_publishing_shows_it(self, app, canteen, sit):
        screen = sit(COOK)
        found = await checked(app, canteen, screen, csv(ROWS))
        sha256 = hashlib.sha256(csv(ROWS)).hexdigest()

        answer = await screen.do("CommitMenuImport", {"importId": found, "sha256": sha256})

        shown = answer.data["commitMenuImport"]
        assert shown["menuImport"].pop("jobId")
        assert shown == {
            "menuImport": {
                "id": found,
                "state": "COMMITTING",
                "filename": "三月.csv",
                "sha256": sha256,
                "rows": 1,
                "faultCount": 0,
                "faults": [],
                "annotated": None,
                "at": NOW,
            },
            "errors": [],
            "replayed": False,
        }
        assert (answer.meter.rounds, answer.meter.writes) == (2, 1)
        await app.settle()
        await canteen.publishes()
        assert await canteen.left("红烧肉") == 80

    async def test_refuses_another_file(self, app, canteen, sit):
        screen = sit(COOK)
        found = await checked(app, canteen, screen, csv(ROWS))
        before = app.engine.dump()

        answer = await screen.do("CommitMenuImport", {"importId": found, "sha256": "0" * 64})

        assert refused(answer) == ["ANOTHER_FILE"]
        assert app.engine.dump() == before


class TestMenuTemplate:
    async def test_is_a_workbook_to_download(self, app, canteen, sit):
        answer = await sit(COOK).show("MenuTemplate")

        shown = answer.data["menuTemplate"]
        assert shown["expiresAt"] == LATER
        file = re.search(r"/files/C310/([0-9a-f]{64})\?", shown["url"])[1]
        assert (await app.app.foundation.files.read(COURT, file)).startswith(b"PK")


class TestTopUpTemplate:
    async def test_is_a_workbook_to_download(self, app, canteen, sit):
        answer = await sit(FINANCE).show("TopUpTemplate")

        assert answer.data["topUpTemplate"]["expiresAt"] == LATER


def list_of(*rows):
    return csv([("工号", "金额(元)"), *rows])


LIST_OF_TWO = list_of((JUDGE, "200"), (COOK, "0.50"))


def shown_top_up(found, state, *, rows=2, total="200.50"):
    return {
        "id": found,
        "state": state,
        "filename": "充值.csv",
        "sha256": hashlib.sha256(LIST_OF_TWO).hexdigest(),
        "rows": rows,
        "total": total,
        "faultCount": 0,
        "faults": [],
        "annotated": None,
        "at": NOW,
    }


@pytest.fixture
async def uploaded(app, canteen, sit):
    """The opaque id of finance's list that was announced and uploaded."""
    return await top_up_started(app, sit(FINANCE), LIST_OF_TWO)


@pytest.fixture
async def read(app, sit, uploaded):
    """The same after its dry run."""
    await sit(FINANCE).do("CheckTopUpImport", {"importId": uploaded})
    await app.settle()
    return uploaded


class TestStartTopUpImport:
    async def test_answers_where_to_put_the_list(self, canteen, sit):
        answer = await sit(FINANCE).do("StartTopUpImport", top_ups(LIST_OF_TWO))

        payload = answer.data["startTopUpImport"]
        found = payload["topUpImport"]["id"]
        assert payload["upload"].pop("url")
        assert payload == {
            "topUpImport": {
                **shown_top_up(found, "UPLOADING", rows=0, total="0.00"),
                "jobId": None,
            },
            "upload": {
                "headers": [{"name": "Content-Type", "value": "application/octet-stream"}],
                "expiresAt": LATER,
            },
            "errors": [],
            "replayed": False,
        }
        assert (answer.meter.rounds, answer.meter.writes) == (2, 1)


class TestCheckTopUpImport:
    async def test_answers_that_the_check_has_begun(self, sit, uploaded):
        answer = await sit(FINANCE).do("CheckTopUpImport", {"importId": uploaded})

        payload = answer.data["checkTopUpImport"]
        assert payload["topUpImport"].pop("jobId")
        assert payload == {
            "topUpImport": shown_top_up(uploaded, "CHECKING", rows=0, total="0.00"),
            "errors": [],
            "replayed": False,
        }
        assert (answer.meter.rounds, answer.meter.writes) == (2, 1)


class TestTopUpImport:
    async def test_shows_the_sum_for_finance_to_compare(self, sit, read):
        answer = await sit(FINANCE).show("TopUpImport", importId=read)

        shown = answer.data["topUpImport"]
        assert shown.pop("jobId")
        assert shown == shown_top_up(read, "CHECKED")
        assert cost(answer) == (1, 0, 1)


class TestCommitTopUpImport:
    async def test_moves_the_money_once(self, app, canteen, sit, read):
        sha256 = hashlib.sha256(LIST_OF_TWO).hexdigest()
        given = {"importId": read, "sha256": sha256}

        answer = await sit(FINANCE).do("CommitTopUpImport", given)
        await app.settle()
        again = await sit(FINANCE).do("CommitTopUpImport", given)
        await app.settle()

        payload = answer.data["commitTopUpImport"]
        assert payload["topUpImport"].pop("jobId")
        assert payload == {
            "topUpImport": shown_top_up(read, "COMMITTING"),
            "errors": [],
            "replayed": False,
        }
        assert (answer.meter.rounds, answer.meter.writes) == (2, 1)
        assert again.data["commitTopUpImport"]["replayed"] is True
        assert again.data["commitTopUpImport"]["topUpImport"]["state"] == "COMMITTED"
        assert await canteen.wallet(canteen.court.principal(JUDGE)) == 20_000
        assert await canteen.wallet(canteen.court.principal(COOK)) == 50

    async def test_refuses_the_very_list_a_second_time(self, app, canteen, sit, read):
        """Uploaded again under another import: the refusal says which one took it, and when."""
        given = {"sha256": hashlib.sha256(LIST_OF_TWO).hexdigest()}
        await sit(FINANCE).do("CommitTopUpImport", {**given, "importId": read})
        finance = sit(FINANCE)
        started_again = await finance.do(
            "StartTopUpImport", top_ups(LIST_OF_TWO), key="key-00000002"
        )
        second = started_again.data["startTopUpImport"]["topUpImport"]["id"]
        await finance.do("CheckTopUpImport", {"importId": second}, key="key-00000002")
        await app.settle()
        before = app.engine.items("records")

        answer = await finance.do(
            "CommitTopUpImport", {**given, "importId": second}, key="key-00000002"
        )

        (error,) = answer.data["commitTopUpImport"]["errors"]
        assert (error["code"], error["path"]) == ("ALREADY_TAKEN", ["input", "importId"])
        assert (error["importId"], error["at"]) == (read, "2026-03-02T09:00:00.000+08:00")
        assert answer.data["commitTopUpImport"]["topUpImport"] is None
        assert app.engine.items("records") == before
        assert audited(app, "ALREADY_TAKEN") == 1
        assert await canteen.wallet(canteen.court.principal(JUDGE)) == 20_000


class TestPermissions:
    """Z-05, Z-08: who asks decides, and a refusal leaves its audit entry and nothing else."""

    @pytest.mark.parametrize(
        ("who", "code"),
        [
            (None, "NOT_SIGNED_IN"),
            (JUDGE, "NOT_PERMITTED"),
            (FINANCE, "NOT_PERMITTED"),
            (OFFICER, None),
            (COOK, None),
        ],
        ids=["anonymous", "diner", "finance", "officer", "cook"],
    )
    @pytest.mark.parametrize("operation", ["CheckMenuImport", "CommitMenuImport"])
    async def test_of_a_menu(self, app, canteen, sit, who, code, operation):
        find = started if operation == "CheckMenuImport" else checked
        found = await find(app, canteen, sit(COOK), csv(ROWS))
        before = app.engine.items("records")
        given = {"importId": found, "sha256": hashlib.sha256(csv(ROWS)).hexdigest()}
        if operation == "CheckMenuImport":
            del given["sha256"]

        answer = await sit(who).do(operation, given, key="key-00000002")

        assert refused(answer) == ([] if code is None else [code])
        assert audited(app) == (code == "NOT_PERMITTED")
        assert (app.engine.items("records") == before) is (code is not None)

    @pytest.mark.parametrize("who", [None, JUDGE, COOK, OFFICER])
    async def test_of_top_ups(self, app, canteen, sit, who):
        data = csv([("工号", "金额"), (JUDGE, "200")])
        before = app.engine.items("records")

        answer = await sit(who).do("StartTopUpImport", top_ups(data))

        assert refused(answer) == ["NOT_SIGNED_IN" if who is None else "NOT_PERMITTED"]
        assert audited(app) == (who is not None)
        assert app.engine.items("records") == before

    async def test_an_import_of_the_other_kind_is_not_found(self, app, canteen, sit):
        data = csv([("工号", "金额"), (JUDGE, "200")])
        found = await top_up_started(app, sit(FINANCE), data)

        answer = await sit(COOK).show("MenuImport", importId=found)

        assert answer.codes == ["NOT_FOUND"]
