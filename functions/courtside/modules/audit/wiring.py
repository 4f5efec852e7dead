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
    """The services by their types; the module has no consumers."""

    services: Mapping[type[Any], object]
    consumers: None = None


def build(database: Database, *, actors: Actors, reads: Reads) -> Wired:
    audit = Audit(AuditStore(database), actors=actors, reads=reads)
    return Wired(services={Audit: audit})
