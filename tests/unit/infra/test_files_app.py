import hashlib
from urllib.parse import urlsplit

import pytest
from infra.local.files_app import files_app
from infra.memory.clock import VirtualClock

from courtside.kernel.files import FileMissing
from courtside.platform.crypto import CourtKeys, LocalKeys
from courtside.platform.files import LocalFiles

DATA = "菜单".encode()
SHA = hashlib.sha256(DATA).hexdigest()


class Site:
    """The local end of uploads and downloads, asked without a socket."""

    def __init__(self, folder):
        self.clock = VirtualClock()
        self.files = LocalFiles(folder / "files", CourtKeys(LocalKeys(folder / "keys")))
        self.app = files_app(self.files, self.clock)

    def upload(self, data=DATA):
        sha256 = hashlib.sha256(data).hexdigest()
        return self.files.grant_upload(
            "C310", sha256=sha256, size=len(data), now=self.clock.now()
        ).url

    def download(self, name="菜单.xlsx"):
        return self.files.grant_download("C310", SHA, name=name, now=self.clock.now()).url

    async def ask(self, method, url, *chunks):
        """Status, headers and body of one request whose body comes in these chunks."""
        parts, waiting, sent = urlsplit(url), list(chunks), []
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path.removeprefix("/files"),
            "query_string": parts.query.encode(),
            "headers": [],
        }

        async def receive():
            body = waiting.pop(0) if waiting else b""
            return {"type": "http.request", "body": body, "more_body": bool(waiting)}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        head, *rest = sent
        body = b"".join(message.get("body", b"") for message in rest)
        self.unread = len(waiting)
        return head["status"], dict(head["headers"]), body


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


class TestPut:
    async def test_keeps_the_file_that_was_announced(self, site):
        status, _, _ = await site.ask("PUT", site.upload(), DATA[:2], DATA[2:])

        assert status == 200
        assert await site.files.read("C310", SHA) == DATA

    async def test_refuses_another_file(self, site):
        status, _, body = await site.ask("PUT", site.upload(), b"not it")

        assert status == 422
        assert "不一致" in body.decode()
        with pytest.raises(FileMissing):
            await site.files.read("C310", SHA)

    async def test_reads_no_further_than_one_chunk_too_many(self, site):
        status, _, _ = await site.ask("PUT", site.upload(), *[b"x" * 64] * 100)

        assert status == 422
        assert site.unread == 99

    async def test_refuses_an_address_that_has_expired(self, site):
        url = site.upload()
        site.clock.advance(minutes=15)

        status, _, _ = await site.ask("PUT", url, DATA)

        assert status == 403
        with pytest.raises(FileMissing):
            await site.files.read("C310", SHA)

    async def test_refuses_an_address_of_another_file(self, site):
        other = hashlib.sha256(b"other").hexdigest()

        status, _, _ = await site.ask("PUT", site.upload().replace(SHA, other), b"other")

        assert status == 403


class TestGet:
    async def test_saves_the_file_under_its_name(self, site):
        await site.files.put("C310", DATA)

        status, headers, body = await site.ask("GET", site.download())

        assert (status, body) == (200, DATA)
        assert headers[b"content-disposition"].endswith(b"%E8%8F%9C%E5%8D%95.xlsx")

    async def test_does_not_take_an_upload_s_address(self, site):
        await site.files.put("C310", DATA)

        status, _, body = await site.ask("GET", site.upload())

        assert status == 403
        assert DATA not in body

    async def test_says_in_both_languages_that_there_is_none(self, site):
        status, _, body = await site.ask("GET", site.download())

        assert status == 404
        assert "重新上传" in body.decode()
        assert "upload it again" in body.decode()
