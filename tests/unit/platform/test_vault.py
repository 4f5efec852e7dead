"""What is kept once stays as it is, in a folder and in a bucket."""

import base64
import hashlib
from datetime import UTC, datetime
from io import BytesIO

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from courtside.platform.settings import Settings, table_names
from courtside.platform.vault import BucketVault, FolderVault, Kept, NotKept, vault

COURT = "C310"
AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path) -> FolderVault:
    return FolderVault(tmp_path / "vault")


class TestFolder:
    async def test_keeps_once_and_read_only(self, folder, tmp_path):
        first = await folder.keep(COURT, "b.json", b"one")
        again = await folder.keep(COURT, "b.json", b"two")

        assert (first, again) == (True, False)
        assert await folder.read(COURT, Kept("b.json")) == b"one"
        (file,) = (tmp_path / "vault" / COURT).iterdir()  # no draft is left
        assert file.stat().st_mode & 0o777 == 0o400

    async def test_pages_by_name(self, folder):
        for name in ("c", "a", "b"):
            await folder.keep(COURT, name, b"")

        assert await folder.page(COURT, most=2) == [Kept("a"), Kept("b")]
        assert await folder.page(COURT, after="b") == [Kept("c")]
        assert await folder.page("C999") == []

    async def test_holds_nothing_else(self, folder):
        with pytest.raises(NotKept):
            await folder.read(COURT, Kept("a"))

    async def test_shows_no_draft_of_a_writer_that_was_killed(self, folder, tmp_path):
        await folder.keep(COURT, "a", b"one")
        (tmp_path / "vault" / COURT / ".b.0f0f").write_bytes(b"half")

        assert await folder.page(COURT) == [Kept("a")]

    @pytest.mark.parametrize("court", ["..", "../C310", "a/b"])
    async def test_never_leaves_its_folder(self, folder, tmp_path, court):
        await folder.keep(court.replace("..", "%2E%2E"), "a", b"")

        assert [path.name for path in tmp_path.iterdir()] == ["vault"]


@pytest.fixture
def client(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    return boto3.client("s3", region_name="cn-north-1")


@pytest.fixture
def s3(client):
    """Answers in turn what the service would, and checks each call against its model."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def bucket(client, s3) -> BucketVault:
    return BucketVault(settings(vault="seals"), client)


def settings(**told) -> Settings:
    return Settings(
        stage="test", region="cn-north-1", endpoint="", tables=table_names("test"), **told
    )


def version(name: str, number: str) -> dict:
    return {"Key": f"{COURT}/{name}", "VersionId": number, "LastModified": AT}


LISTED = {"Bucket": "seals", "Prefix": f"{COURT}/", "MaxKeys": 1000}


class TestBucket:
    async def test_writes_under_the_condition_that_there_is_nothing(self, bucket, s3):
        digest = base64.b64encode(hashlib.sha256(b"one").digest()).decode()
        asked = {
            "Bucket": "seals",
            "Key": "C310/a.json",
            "Body": b"one",
            "IfNoneMatch": "*",
            "ContentType": "application/json",
            "ChecksumSHA256": digest,
        }
        s3.add_response("put_object", {"VersionId": "1"}, asked)
        s3.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
        s3.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)

        kept = [await bucket.keep(COURT, "a.json", b"one") for _ in range(3)]

        assert kept == [True, False, False]

    async def test_lets_other_refusals_through(self, bucket, client, s3):
        s3.add_client_error("put_object", "AccessDenied", http_status_code=403)

        with pytest.raises(client.exceptions.ClientError):
            await bucket.keep(COURT, "a.json", b"one")

    async def test_names_the_first_version_and_tells_what_was_put_over_it(self, bucket, s3):
        told = {
            "IsTruncated": False,
            "Versions": [version("a", "1"), version("b", "2"), version("b", "1")],
            "DeleteMarkers": [version("c", "9")],
        }
        s3.add_response("list_object_versions", told, LISTED)
        s3.add_response(
            "list_object_versions",
            {**told, "Versions": [*told["Versions"], version("c", "1")]},
            LISTED,
        )

        assert await bucket.page(COURT) == [Kept("a", "1"), Kept("b", "1", touched=True)]
        assert await bucket.page(COURT, most=3) == [
            Kept("a", "1"),
            Kept("b", "1", touched=True),
            Kept("c", "1", touched=True),
        ]

    async def test_goes_on_within_the_versions_of_one_name(self, bucket, s3):
        s3.add_response(
            "list_object_versions",
            {
                "IsTruncated": True,
                "Versions": [version("b", "2")],
                "NextKeyMarker": "C310/b",
                "NextVersionIdMarker": "2",
            },
            {**LISTED, "KeyMarker": "C310/a"},
        )
        s3.add_response(
            "list_object_versions",
            {"IsTruncated": False, "Versions": [version("b", "1")]},
            {**LISTED, "KeyMarker": "C310/b", "VersionIdMarker": "2"},
        )

        assert await bucket.page(COURT, after="a") == [Kept("b", "1", touched=True)]

    async def test_stops_listing_when_it_has_enough(self, bucket, s3):
        told = {
            "IsTruncated": True,
            "Versions": [version("a", "1"), version("b", "1")],
            "NextKeyMarker": "C310/b",
            "NextVersionIdMarker": "1",
        }
        s3.add_response("list_object_versions", told, LISTED)

        assert await bucket.page(COURT, most=1) == [Kept("a", "1")]

    async def test_reads_the_first_version(self, bucket, s3):
        body = StreamingBody(BytesIO(b"one"), 3)
        asked = {"Bucket": "seals", "Key": "C310/a", "VersionId": "1"}
        s3.add_response("get_object", {"Body": body}, asked)
        s3.add_client_error("get_object", "NoSuchKey", http_status_code=404)

        assert await bucket.read(COURT, Kept("a", "1")) == b"one"
        with pytest.raises(NotKept):
            await bucket.read(COURT, Kept("z"))


class TestChoice:
    def test_is_a_folder_where_data_is_local(self, tmp_path):
        assert isinstance(vault(settings(local=str(tmp_path))), FolderVault)
        assert isinstance(vault(settings(vault="seals")), BucketVault)
