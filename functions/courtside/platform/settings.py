"""Settings of a function, read once from its environment and checked there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between an embedded and a distributed Courtside.

    `tables` maps the logical names (records, private, journal, keys) to real ones. `endpoint` is
    always explicit, since a partition's own differ. `issuers` are the trusted token issuers as
    JSON objects: `issuer`, `audience`, `algorithms`, `jwks` or `jwks_url`, `court` or `court_claim`
    with its `courts`; `clients`: name to `scoped`, whether its tokens are limited to the operations
    of their scope, and `ad_hoc`, whether it may send documents of its own (a client that is not
    named is refused); and `step_up`: the `acr` values, or else the `amr` methods, by which a token
    proves two factors, without which nobody administers or audits. `local` is the data folder under
    `make run` and in tests; without it the AWS providers are used.
    """

    stage: str
    region: str
    endpoint: str
    tables: Mapping[str, str]
    issuers: tuple[Mapping[str, Any], ...] = ()
    event_queue: str = ""
    job_queue: str = ""
    bucket: str = ""
    vault: str = ""
    court_key: str = ""
    local: str = ""
    development: bool = False
    deadline: float = 8.0
    log_level: str = "INFO"
    url_suffix: str = "amazonaws.com"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings of a deployed function. KeyError names a variable that is missing."""
    stage = environment["COURTSIDE_STAGE"]
    region = environment["AWS_REGION"]
    suffix = environment.get("COURTSIDE_URL_SUFFIX", "amazonaws.com")
    endpoint = f"https://dynamodb.{region}.{suffix}"
    return Settings(
        stage=stage,
        region=region,
        endpoint=environment.get("COURTSIDE_DYNAMODB", endpoint),
        tables=table_names(stage),
        issuers=tuple(json.loads(environment.get("COURTSIDE_ISSUERS", "[]"))),
        event_queue=environment.get("COURTSIDE_EVENT_QUEUE", ""),
        job_queue=environment.get("COURTSIDE_JOB_QUEUE", ""),
        bucket=environment.get("COURTSIDE_BUCKET", ""),
        vault=environment.get("COURTSIDE_VAULT", ""),
        court_key=environment.get("COURTSIDE_COURT_KEY", ""),
        local=environment.get("COURTSIDE_LOCAL", ""),
        development=environment.get("COURTSIDE_DEVELOPMENT", "") == "yes",
        deadline=float(environment.get("COURTSIDE_DEADLINE", "8")),
        log_level=environment.get("COURTSIDE_LOG_LEVEL", "INFO"),
        url_suffix=suffix,
    )


def table_names(stage: str) -> dict[str, str]:
    """The tables of a stage by their logical names, as `template.yaml` names them."""
    return {name: f"courtside-{stage}-{name}" for name in ("records", "private", "journal", "keys")}
