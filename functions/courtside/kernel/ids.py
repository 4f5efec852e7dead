"""Identifiers: random, sortable where that helps, opaque and typed at the API."""

import base64
import binascii
import secrets
from datetime import datetime

from courtside.kernel.errors import InvalidInput, Path, Text

# Crockford's base 32: no I, L, O or U, so that a code survives being read aloud or written down.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LONGEST_PART = 64  # characters of one part of an opaque id; ours are far shorter
_EPOCH_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z; nine characters last until the year 3100


def short_id(length: int = 10) -> str:
    """A random id, five bits a character; its first write is conditional: a clash is caught."""
    return _letters(secrets.randbits(5 * length), length)


def new_id(now: datetime) -> str:
    """A 20-character id that sorts by the millisecond of `now` (9 of time, 11 random)."""
    ticks = int(now.timestamp() * 1000) - _EPOCH_MS
    return _letters(ticks, 9) + short_id(11)


def from_digest(digest: bytes, length: int) -> str:
    """The first `length` characters of a digest in base 32 (five bits each)."""
    number = int.from_bytes(digest, "big")
    return _letters(number >> (len(digest) * 8 - 5 * length), length)


def _letters(number: int, length: int) -> str:
    """The lowest `length` times five bits of a number, the highest first."""
    return "".join([ALPHABET[(number >> shift) & 31] for shift in range(5 * length - 5, -1, -5)])


def encode(kind: str, *parts: str) -> str:
    """The opaque typed id that clients see."""
    return base64.urlsafe_b64encode("\n".join((kind, *parts)).encode()).decode().rstrip("=")


def decode(kind: str, opaque: str, parts: int = 1, *, path: Path = ()) -> tuple[str, ...]:
    """The parts of an opaque id of that kind, or InvalidInput that names the field.

    No part may be longer than LONGEST_PART, or hold a control character or `#`, the separator of
    storage keys.
    """
    try:
        text = base64.urlsafe_b64decode(opaque + "=" * (-len(opaque) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    found = text.split("\n")
    clean = all(_is_part(part) for part in found)
    if not clean or found[0] != kind or len(found) != parts + 1 or encode(*found) != opaque:
        reason = Text(zh=f"不是 {kind} 的编号", en=f"not an id of {kind}")
        raise InvalidInput(field=str(path[-1]) if path else "id", reason=reason, path=path)
    return tuple(found[1:])


def _is_part(text: str) -> bool:
    return 0 < len(text) <= LONGEST_PART and text.isprintable() and "#" not in text
