"""The bucket of a simulation."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from courtside.kernel.files import FileMissing, FileTooLarge


class BucketDown(Exception):
    """The bucket did not answer; it may have kept what it was given."""


@dataclass(slots=True)
class SimFiles:
    """Files by court and hash. `reached` waits as the network does and says whether it failed."""

    reached: Callable[[], Awaitable[bool]]
    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)

    async def read(self, court: str, file_id: str, limit: int) -> bytes:
        if await self.reached():
            raise BucketDown
        data = self.kept.get((court, file_id))
        if data is None:
            raise FileMissing
        if len(data) > limit:
            raise FileTooLarge(limit=limit)
        return data

    async def put(self, court: str, data: bytes) -> str:
        failed = await self.reached()
        file_id = self.upload(court, data)
        if failed:
            raise BucketDown
        return file_id

    def upload(self, court: str, data: bytes) -> str:
        """What a client does with the address that it was granted."""
        file_id = hashlib.sha256(data).hexdigest()
        self.kept[court, file_id] = data
        return file_id
