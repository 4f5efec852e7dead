"""Keys of courts: what may be recognised again but never read back is an HMAC under one of them."""

import hmac
import os
import re
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from courtside.platform.settings import Settings

KEY_BYTES = 32
_COURT = re.compile(r"[A-Za-z0-9_-]{1,32}")
_WRAPPED = ("KEYS", "COURT")  # partition and sort key of a court's wrapped key, table `keys`


class KeySource(Protocol):
    """Where a court's secret comes from; asked once a container and court."""

    def key(self, court: str) -> bytes:
        """The court's 32 bytes, made at their first use."""
        ...


class CourtKeys:
    """HMAC-SHA256 under a key of each court and purpose, derived from the court's one secret."""

    def __init__(self, source: KeySource) -> None:
        self._derived = lru_cache(maxsize=4096)(
            lambda court, purpose: hmac.digest(source.key(court), purpose.encode(), "sha256")
        )

    def digest(self, court: str, purpose: str, data: bytes) -> bytes:
        """32 bytes that only the court's key could have made; no purpose's equal another's."""
        return hmac.digest(self._derived(court, purpose), data, "sha256")


class LocalKeys:
    """One file a court, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, court: str) -> bytes:
        path = self._folder / f"{_checked(court)}.key"
        try:
            return _whole(path.read_bytes(), court)
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _publish(path, secrets.token_bytes(KEY_BYTES))
            return _whole(path.read_bytes(), court)


class KmsKeys:
    """Data keys wrapped by KMS for one court each, kept in the table of keys.

    Each call blocks: it happens once a container and court, before the container does anything
    else for that court.
    """

    def __init__(self, kms: Any, tables: Any, *, kms_key: str, table: str) -> None:
        self._kms = kms
        self._tables = tables
        self._kms_key = kms_key
        self._table = table

    def key(self, court: str) -> bytes:
        wrapped = self._stored(court) or self._created(court)
        opened = self._kms.decrypt(
            CiphertextBlob=wrapped, KeyId=self._kms_key, EncryptionContext={"court": court}
        )
        return _whole(opened["Plaintext"], court)

    def _stored(self, court: str) -> bytes | None:
        answer = self._tables.get_item(
            TableName=self._table, Key=self._place(court), ConsistentRead=True
        )
        wrapped: bytes | None = answer.get("Item", {}).get("wrapped", {}).get("B")
        return wrapped

    def _created(self, court: str) -> bytes:
        made = self._kms.generate_data_key_without_plaintext(
            KeyId=self._kms_key, KeySpec="AES_256", EncryptionContext={"court": court}
        )
        item = {**self._place(court), "wrapped": {"B": made["CiphertextBlob"]}}
        # Where another container was first, its key is the court's.
        with suppress(self._tables.exceptions.ConditionalCheckFailedException):
            self._tables.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        stored = self._stored(court)
        if stored is None:
            raise LookupError(f"no key of court {court} after it was written")
        return stored

    @staticmethod
    def _place(court: str) -> dict[str, dict[str, str]]:
        partition, sort = _WRAPPED
        return {"pk": {"S": f"{_checked(court)}#{partition}"}, "sk": {"S": sort}}


def court_keys(settings: Settings) -> CourtKeys:
    """The courts' keys by the settings: files of the data folder, or KMS."""
    if settings.local:
        return CourtKeys(LocalKeys(Path(settings.local) / "keys"))
    return CourtKeys(_Lazily(settings))


class _Lazily:
    """KMS, reached at the first key that is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._source: KmsKeys | None = None

    def key(self, court: str) -> bytes:
        if self._source is None:
            from courtside.platform import aws

            self._source = KmsKeys(
                aws.kms(self._settings),
                aws.key_table(self._settings),
                kms_key=self._settings.court_key,
                table=self._settings.tables["keys"],
            )
        return self._source.key(court)


def _publish(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all; whoever is first wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _whole(key: bytes, court: str) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key of court {court} is {len(key)} bytes long, not {KEY_BYTES}")
    return key


def _checked(court: str) -> str:
    if not _COURT.fullmatch(court):
        raise ValueError("a court's code is 1 to 32 of A-Z a-z 0-9 _ -")
    return court
