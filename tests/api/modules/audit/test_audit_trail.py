"""P-09, the reader's side: the audit administrator finds who did and saw what, and nobody else."""

import pytest

from courtside.kernel.actor import Role
from courtside.kernel.ids import encode
from testkit.factories.people import ADMINISTRATOR, COURT, OTHER_COURT, a_court
from testkit.screens import Screen, screens

TODAY = "2026-03-02"
AT = "2026-03-02T09:01:00.000+08:00"


@pytest.fixture
async def auditor(app, court) -> Screen:
    await court.somebody(Role.AUDITOR, staff_no="AU1")
    return screens(app).of("AU1", court=COURT)


@pytest.fixture
def office(app, court) -> Screen:
    return screens(app).of(ADMINISTRATOR, court=COURT)


def person_id(principal) -> str:
    return encode("Person", principal.person)


def trail(answer) -> list[dict]:
    return [edge["node"] for edge in answer.data["auditTrail"]["edges"]]


def told(answer) -> list[str]:
    return [node["operation"] for node in trail(answer)]


class TestAuditTrail:
    async def test_shows_what_a_person_did_on_a_day(self, app, court, auditor, office):
        app.clock.advance(minutes=1)
        added = await office.do("AddUnit", {"name": "立案庭"})
        await app.settle()

        answer = await auditor.show(
            "AuditTrail", day=TODAY, byPersonId=person_id(court.administrator), first=100
        )

        *_, last = trail(answer)
        assert last == {
            "id": last["id"],
            "at": AT,
            "personId": person_id(court.administrator),
            "client": "web",
            "onBehalfOfId": None,
            "operation": "people.add_unit",
            "changes": [
                {
                    "objectId": added.data["addUnit"]["unit"]["id"],
                    "kind": "Unit",
                    "version": 1,
                }
            ],
            "seenIds": [],
            "refused": None,
        }
        assert answer.data["auditTrail"]["pageInfo"]["hasNextPage"] is False

    async def test_shows_what_was_done_with_a_person_and_who_looked(
        self, app, court, auditor, office
    ):
        judge = await court.somebody(staff_no="J1")
        app.clock.advance(minutes=1)
        await office.show("Persons")
        app.clock.advance(minutes=1)
        await office.do("GrantRole", {"personId": person_id(judge), "role": "KITCHEN"})
        await app.settle()

        answer = await auditor.show("AuditTrail", day=TODAY, aboutId=person_id(judge))

        assert told(answer) == ["people.add_person", "people.list_persons", "people.grant_role"]
        looked = trail(answer)[1]
        assert looked["personId"] == person_id(court.administrator)
        assert person_id(judge) in looked["seenIds"]
        assert looked["changes"] == []

    async def test_shows_what_was_refused(self, app, court, auditor):
        judge = await court.somebody(staff_no="J1")
        await screens(app).of("J1", court=COURT).do("AddUnit", {"name": "立案庭"})
        await app.settle()

        answer = await auditor.show("AuditTrail", day=TODAY, byPersonId=person_id(judge))

        (node,) = trail(answer)
        assert (node["operation"], node["refused"]) == ("people.add_unit", "NOT_PERMITTED")

    async def test_is_of_one_business_day(self, app, court, auditor, office):
        """It ends at four in the morning."""
        judge = await court.somebody(staff_no="J1")
        app.clock.advance(hours=18)  # 03:00
        await office.do("RecordLeaving", {"personId": person_id(judge)})
        app.clock.advance(hours=2)
        await office.show("Persons")
        await app.settle()

        days = {
            day: told(await auditor.show("AuditTrail", day=day, aboutId=person_id(judge)))
            for day in (TODAY, "2026-03-03", "2026-03-04")
        }

        assert days == {
            TODAY: ["people.add_person", "people.record_leaving"],
            "2026-03-03": ["people.list_persons"],
            "2026-03-04": [],
        }

    @pytest.mark.parametrize("by", ["byPersonId", "aboutId"])
    async def test_goes_page_by_page(self, app, court, auditor, office, by):
        """Five changes of one moment, and then looks, each exactly once."""
        judge = await court.somebody(staff_no="J1")
        for role in ("KITCHEN", "CLERK", "FINANCE"):
            await office.do(
                "GrantRole", {"personId": person_id(judge), "role": role}, key=f"grant-{role}"
            )
        await office.show("Persons")
        await app.settle()
        subject = person_id(court.administrator if by == "byPersonId" else judge)
        whole = await auditor.show("AuditTrail", day=TODAY, first=100, **{by: subject})

        paged, after = [], None
        while True:
            page = await auditor.show(
                "AuditTrail", day=TODAY, first=2, after=after, **{by: subject}
            )
            paged += trail(page)
            after = page.data["auditTrail"]["pageInfo"]["endCursor"]
            if not page.data["auditTrail"]["pageInfo"]["hasNextPage"]:
                break

        assert paged == trail(whole)
        assert len(paged) >= 5

    async def test_costs_two_rounds_and_leaves_an_entry_itself(self, app, court, auditor, office):
        await office.do("AddUnit", {"name": "立案庭"})
        await app.settle()
        auditor_id = encode("Person", court.principal("AU1").person)

        answer = await auditor.show(
            "AuditTrail", day=TODAY, byPersonId=person_id(court.administrator)
        )
        await app.settle()
        again = await auditor.show(
            "AuditTrail", day=TODAY, aboutId=person_id(court.administrator), first=100
        )

        assert (answer.meter.reads, answer.meter.writes, answer.meter.rounds) == (3, 1, 2)
        assert len(answer.raw) < 6 * 1024
        searched = [n for n in trail(again) if n["operation"] == "audit.list_trail"]
        assert [(n["personId"], n["seenIds"]) for n in searched] == [
            (auditor_id, [person_id(court.administrator)])
        ]

    async def test_ends_at_the_court(self, app, court, office):
        """Z-01: another court's person has no trail, as if there were none of that id."""
        judge = await court.somebody(staff_no="J1")
        other = await a_court(app, code=OTHER_COURT)
        await other.somebody(Role.AUDITOR, staff_no="X1")
        await app.settle()
        foreign = screens(app).of("X1", court=OTHER_COURT)

        for by in ("byPersonId", "aboutId"):
            answer = await foreign.show("AuditTrail", day=TODAY, **{by: person_id(judge)})
            assert trail(answer) == []

    @pytest.mark.parametrize("given", [{}, {"byPersonId": "$", "aboutId": "$"}])
    async def test_asks_for_one_subject(self, app, court, auditor, given):
        subject = {name: person_id(court.administrator) for name in given}
        before = app.engine.dump()

        answer = await auditor.show("AuditTrail", day=TODAY, **subject)

        assert answer.codes == ["ONE_SUBJECT"]
        assert app.engine.dump() == before

    @pytest.mark.parametrize(
        "wrong",
        ["", "%%%", "x", encode("Unit"), encode("Person", "A#B"), encode("Person", "") + "="],
    )
    async def test_refuses_what_is_no_id(self, app, auditor, wrong):
        before = app.engine.dump()

        for by in ("byPersonId", "aboutId"):
            answer = await auditor.show("AuditTrail", day=TODAY, **{by: wrong})
            assert answer.codes == ["INVALID_INPUT"]
        assert app.engine.dump() == before


class TestPermissions:
    """Z-02 for the audit trail."""

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM}))
    async def test_are_the_auditor_s_alone(self, app, court, role):
        await court.somebody(*({role} - {Role.MEMBER}), staff_no="C1")
        before = len(app.engine.items("journal"))
        screen = screens(app).of("C1", court=COURT)

        answer = await screen.show("AuditTrail", day=TODAY, byPersonId=encode("Person", "0" * 20))

        assert answer.codes == ([] if role is Role.AUDITOR else ["NOT_PERMITTED"])
        assert len(app.engine.items("journal")) == before + 1  # the search, or its refusal

    @pytest.mark.parametrize("who", [None, "stranger"])
    async def test_are_nobody_s_without_being_of_the_court(self, app, court, who):
        screen = screens(app).of(who, court=COURT)

        answer = await screen.show("AuditTrail", day=TODAY, byPersonId=encode("Person", "0" * 20))

        assert answer.codes == ["NOT_SIGNED_IN" if who is None else "NOT_PERMITTED"]
