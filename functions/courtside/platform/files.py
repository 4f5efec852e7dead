"""Providers of files: a folder with signed local addresses, or a bucket with presigned ones."""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from courtside.kernel.files import (
    MAX_FILE,
    Download,
    FileMissing,
    FileTooLarge,
    Upload,
    checked_id,
    checked_size,
)
from courtside.platform.dynamo.journal import Digests
from courtside.platform.settings import Settings

GRANTED_FOR = timedelta(minutes=15)
CONTENT_TYPE = "application/octet-stream"


class LocalFiles:
    """Files in a folder, `<court>/<sha256>`; addresses under `base` are signed by the court's key
    and served by the local runner, which asks `accept` and `open_download`."""

    def __init__(self, folder: Path, digests: Digests, *, base: str = "") -> None:
        self._folder = folder
        self._digests = digests
        self.base = base

    def grant_upload(self, court: str, *, sha256: str, size: int, now: datetime) -> Upload:
        expires_at = now + GRANTED_FOR
        query = self._signed("PUT", court, checked_id(sha256), str(checked_size(size)), expires_at)
        return Upload(
            file_id=sha256,
            url=f"{self.base}/files/{court}/{sha256}?{query}",
            headers={"Content-Type": CONTENT_TYPE},
            expires_at=expires_at,
        )

    def grant_download(self, court: str, file_id: str, *, name: str, now: datetime) -> Download:
        expires_at = now + GRANTED_FOR
        query = self._signed("GET", court, checked_id(file_id), name, expires_at)
        return Download(url=f"{self.base}/files/{court}/{file_id}?{query}", expires_at=expires_at)

    async def read(self, court: str, file_id: str, *, limit: int = MAX_FILE) -> bytes:
        return _read(self._path(court, file_id), limit)

    async def put(self, court: str, data: bytes) -> str:
        file_id = hashlib.sha256(data).hexdigest()
        _write(self._path(court, file_id), data)
        return file_id

    def permits(
        self, method: str, court: str, file_id: str, query: Mapping[str, str], *, now: datetime
    ) -> bool:
        """Whether a request's address was granted by this court's key and is still in time."""
        about, until = query.get("about", ""), query.get("until", "")
        expected = self._signature(method, court, file_id, about, until)
        genuine = hmac.compare_digest(expected.encode(), query.get("signature", "").encode())
        return genuine and now.timestamp() < int(until)

    def accept(self, court: str, file_id: str, size: int, data: bytes) -> bool:
        """Keep an upload if it is exactly the file that was granted."""
        if len(data) != size or hashlib.sha256(data).hexdigest() != file_id:
            return False
        _write(self._path(court, file_id), data)
        return True

    def _path(self, court: str, file_id: str) -> Path:
        return self._folder / quote(court, safe="") / checked_id(file_id)

    def _signed(
        self, method: str, court: str, file_id: str, about: str, expires_at: datetime
    ) -> str:
        until = str(int(expires_at.timestamp()))
        signature = self._signature(method, court, file_id, about, until)
        return urlencode({"about": about, "until": until, "signature": signature})

    def _signature(self, method: str, court: str, file_id: str, about: str, until: str) -> str:
        told = f"{method}\n{file_id}\n{until}\n{about}".encode("utf-8", "surrogatepass")
        return self._digests.digest(court, "file-address", told).hex()


class BucketFiles:
    """Files in a bucket, `<court>/<sha256>`; boto3 is imported at the first use."""

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

    def grant_upload(self, court: str, *, sha256: str, size: int, now: datetime) -> Upload:
        checksum = base64.b64encode(bytes.fromhex(checked_id(sha256))).decode()
        place = {
            "Bucket": self._settings.bucket,
            "Key": _object(court, sha256),
            "ContentLength": checked_size(size),
            "ContentType": CONTENT_TYPE,
            "ChecksumSHA256": checksum,
        }
        url = self._presigned("put_object", place)
        headers = {"Content-Type": CONTENT_TYPE, "x-amz-checksum-sha256": checksum}
        return Upload(file_id=sha256, url=url, headers=headers, expires_at=now + GRANTED_FOR)

    def grant_download(self, court: str, file_id: str, *, name: str, now: datetime) -> Download:
        place = {
            "Bucket": self._settings.bucket,
            "Key": _object(court, checked_id(file_id)),
            "ResponseContentDisposition": disposition(name),
        }
        return Download(url=self._presigned("get_object", place), expires_at=now + GRANTED_FOR)

    async def read(self, court: str, file_id: str, *, limit: int = MAX_FILE) -> bytes:
        key = _object(court, checked_id(file_id))
        try:
            answer = self._client.get_object(Bucket=self._settings.bucket, Key=key)
        except self._client.exceptions.NoSuchKey:
            raise FileMissing from None
        if answer["ContentLength"] > limit:
            raise FileTooLarge(limit=limit)
        data: bytes = answer["Body"].read(limit + 1)
        return data

    async def put(self, court: str, data: bytes) -> str:
        file_id = hashlib.sha256(data).hexdigest()
        key = _object(court, file_id)
        self._client.put_object(Bucket=self._settings.bucket, Key=key, Body=data)
        return file_id

    def _presigned(self, operation: str, place: Mapping[str, Any]) -> str:
        seconds = int(GRANTED_FOR.total_seconds())
        url: str = self._client.generate_presigned_url(operation, Params=place, ExpiresIn=seconds)
        return url


def files(settings: Settings, digests: Digests) -> LocalFiles | BucketFiles:
    """The provider of files by the settings."""
    if settings.local:
        return LocalFiles(Path(settings.local) / "files", digests)
    return BucketFiles(settings)


def disposition(name: str) -> str:
    """The header under which a browser saves a file by its (perhaps Chinese) name."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _object(court: str, file_id: str) -> str:
    return f"{quote(court, safe='')}/{file_id}"


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise FileMissing from None
    if len(data) > limit:
        raise FileTooLarge(limit=limit)
    return data


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also through a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
