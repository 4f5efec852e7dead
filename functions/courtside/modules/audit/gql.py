"""The audit trail at the API, for the audit administrator alone."""

import base64
import binascii
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import strawberry

from courtside.kernel.errors import Refusal
from courtside.kernel.ids import decode, encode
from courtside.kernel.journal import Change, aggregate
from courtside.modules.audit import contracts
from courtside.modules.audit.service import Audit
from courtside.platform.gql.connections import Connection, connection, page_request
from courtside.platform.gql.payloads import Info, query

ERROR_TYPES: Mapping[type[Refusal], type[Any]] = {}


@strawberry.type(description="被变更的对象及其新版本 / An object and the version it was given.")
class AuditChange:
    object_id: strawberry.ID
    kind: str
    version: int

    @staticmethod
    def of(change: Change) -> "AuditChange":
        return AuditChange(
            object_id=_object_id(change.aggregate),
            kind=change.aggregate.partition(":")[0],
            version=change.version,
        )


@strawberry.type(
    description="审计条目:变更、被拒或敏感查看 / A change, a refusal or a sensitive read."
)
class AuditEntry:
    id: strawberry.ID
    at: datetime
    person_id: strawberry.ID | None = strawberry.field(
        description="操作人;系统为空 / Who acted; null for the system."
    )
    client: str = strawberry.field(description="所用客户端;system 为系统 / Through which client.")
    on_behalf_of_id: strawberry.ID | None = strawberry.field(
        description="代何人办理 / On whose behalf."
    )
    operation: str
    changes: list[AuditChange]
    seen_ids: list[strawberry.ID] = strawberry.field(
        description="被查看记录的编号 / Ids of the records that were shown."
    )
    refused: str | None = strawberry.field(
        description="被拒时的代码 / The refusal's code; null for what was done."
    )

    @staticmethod
    def of(entry: contracts.AuditEntry) -> "AuditEntry":
        is_person = not entry.person.startswith("system:")
        return AuditEntry(
            id=strawberry.ID(encode("AuditEntry", entry.id)),
            at=entry.at,
            person_id=_person_id(entry.person) if is_person else None,
            client=entry.client,
            on_behalf_of_id=_person_id(entry.on_behalf_of) if entry.on_behalf_of else None,
            operation=entry.operation,
            changes=[AuditChange.of(change) for change in entry.changes],
            seen_ids=[_object_id(seen) for seen in entry.seen],
            refused=entry.refused,
        )


@strawberry.type
class Query:
    @query(
        "audit.list_trail",
        description=(
            "审计员按日查询:某人所为(byPersonId),或某对象所历(aboutId,人员亦可),二者择一;"
            "查询本身也会留痕 / One day of what a person did, or of what was done with an object "
            "and who saw it; the search is recorded as well."
        ),
    )
    async def audit_trail(
        self,
        info: Info,
        day: date,
        by_person_id: strawberry.ID | None = None,
        about_id: strawberry.ID | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[AuditEntry]:
        context = info.context
        search = contracts.Search(day=day, by=_person(by_person_id), about=_about(about_id))
        page = await context.get(Audit).list_trail(
            context.principal, search, page_request(first, after), now=context.now
        )
        return connection(page, AuditEntry.of)


@strawberry.type
class Mutation:
    """The audit administrator changes nothing."""


def _person(opaque: str | None) -> str | None:
    return None if opaque is None else decode("Person", opaque, path=("byPersonId",))[0]


def _about(opaque: str | None) -> str | None:
    """The journal's name of an object by its opaque id, whatever its kind."""
    if opaque is None:
        return None
    try:
        text = base64.urlsafe_b64decode(opaque + "=" * (-len(opaque) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    kind, *parts = text.split("\n")
    return aggregate(kind, *decode(kind, opaque, max(len(parts), 1), path=("aboutId",)))


def _person_id(person: str) -> strawberry.ID:
    return strawberry.ID(encode("Person", person))


def _object_id(named: str) -> strawberry.ID:
    kind, _, parts = named.partition(":")
    return strawberry.ID(encode(kind, *parts.split("#")))
