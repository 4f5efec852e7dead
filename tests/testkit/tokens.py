"""Tokens of the development issuer, as `make token` prints them."""

from datetime import datetime, timedelta
from typing import Any

from infra.local.issuer import DAY, STRONG, DevelopmentIssuer

ISSUER = DevelopmentIssuer.new()


def issuers(*courts: str) -> tuple[dict[str, Any], ...]:
    """The settings' issuers for those courts."""
    return (ISSUER.settings(courts),)


def token(  # noqa: PLR0913 - each is one claim
    subject: str,
    *,
    court: str,
    now: datetime,
    lasts: timedelta = DAY,
    client: str = "web",
    scope: str = "",
    acr: str = STRONG,
) -> str:
    """A token that is good from `now`."""
    return ISSUER.token(
        subject, court=court, now=now, lasts=lasts, client=client, scope=scope, acr=acr
    )
