"""Tokens of the development issuer, as `make token` prints them."""

from datetime import datetime, timedelta
from typing import Any

from infra.local.issuer import DAY, DevelopmentIssuer

ISSUER = DevelopmentIssuer.new()


def issuers(*courts: str) -> tuple[dict[str, Any], ...]:
    """The settings' issuers for those courts."""
    return (ISSUER.settings(courts),)


def token(
    subject: str,
    *,
    court: str,
    now: datetime,
    lasts: timedelta = DAY,
    client: str = "web",
    scope: str = "",
) -> str:
    """A token that is good from `now`."""
    return ISSUER.token(subject, court=court, now=now, lasts=lasts, client=client, scope=scope)
