"""Every operation on people as its screen sends it: the whole answer and what it costs."""

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.factories.people import ADMINISTRATOR, COURT
from testkit.screens import Screen, screens

NOW = "2026-03-02T09:00:00.000+08:00"


@pytest.fixture
def office(app, court) -> Screen:
    return screens(app).of(ADMINISTRATOR, court=COURT)


def person_id(principal) -> str:
    return encode("Person", principal.person)


def cost(answer) -> tuple[int, int, int]:
    return answer.meter.reads, answer.meter.writes, answer.meter.rounds


class TestMe:
    async def test_says_who_asks_and_what_for(self, app, court):
        unit = await court.a_unit("刑事审判庭")
        judge = await court.somebody(Role.CLERK, unit=unit.id, staff_no="J1")

        answer = await screens(app).of("J1", court=COURT).show("Me")

        assert answer.data == {
            "me": {
                "person": {
                    "id": person_id(judge),
                    "staffNo": "J1",
                    "name": "李小雨",
                    "posts": ["法官"],
                    "unit": {"id": encode("Unit", unit.id), "name": "刑事审判庭"},
                },
                "court": {
                    "id": encode("Court", COURT),
                    "name": "示范区人民法院",
                    "level": "BASIC",
                },
                "roles": ["CLERK", "MEMBER"],
                "serverNow": NOW,
            }
        }
        assert answer.meter.rounds == 2
        assert len(answer.raw) < 1024

    @pytest.mark.parametrize(
        ("who", "code"), [(None, "NOT_SIGNED_IN"), ("stranger", "NOT_PERMITTED")]
    )
    async def test_tells_strangers_nothing(self, app, court, who, code):
        answer = await screens(app).of(who, court=COURT).show("Me")

        assert answer.codes == [code]
        assert "示范区" not in answer.raw.decode()


class TestUnits:
    async def test_are_a_flat_tree(self, court, office):
        top = await court.a_unit("审判管理办公室")
        below = await court.a_unit("案件质量组", parent=top.id)

        answer = await office.show("Units")

        shown = sorted(answer.data["units"], key=lambda unit: unit["parentId"] or "")
        assert shown == [
            {"id": encode("Unit", top.id), "name": "审判管理办公室", "parentId": None},
            {
                "id": encode("Unit", below.id),
                "name": "案件质量组",
                "parentId": encode("Unit", top.id),
            },
        ]
        assert cost(answer) == (2, 0, 1)


class TestPersons:
    async def test_pages_with_units_read_once(self, court, office):
        unit = await court.a_unit("民一庭")
        await court.somebody(unit=unit.id, staff_no="P1", name="甲")
        left = await court.somebody(unit=unit.id, staff_no="P2", name="乙")
        await court.leaves(left)

        first = await office.show("Persons", first=2)
        rest = await office.show(
            "Persons", first=2, after=first.data["persons"]["pageInfo"]["endCursor"]
        )

        nodes = [edge["node"] for edge in first.data["persons"]["edges"]]
        assert [(n["staffNo"], n["name"], n["status"]) for n in nodes] == [
            ("A0001", "王管理", "ACTIVE"),
            ("P1", "甲", "ACTIVE"),
        ]
        assert nodes[0]["grants"] == [
            {"role": "ADMINISTRATOR", "unitId": None, "startsAt": NOW, "endsAt": None}
        ]
        assert nodes[1]["unit"] == {"id": encode("Unit", unit.id), "name": "民一庭"}
        (edge,) = rest.data["persons"]["edges"]
        assert edge["node"]["leftOn"] == "2026-03-02"
        assert rest.data["persons"]["pageInfo"] == {
            "hasNextPage": False,
            "endCursor": edge["cursor"],
        }

    async def test_costs_the_same_for_twenty_as_for_one(self, court, office):
        unit = await court.a_unit()
        await court.somebody(unit=unit.id)
        one = await office.show("Persons")
        for _ in range(18):
            await court.somebody(unit=unit.id)

        twenty = await office.show("Persons")

        assert cost(one) == cost(twenty)
        assert len(twenty.data["persons"]["edges"]) == 20
        assert len(twenty.raw) < 6 * 1024

    @pytest.mark.parametrize("first", [0, 101])
    async def test_refuses_pages_without_bound(self, office, first):
        answer = await office.show("Persons", first=first)

        assert answer.codes == ["INVALID_INPUT"]


