"""Settings of the embedded installation in a data folder."""

from infra.local.data import DataFolder
from infra.local.issuer import DevelopmentIssuer

from courtside.platform.settings import Settings, table_names

STAGE = "local"
EVENTS, JOBS = "events", "jobs"
TABLES = table_names(STAGE)


# Codes that the development issuer may name: the demo's court and those of `make court`.
COURTS = tuple(f"C{number}" for number in range(310, 400))


def local_settings(folder: DataFolder, *, endpoint: str) -> Settings:
    """Tables at `endpoint`; keys, files, queues and the issuer's key in the folder."""
    return Settings(
        stage=STAGE,
        region="local",
        endpoint=endpoint,
        tables=TABLES,
        issuers=(DevelopmentIssuer.kept_in(folder.issuer).settings(COURTS),),
        event_queue=EVENTS,
        job_queue=JOBS,
        local=str(folder.root),
        development=True,
        log_level="WARNING",
    )
