"""HTTP over streams against a server that says whatever it is told, byte by byte."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from courtside.platform import connections
from courtside.platform.connections import Answer, Broken, Connections

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
END = (b"0", b"Trailer: 1", b"", b"")
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each request with the next of its texts; None ends the connection, `...` waits."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.asked: list[bytes] = []
        self.was_asked = asyncio.Event()
        self.opened = 0
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.rpartition(b"content-length: ")[2])
                self.asked.append(head + await reader.readexactly(length))
                self.was_asked.set()
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                if answer == b"...":
                    await asyncio.sleep(60)
        except (EOFError, OSError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield found
    listening.close()


@pytest.fixture
async def opened(server: Server) -> AsyncIterator[Connections]:
    found = Connections(server.address, most=100)
    yield found
    found.close()


async def ask(opened: Connections) -> Answer:
    return await opened.send("POST", "/", headers={"host": opened.host}, body=b"{1}")


class TestSend:
    async def test_sends_the_whole_request_once(self, server, opened):
        server.answers = [FINE]

        assert await ask(opened) == Answer(200, b"{}")

        host = server.address.removeprefix("http://").encode()
        assert server.asked == [
            b"POST / HTTP/1.1\r\nhost: " + host + b"\r\ncontent-length: 3\r\n\r\n{1}"
        ]

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (b"HTTP/1.1 400 Bad Request\r\ncontent-length:3\r\nX: y\r\n\r\nabc", (400, b"abc")),
            (b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n", (500, b"")),
            (
                b"\r\n".join([CHUNKED, b"", b"3", b"abc", b"A;x=y", b"0123456789", *END]),
                (200, b"abc0123456789"),
            ),
        ],
    )
    async def test_reads_a_length_or_chunks(self, server, opened, answer, expected):
        server.answers = [answer, FINE]

        assert await ask(opened) == expected

        assert await ask(opened) == Answer(200, b"{}")
        assert server.opened == 1

    @pytest.mark.parametrize(
        "answer",
        [
            None,
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
            CHUNKED + b"\r\n\r\nFF\r\n" + b"x" * 255,
            CHUNKED + b"\r\n\r\n-1\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\n\r\n{}",
            b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
            b"\r\n\r\n",
        ],
    )
    async def test_takes_nothing_else_for_an_answer(self, server, opened, answer):
        """D-17: whatever was asked may have been done, and is not asked again here."""
        server.answers = [answer]

        with pytest.raises(Broken):
            await ask(opened)

        server.answers = [FINE]
        assert await ask(opened) == Answer(200, b"{}")
        assert (len(server.asked), server.opened) == (2, 2)

    async def test_of_a_part_of_an_answer_nothing_is_believed(self, server, opened):
        server.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"]

        with pytest.raises(Broken):
            await ask(opened)

    async def test_waits_no_longer_than_it_should(self, server, opened, monkeypatch):
        monkeypatch.setattr(connections, "ANSWER", 0.02)
        server.answers = [b"...", FINE]

        with pytest.raises(TimeoutError):
            await ask(opened)

        assert await ask(opened) == Answer(200, b"{}")
        assert server.opened == 2

    async def test_nobody_is_answered_with_what_another_asked(self, server, opened):
        """A request that was given up takes its connection with it."""
        server.answers = [b"...", FINE]
        asking = asyncio.create_task(ask(opened))
        await server.was_asked.wait()

        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

        assert await ask(opened) == Answer(200, b"{}")
        assert server.opened == 2

    async def test_says_when_nobody_is_there(self):
        nobody = Connections("http://127.0.0.1:1")

        with pytest.raises(Broken):
            await ask(nobody)

    async def test_trusts_no_certificate_that_the_machine_does_not(self, server):
        """What answers without TLS where TLS was asked for is nobody."""
        server.answers = [FINE]

        with pytest.raises(Broken):
            await ask(Connections(server.address.replace("http:", "https:")))


class TestConnections:
    async def test_are_as_many_as_there_are_requests_at_once(self, server, opened):
        server.answers = [FINE] * 9

        await asyncio.gather(*(ask(opened) for _ in range(3)))
        for _ in range(6):
            await ask(opened)

        assert server.opened == 3

    async def test_are_not_used_after_the_other_end_closed_them(self, server, opened):
        server.answers = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]
        await ask(opened)
        server.answers = [FINE]
        await ask(opened)  # the server has nothing more to say, and ends it
        await asyncio.sleep(0.01)
        server.answers = [FINE]

        assert await ask(opened) == Answer(200, b"{}")
        assert server.opened == 3

    async def test_are_not_used_after_long_rest(self, server, opened, monkeypatch):
        server.answers = [FINE] * 2
        await ask(opened)
        monkeypatch.setattr(connections, "IDLE", 0.0)

        await ask(opened)

        assert server.opened == 2
