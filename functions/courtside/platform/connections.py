"""HTTP/1.1 over asyncio's own streams, as far as tables and key sets need it.

A request has its whole body, an answer a length or chunks; nothing is negotiated, followed or
remembered. A general client costs more than what it carries, and its import a quarter of a worker's
cold start (docs/adr/0043).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

CONNECT = 1.0  # seconds until a connection must be open
ANSWER = 2.0  # seconds until a request must be answered, connecting included
IDLE = 60.0  # seconds after which a connection is not used again
MOST = 32 * 1024 * 1024  # bytes of an answer's body; DynamoDB's own limit is 16 MB


class Broken(Exception):
    """The connection ended, could not be opened, or did not speak HTTP; whatever was asked may
    have been done."""


class Answer(NamedTuple):
    status: int
    body: bytes


class _Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: float = 0.0


class Connections:
    """Connections to one address on one event loop, kept for as long as its other end keeps them.

    Of an answer at most `most` bytes are read.
    """

    def __init__(self, address: str, *, most: int = MOST) -> None:
        where = urlsplit(address)
        self.host = where.netloc
        self._most = most
        self._name = where.hostname or ""
        self._tls = where.scheme == "https"
        self._port = where.port or (443 if self._tls else 80)
        self._context: ssl.SSLContext | None = None
        self._idle: deque[_Connection] = deque()

    async def send(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """One request, `host` among its headers, and its answer. Broken, or TimeoutError; it is
        never sent twice."""
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, f"content-length: {len(body)}", "\r\n"])
        async with asyncio.timeout(ANSWER):
            connection = self._kept() or await self._opened()
            try:
                connection.writer.write(head.encode() + body)
                answer, lasts = await self._answer(connection.reader)
            except (
                OSError,
                ValueError,
                LookupError,
                EOFError,
                asyncio.LimitOverrunError,
            ) as failure:
                connection.writer.transport.abort()
                raise Broken(type(failure).__name__) from failure
            except BaseException:  # cancelled: what comes now belongs to nobody
                connection.writer.transport.abort()
                raise
        self._keep(connection, lasts=lasts)
        return answer

    def close(self) -> None:
        """End all that are idle."""
        while self._idle:
            self._idle.pop().writer.close()

    def _kept(self) -> _Connection | None:
        """The one used last, if its other end is still there."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if not connection.reader.at_eof() and now - connection.used < IDLE:
                return connection
            connection.writer.transport.abort()
        return None

    def _keep(self, connection: _Connection, *, lasts: bool) -> None:
        if lasts:
            now = asyncio.get_running_loop().time()
            self._idle.append(connection._replace(used=now))
        else:
            connection.writer.close()

    async def _opened(self) -> _Connection:
        if self._tls and self._context is None:
            self._context = ssl.create_default_context()
        try:
            async with asyncio.timeout(CONNECT):
                return _Connection(
                    *await asyncio.open_connection(self._name, self._port, ssl=self._context)
                )
        except OSError as failure:
            raise Broken(type(failure).__name__) from failure

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[Answer, bool]:
        """An answer, and whether the connection lasts. ValueError for what is not one."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.rstrip().split("\r\n")
        version, code, *_ = status.split(" ", 2)
        if version != "HTTP/1.1":
            raise ValueError("not an answer of HTTP/1.1")
        parts = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in parts}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await self._chunks(reader)
        else:
            body = await reader.readexactly(self._bounded(int(headers["content-length"])))
        return Answer(int(code), body), headers.get("connection", "").lower() != "close"

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        parts: list[bytes] = []
        length = 0
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            length = self._bounded(length + size)
            parts.append((await reader.readexactly(size + 2))[:size])
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers
        return b"".join(parts)

    def _bounded(self, length: int) -> int:
        if not 0 <= length <= self._most:
            raise ValueError("an answer of that length")
        return length
