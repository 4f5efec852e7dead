"""Opaque cursors: a sort key under a tag, so that a client cannot point into another partition."""

import base64
import binascii
import hashlib
import hmac

from courtside.kernel.errors import InvalidInput, Path, Text

_TAG = 8


def encode(scope: str, sort: str, *, secret: bytes) -> str:
    """The cursor after the item whose sort key is `sort`, within `scope` (a partition)."""
    return base64.urlsafe_b64encode(_tag(scope, sort, secret) + sort.encode()).decode().rstrip("=")


def decode(scope: str, cursor: str, *, secret: bytes, path: Path = ("after",)) -> str:
    """The sort key behind a cursor of the same scope, or InvalidInput."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        sort = raw[_TAG:].decode()
    except (binascii.Error, UnicodeError, ValueError):
        raw, sort = b"", ""
    if not hmac.compare_digest(raw[:_TAG], _tag(scope, sort, secret)):
        reason = Text(zh="游标无效,请从第一页重新读取", en="not a cursor of this list")
        raise InvalidInput(field="after", reason=reason, path=path)
    return sort


def _tag(scope: str, sort: str, secret: bytes) -> bytes:
    return hmac.digest(secret, f"{scope}\n{sort}".encode(), hashlib.sha256)[:_TAG]
