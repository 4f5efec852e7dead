"""Where seals are kept: written once, never overwritten, in the order of their names.

Distributed it is a bucket under Object Lock: nobody, the account's owner included, ends a version
before its retention has passed, and another version of a name only stands beside the first, which
stays what is read. Embedded it is a folder of read-only files.
"""

import base64
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from courtside.platform.settings import Settings

READ_ONLY = 0o400
_PAGE = 1000


class Kept(NamedTuple):
    """What was first written under a name. `touched`: somebody put another version, or a marker of
    deletion, over it."""

    name: str
    version: str = ""
    touched: bool = False


class NotKept(Exception):
    """The vault holds nothing under that name."""


class Vault(Protocol):
    """Documents of one court under names that never change."""

    async def keep(self, court: str, name: str, data: bytes) -> bool:
        """Write once; False when something stands under that name already."""
        ...

    async def page(self, court: str, *, after: str = "", most: int = _PAGE) -> list[Kept]:
        """At most `most` of them by name, those after `after`."""
        ...

    async def read(self, court: str, kept: Kept) -> bytes:
        """What was first written under that name, or NotKept."""
        ...


class FolderVault:
    """Files of mode 0400, `<court>/<name>`; each appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, court: str, name: str, data: bytes) -> bool:
        folder = self._of(court)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{name}.{secrets.token_hex(4)}"
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(READ_ONLY)
            (folder / name).hardlink_to(draft)  # unlike a rename, it never replaces
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
        return True

    async def page(self, court: str, *, after: str = "", most: int = _PAGE) -> list[Kept]:
        folder = self._of(court)
        found = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        return [Kept(name) for name in found if name > after and name[0] != "."][:most]

    async def read(self, court: str, kept: Kept) -> bytes:
        try:
            return (self._of(court) / kept.name).read_bytes()
        except FileNotFoundError:
            raise NotKept(kept.name) from None

    def _of(self, court: str) -> Path:
        return self._folder / quote(court, safe="")


class BucketVault:
    """Objects `<court>/<name>` of a bucket whose default retention locks them."""

    def __init__(self, settings: Settings, client: Any = None) -> None:
        self._settings = settings
        self._made = client

    @property
    def _client(self) -> Any:
        if self._made is None:
            import boto3
            from botocore.config import Config

            self._made = boto3.client(
                "s3",
                region_name=self._settings.region,
                config=Config(signature_version="s3v4", connect_timeout=1, read_timeout=5),
            )
        return self._made

    async def keep(self, court: str, name: str, data: bytes) -> bool:
        """A lost answer is found by the next attempt as a name that is taken by the same bytes."""
        try:
            self._client.put_object(
                Bucket=self._settings.vault,
                Key=_object(court, name),
                Body=data,
                IfNoneMatch="*",
                ContentType="application/json",
                ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
            )
        except self._client.exceptions.ClientError as refused:
            if refused.response["Error"]["Code"] not in {
                "PreconditionFailed",
                "ConditionalRequestConflict",
            }:
                raise
            return False
        return True

    async def page(self, court: str, *, after: str = "", most: int = _PAGE) -> list[Kept]:
        prefix = _object(court, "")
        asked = {"Bucket": self._settings.vault, "Prefix": prefix, "MaxKeys": _PAGE}
        if after:
            asked["KeyMarker"] = _object(court, after)
        versions: dict[str, list[str]] = {}
        markers: set[str] = set()
        while True:
            told = self._client.list_object_versions(**asked)
            for one in told.get("Versions", ()):
                versions.setdefault(one["Key"].removeprefix(prefix), []).append(one["VersionId"])
            markers |= {one["Key"].removeprefix(prefix) for one in told.get("DeleteMarkers", ())}
            if not told["IsTruncated"] or len(versions) > most:
                break  # with one name more than asked for, all versions of the others were told
            asked["KeyMarker"] = told["NextKeyMarker"]
            asked["VersionIdMarker"] = told["NextVersionIdMarker"]
        # versions of a name are told newest first
        found = [
            Kept(name, those[-1], touched=len(those) > 1 or name in markers)
            for name, those in sorted(versions.items())
        ]
        return found[:most]

    async def read(self, court: str, kept: Kept) -> bytes:
        place = {"Bucket": self._settings.vault, "Key": _object(court, kept.name)}
        if kept.version:
            place["VersionId"] = kept.version
        try:
            answer = self._client.get_object(**place)
        except self._client.exceptions.NoSuchKey:
            raise NotKept(kept.name) from None
        data: bytes = answer["Body"].read()
        return data


def vault(settings: Settings) -> FolderVault | BucketVault:
    """The provider of the vault by the settings."""
    if settings.local:
        return FolderVault(Path(settings.local) / "vault")
    return BucketVault(settings)


def _object(court: str, name: str) -> str:
    return f"{quote(court, safe='')}/{name}"
