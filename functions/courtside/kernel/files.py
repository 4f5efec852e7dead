"""Files that people hand in and get back, as modules see them: by court and content hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from courtside.kernel.errors import InvalidInput, Refusal, Text

MAX_FILE = 10 * 1024 * 1024  # bytes; the largest spreadsheet that is read in one piece
_HEX = frozenset("0123456789abcdef")
_SHA256_DIGITS = 64


class FileMissing(Refusal):
    code = "FILE_MISSING"
    text = Text(
        zh="文件尚未上传或已过期,请重新上传。",
        en="The file has not arrived or has expired; upload it again.",
    )


class FileTooLarge(Refusal):
    code = "FILE_TOO_LARGE"
    text = Text(zh="文件超过 {limit} 字节的上限。", en="The file is larger than {limit} bytes.")

    def __init__(self, *, limit: int) -> None:
        super().__init__()
        self.limit = limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Where and how a client puts a file: `PUT url` with exactly these headers, before the end."""

    file_id: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Where a client fetches a file from, until before `expires_at`."""

    url: str
    expires_at: datetime


class Files(Protocol):
    """A court's files. A file's id is the SHA-256 of its bytes, so that the same file uploaded
    twice is one, and a commit names exactly what its dry run read."""

    def grant_upload(self, court: str, *, sha256: str, size: int, now: datetime) -> Upload:
        """Leave to upload the one file of that hash and size. FileTooLarge, InvalidInput."""
        ...

    def grant_download(self, court: str, file_id: str, *, name: str, now: datetime) -> Download:
        """Leave to fetch a file, saved under `name`."""
        ...

    async def read(self, court: str, file_id: str, *, limit: int = MAX_FILE) -> bytes:
        """The file's bytes. FileMissing if there is none, FileTooLarge above `limit`."""
        ...

    async def put(self, court: str, data: bytes) -> str:
        """Keep a file that a job made; answers its id."""
        ...


def checked_id(file_id: str) -> str:
    """A file's id if it is a SHA-256 in hex, else InvalidInput: it becomes part of a path."""
    if len(file_id) != _SHA256_DIGITS or not _HEX.issuperset(file_id):
        reason = Text(
            zh="应为文件 SHA-256 的 64 位小写十六进制", en="expected a SHA-256 in lower-case hex"
        )
        raise InvalidInput(field="sha256", reason=reason)
    return file_id


def checked_size(size: int) -> int:
    """A size that may be uploaded, else FileTooLarge or InvalidInput."""
    if size > MAX_FILE:
        raise FileTooLarge(limit=MAX_FILE)
    if size < 1:
        raise InvalidInput(field="size", reason=Text(zh="文件为空", en="the file is empty"))
    return size
