"""Builds the audit module on a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courtside.kernel.actor import Actors
from courtside.kernel.journal import Reads
from courtside.modules.audit.service import Audit
from courtside.modules.audit.store import AuditStore
from courtside.platform.dynamo.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """The module has no consumers."""

    audit: Audit
    consumers: None = None

    @property
    def services(self) -> Mapping[type[Any], object]:
        return {Audit: self.audit}


def build(database: Database, *, actors: Actors, reads: Reads) -> Wired:
    return Wired(audit=Audit(AuditStore(database), actors=actors, reads=reads))