class TestAddUnit:
    async def test_adds_and_replays(self, app, office):
        given = {"name": "立案庭", "parentId": None}

        first = await office.do("AddUnit", given)
        again = await office.do("AddUnit", given)

        unit = first.data["addUnit"]["unit"]
        assert first.data["addUnit"] == {
            "unit": {"id": unit["id"], "name": "立案庭", "parentId": None},
            "errors": [],
            "replayed": False,
        }
        assert again.data["addUnit"] == {**first.data["addUnit"], "replayed": True}
        assert cost(first) == (1, 1, 2)
        assert first.meter.items_written == 3  # journal, unit, check of the actor

    async def test_names_the_field_that_cannot_be_used(self, app, office):
        before = app.engine.dump()

        answer = await office.do("AddUnit", {"name": " ", "parentId": None})

        assert answer.data["addUnit"] == {
            "unit": None,
            "errors": [
                {
                    "code": "INVALID_INPUT",
                    "message": "“name”填写有误:应为 1 至 60 个字",
                    "path": ["input", "name"],
                }
            ],
            "replayed": False,
        }
        assert app.engine.dump() == before

    @pytest.mark.parametrize("key", ["short", "k" * 65, "with#mark-1", "key 00000001"])
    async def test_refuses_keys_that_could_be_no_key(self, app, office, key):
        before = app.engine.dump()

        answer = await office.do("AddUnit", {"name": "立案庭"}, key=key)

        (error,) = answer.data["addUnit"]["errors"]
        assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "idempotencyKey"])
        assert app.engine.dump() == before


class TestAddPerson:
    async def test_registers_somebody_who_may_sign_in(self, app, court, office):
        unit = await court.a_unit("执行局")
        given = {
            "staffNo": "J1",
            "name": "陈法官",
            "unitId": encode("Unit", unit.id),
            "posts": ["审判员"],
        }

        answer = await office.do("AddPerson", given)

        assert answer.data["addPerson"] == {
            "person": {
                "id": person_id(court.principal("J1")),
                "staffNo": "J1",
                "name": "陈法官",
                "posts": ["审判员"],
                "status": "ACTIVE",
                "unit": {"id": encode("Unit", unit.id), "name": "执行局"},
                "grants": [],
                "version": 1,
            },
            "errors": [],
            "replayed": False,
        }
        me = await screens(app).of("J1", court=COURT).show("Me")
        assert me.data["me"]["roles"] == ["MEMBER"]

    async def test_says_in_english_that_a_number_is_taken(self, app, court):
        await court.somebody(staff_no="J1")
        office = screens(app).of(ADMINISTRATOR, court=COURT, language="en")
        before = app.engine.dump()

        answer = await office.do("AddPerson", {"staffNo": "J1", "name": "乙", "subject": "other"})

        assert answer.data["addPerson"]["errors"] == [
            {
                "code": "STAFF_NUMBER_TAKEN",
                "message": "Somebody of this court has that staff number already.",
                "path": ["input", "staffNo"],
            }
        ]
        assert app.engine.dump() == before


