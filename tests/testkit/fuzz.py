"""Bytes of no meaning through everything that reads what a client sent: the body, the document and
its limits, scalars, ids, cursors and messages. `python -m testkit.fuzz <seconds> <corpus>` is led
by coverage (atheris)."""

import sys
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from courtside.entrypoints.schema import schema
from courtside.kernel.errors import Refusal
from courtside.kernel.ids import decode as decode_id
from courtside.platform.dynamo import cursors
from courtside.platform.gql import incoming
from courtside.platform.gql.documents import Preparation
from courtside.platform.gql.scalars import SCALARS
from courtside.platform.identity import InvalidToken, _unverified
from courtside.platform.messages import Unreadable, to_fact, to_job

LONGEST = 1  # seconds that any input may take
_PREPARATION = Preparation(development=False, kept=8)
_EXPECTED = (incoming.Rejected, GraphQLError, Refusal, Unreadable, InvalidToken)


def read(raw: bytes) -> None:
    """Read the bytes in every way; whatever is refused is refused by one of our own errors."""
    text = raw.decode("utf-8", "replace")
    _tried(lambda: _request(raw))
    _tried(lambda: _PREPARATION.prepare(schema, text, None))
    for scalar in SCALARS.values():
        parse: Any = scalar.parse_value
        _tried(lambda parse=parse: parse(text))  # type: ignore[misc]
    _tried(lambda: decode_id("Canteen", text))
    _tried(lambda: cursors.decode("scope", text, secret=b"secret"))
    _tried(lambda: _unverified(text))
    _tried(lambda: to_fact(text))
    _tried(lambda: to_job(text))
    incoming.language_of(text)
    incoming.media_type_of(text)


def _request(raw: bytes) -> None:
    body = incoming.decode(raw)
    query = body.get("query")
    if isinstance(query, str):
        _PREPARATION.prepare(schema, query, None)


def _tried(action: Callable[[], object]) -> None:
    try:
        action()
    except _EXPECTED:
        return


def main(seconds: str, corpus: str) -> None:
    """Fuzz for so long; atheris ends the process with a status of its own when it finds something,
    and keeps what led it further in `corpus`."""
    import atheris

    options = [sys.argv[0], f"-max_total_time={seconds}", f"-timeout={LONGEST}", "-max_len=4096"]
    atheris.Setup([*options, "-rss_limit_mb=1024", corpus], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
