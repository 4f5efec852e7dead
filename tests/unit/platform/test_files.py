import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest

from courtside.kernel.errors import InvalidInput
from courtside.kernel.files import MAX_FILE, FileMissing, FileTooLarge
from courtside.platform.crypto import CourtKeys, LocalKeys
from courtside.platform.files import GRANTED_FOR, BucketFiles, LocalFiles, disposition
from courtside.platform.settings import Settings, table_names

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DATA = "菜单".encode()
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def files(tmp_path):
    return LocalFiles(tmp_path / "files", CourtKeys(LocalKeys(tmp_path / "keys")))


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    settings = Settings(
        stage="test",
        region="cn-north-1",
        endpoint="https://dynamodb.cn-north-1.amazonaws.com.cn",
        tables=table_names("test"),
        bucket="courtside-test",
    )
    return BucketFiles(settings, boto3.client("s3", region_name="cn-north-1"))


def asked(url):
    parts = urlsplit(url)
    _, _, court, file_id = parts.path.split("/")
    return court, file_id, dict(parse_qsl(parts.query))


class TestGrantUpload:
    def test_permits_exactly_what_was_granted(self, files):
        grant = files.grant_upload("C310", sha256=SHA, size=len(DATA), now=NOW)

        court, file_id, query = asked(grant.url)

        assert grant.file_id == SHA
        assert grant.expires_at == NOW + GRANTED_FOR
        assert files.permits("PUT", court, file_id, query, now=NOW)

    def test_grants_the_same_file_the_same_place(self, files):
        first = files.grant_upload("C310", sha256=SHA, size=len(DATA), now=NOW)
        second = files.grant_upload("C310", sha256=SHA, size=len(DATA), now=NOW)

        assert first == second

    @pytest.mark.parametrize(
        ("method", "court", "changed"),
        [
            ("GET", "C310", {}),
            ("PUT", "C311", {}),
            ("PUT", "C310", {"about": "7"}),
            ("PUT", "C310", {"until": "9999999999"}),
            ("PUT", "C310", {"signature": "0" * 64}),
            ("PUT", "C310", {"signature": "张"}),
            ("PUT", "C310", {"signature": "", "until": "x"}),
        ],
    )
    def test_permits_nothing_else(self, files, method, court, changed):
        _, file_id, query = asked(
            files.grant_upload("C310", sha256=SHA, size=len(DATA), now=NOW).url
        )

        assert not files.permits(method, court, file_id, query | changed, now=NOW)

    def test_ends_at_its_instant_exclusively(self, files):
        grant = files.grant_upload("C310", sha256=SHA, size=len(DATA), now=NOW)
        court, file_id, query = asked(grant.url)
        last = grant.expires_at - timedelta(microseconds=1)

        assert files.permits("PUT", court, file_id, query, now=last)
        assert not files.permits("PUT", court, file_id, query, now=grant.expires_at)

    @pytest.mark.parametrize("sha256", ["", "../etc/passwd", SHA.upper(), SHA + "0"])
    def test_refuses_what_is_no_hash(self, files, sha256):
        with pytest.raises(InvalidInput):
            files.grant_upload("C310", sha256=sha256, size=1, now=NOW)

    @pytest.mark.parametrize(("size", "refusal"), [(0, InvalidInput), (MAX_FILE + 1, FileTooLarge)])
    def test_refuses_empty_and_large_files(self, files, size, refusal):
        with pytest.raises(refusal):
            files.grant_upload("C310", sha256=SHA, size=size, now=NOW)


class TestAccept:
    async def test_keeps_the_granted_file(self, files):
        assert files.accept("C310", SHA, len(DATA), DATA)

        assert await files.read("C310", SHA) == DATA

    @pytest.mark.parametrize("data", [b"other", DATA + b" ", b""])
    async def test_keeps_nothing_else(self, files, data):
        assert not files.accept("C310", SHA, len(DATA), data)

        with pytest.raises(FileMissing):
            await files.read("C310", SHA)


class TestRead:
    async def test_keeps_courts_apart(self, files):
        file_id = await files.put("C310", DATA)

        with pytest.raises(FileMissing):
            await files.read("C311", file_id)

    async def test_reads_no_more_than_the_limit(self, files):
        file_id = await files.put("C310", DATA)

        assert await files.read("C310", file_id, limit=len(DATA)) == DATA
        with pytest.raises(FileTooLarge):
            await files.read("C310", file_id, limit=len(DATA) - 1)

    async def test_never_leaves_its_folder(self, files):
        with pytest.raises(InvalidInput):
            await files.read("C310", "../keys/C310.key")


class TestBucketFiles:
    def test_signs_length_type_and_checksum(self, bucket):
        grant = bucket.grant_upload("C310", sha256=SHA, size=len(DATA), now=NOW)

        parts = urlsplit(grant.url)
        signed = dict(parse_qsl(parts.query))["X-Amz-SignedHeaders"].split(";")
        assert parts.path == f"/C310/{SHA}"
        assert parts.hostname.endswith(".amazonaws.com.cn")
        assert {"content-length", "content-type", "x-amz-checksum-sha256"} <= set(signed)
        assert set(map(str.lower, grant.headers)) == set(signed) - {"content-length", "host"}

    def test_serves_a_file_under_its_name(self, bucket):
        grant = bucket.grant_download("C310", SHA, name="菜单-错误.xlsx", now=NOW)

        query = dict(parse_qsl(urlsplit(grant.url).query))
        assert query["response-content-disposition"] == disposition("菜单-错误.xlsx")
        assert disposition("菜单-错误.xlsx").isascii()