class TestMovePerson:
    async def test_moves_and_then_refuses_the_old_version(self, court, office):
        unit = await court.a_unit("执行局")
        judge = await court.somebody(staff_no="J1")
        given = {
            "personId": person_id(judge),
            "unitId": encode("Unit", unit.id),
            "posts": ["局长"],
            "expectedVersion": 1,
        }

        moved = await office.do("MovePerson", given)
        stale = await office.do("MovePerson", given, key="key-00000002")

        person = moved.data["movePerson"]["person"]
        assert (person["unit"]["name"], person["posts"], person["version"]) == (
            "执行局",
            ["局长"],
            2,
        )
        assert stale.data["movePerson"] == {
            "person": None,
            "errors": [
                {
                    "code": "VERSION_CONFLICT",
                    "message": "内容已被他人更新(当前版本 2),请刷新后重试。",
                    "path": ["input", "expectedVersion"],
                }
            ],
            "replayed": False,
        }


class TestGrantRole:
    async def test_grants_until_an_instant(self, court, office):
        cook = await court.somebody(staff_no="K1")
        ends = "2026-03-09T09:00:00.000+08:00"

        answer = await office.do(
            "GrantRole", {"personId": person_id(cook), "role": "KITCHEN", "endsAt": ends}
        )

        assert answer.data["grantRole"]["errors"] == []
        assert answer.data["grantRole"]["person"]["grants"] == [
            {"role": "KITCHEN", "unitId": None, "startsAt": NOW, "endsAt": ends}
        ]

    @pytest.mark.parametrize("starts", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
    async def test_takes_no_instant_that_no_clock_will_show(self, app, court, office, starts):
        cook = await court.somebody(staff_no="K1")
        before = app.engine.dump()

        answer = await office.do(
            "GrantRole", {"personId": person_id(cook), "role": "KITCHEN", "startsAt": starts}
        )

        assert answer.status == 400
        assert "2000-2200" in answer.body["errors"][0]["message"]
        assert app.engine.dump() == before

    async def test_refuses_oneself_and_leaves_one_audit_entry(self, app, court, office):
        before = app.engine.dump()

        answer = await office.do(
            "GrantRole", {"personId": person_id(court.administrator), "role": "FINANCE"}
        )

        assert answer.data["grantRole"]["errors"] == [
            {
                "code": "OWN_ROLES",
                "message": "不能给自己授权,请由另一位管理员办理。",
                "path": ["input", "personId"],
            }
        ]
        after = app.engine.dump()
        new = [item for item in after["journal"] if item not in before["journal"]]
        assert [item["pk"]["S"].split("#")[3:5] for item in new] == [["R", "OWN_ROLES"]]
        assert after["records"] == before["records"]


class TestRevokeRole:
    async def test_ends_a_role_at_once(self, court, office):
        cook = await court.somebody(Role.KITCHEN, staff_no="K1")

        done = await office.do("RevokeRole", {"personId": person_id(cook), "role": "KITCHEN"})
        again = await office.do(
            "RevokeRole", {"personId": person_id(cook), "role": "KITCHEN"}, key="key-00000002"
        )

        assert done.data["revokeRole"]["person"]["grants"] == []
        assert [e["code"] for e in again.data["revokeRole"]["errors"]] == ["ROLE_NOT_HELD"]


class TestRecordLeaving:
    async def test_ends_the_sign_in(self, app, court, office):
        """A-03 on this side of the token: whoever left is a stranger from then on."""
        judge = await court.somebody(staff_no="J1")
        screen = screens(app).of("J1", court=COURT)
        assert (await screen.show("Me")).codes == []

        answer = await office.do("RecordLeaving", {"personId": person_id(judge)})

        assert answer.data["recordLeaving"] == {
            "person": {
                "id": person_id(judge),
                "staffNo": "J1",
                "name": "李小雨",
                "status": "LEFT",
                "leftOn": "2026-03-02",
                "version": 2,
            },
            "errors": [],
            "replayed": False,
        }
        assert (await screen.show("Me")).codes == ["NOT_PERMITTED"]

    async def test_keeps_the_last_administrator(self, court, office):
        answer = await office.do("RecordLeaving", {"personId": person_id(court.administrator)})

        assert [e["code"] for e in answer.data["recordLeaving"]["errors"]] == ["LAST_ADMINISTRATOR"]
