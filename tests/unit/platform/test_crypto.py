import stat

import pytest

from courtside.platform.crypto import KEY_BYTES, CourtKeys, KmsKeys, LocalKeys


class FakeKms:
    """KMS as far as a wrapped key needs it: the ciphertext is bound to its encryption context."""

    def __init__(self):
        self.made = 0
        self.opened = 0

    def generate_data_key_without_plaintext(self, *, KeyId, KeySpec, EncryptionContext):  # noqa: N803
        assert (KeyId, KeySpec) == ("alias/court", "AES_256")
        self.made += 1
        return {"CiphertextBlob": f"{EncryptionContext['court']}:{self.made}".encode()}

    def decrypt(self, *, CiphertextBlob, KeyId, EncryptionContext):  # noqa: N803
        court, _, number = CiphertextBlob.decode().partition(":")
        assert (KeyId, EncryptionContext) == ("alias/court", {"court": court})
        self.opened += 1
        return {"Plaintext": f"{court}{number}".encode().ljust(KEY_BYTES, b".")}


class Taken(Exception):
    pass


class FakeTables:
    class exceptions:  # noqa: N801 - as boto3 names it
        ConditionalCheckFailedException = Taken

    def __init__(self):
        self.items = {}
        self.first = None

    def get_item(self, *, TableName, Key, ConsistentRead):  # noqa: N803
        assert TableName == "keys"
        assert ConsistentRead
        item = self.items.get(Key["pk"]["S"])
        return {"Item": item} if item else {}

    def put_item(self, *, TableName, Item, ConditionExpression):  # noqa: N803
        assert (TableName, ConditionExpression) == ("keys", "attribute_not_exists(pk)")
        if self.first is not None:  # another container gets in between
            self.items[Item["pk"]["S"]], self.first = self.first, None
        if Item["pk"]["S"] in self.items:
            raise Taken
        self.items[Item["pk"]["S"]] = Item


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


class TestCourtKeys:
    def test_differ_by_court_purpose_and_data(self, folder):
        keys = CourtKeys(LocalKeys(folder))

        digests = {
            keys.digest("C310", "person", b"1"),
            keys.digest("C310", "person", b"2"),
            keys.digest("C310", "cursors", b"1"),
            keys.digest("C311", "person", b"1"),
        }

        assert len(digests) == 4
        assert {len(digest) for digest in digests} == {32}

    def test_say_the_same_after_a_restart(self, folder):
        before = CourtKeys(LocalKeys(folder)).digest("C310", "person", b"1")

        after = CourtKeys(LocalKeys(folder)).digest("C310", "person", b"1")

        assert before == after


class TestLocalKeys:
    def test_makes_a_file_that_only_its_owner_may_read(self, folder):
        LocalKeys(folder).key("C310")

        (file,) = folder.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.stat().st_size == KEY_BYTES

    def test_keeps_the_key_of_whoever_was_first(self, folder, monkeypatch):
        first = LocalKeys(folder).key("C310")
        monkeypatch.setattr("pathlib.Path.read_bytes", _missing_once(folder))

        second = LocalKeys(folder).key("C310")

        assert second == first
        assert len(list(folder.iterdir())) == 1

    def test_refuses_a_key_that_was_cut_short(self, folder):
        LocalKeys(folder).key("C310")
        (folder / "C310.key").write_bytes(b"short")

        with pytest.raises(ValueError, match="5 bytes"):
            LocalKeys(folder).key("C310")

    @pytest.mark.parametrize("court", ["", "../C310", "C#1", "a" * 33])
    def test_never_leaves_its_folder(self, folder, court):
        with pytest.raises(ValueError, match="court's code"):
            LocalKeys(folder).key(court)

        assert not folder.exists()


class TestKmsKeys:
    def test_makes_a_court_its_key_once(self):
        kms, tables = FakeKms(), FakeTables()
        source = KmsKeys(kms, tables, kms_key="alias/court", table="keys")

        first, again = source.key("C310"), source.key("C310")

        assert first == again
        assert kms.made == 1

    def test_takes_the_key_of_the_container_that_was_first(self):
        kms, tables = FakeKms(), FakeTables()
        tables.first = {"pk": {"S": "C310#KEYS"}, "wrapped": {"B": b"C310:9"}}

        key = KmsKeys(kms, tables, kms_key="alias/court", table="keys").key("C310")

        assert key.startswith(b"C3109")

    def test_opens_a_key_once_a_container(self):
        kms = FakeKms()
        keys = CourtKeys(KmsKeys(kms, FakeTables(), kms_key="alias/court", table="keys"))

        for _ in range(5):
            keys.digest("C310", "person", b"1")

        assert kms.opened == 1


def _missing_once(folder):
    original = type(folder).read_bytes
    calls = []

    def read(path):
        calls.append(path)
        if len(calls) == 1:
            raise FileNotFoundError
        return original(path)

    return read
