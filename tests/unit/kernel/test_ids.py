"""Identifiers: random, in order of time where asked, opaque and typed outside."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courtside.kernel.errors import InvalidInput
from courtside.kernel.ids import (
    ALPHABET,
    LONGEST_PART,
    decode,
    encode,
    from_digest,
    new_id,
    short_id,
)

parts = st.text("ABCxyz019-_:中文", min_size=1, max_size=20)
instants = st.datetimes(datetime(2025, 1, 2), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


class TestNewId:
    @given(instants, st.integers(1, 10**9))
    def test_sorts_by_the_millisecond(self, at: datetime, later: int) -> None:
        first, second = new_id(at), new_id(at + timedelta(milliseconds=later))

        assert first[:9] < second[:9]
        assert len(first) == 20
        assert set(first) <= set(ALPHABET)

    def test_does_not_repeat_within_one(self) -> None:
        at = datetime(2026, 3, 2, tzinfo=UTC)

        assert len({new_id(at) for _ in range(2000)}) == 2000

    def test_short_ones_can_be_read_aloud(self) -> None:
        assert not set("ILOU") & set(short_id(200))


class TestFromDigest:
    @given(st.binary(min_size=16, max_size=32))
    def test_is_a_prefix_of_the_longer(self, digest: bytes) -> None:
        assert from_digest(digest, 20).startswith(from_digest(digest, 10))
        assert len(from_digest(digest, 20)) == 20

    def test_tells_digests_apart_by_their_first_bits(self) -> None:
        assert from_digest(b"\x00" * 16, 4) == "0000"
        assert from_digest(b"\x80" + b"\x00" * 15, 4) == "G000"


class TestOpaqueIds:
    @given(st.lists(parts, min_size=1, max_size=4))
    def test_lead_back_to_their_parts(self, made: list[str]) -> None:
        assert decode("Canteen", encode("Canteen", *made), len(made)) == tuple(made)

    @given(parts)
    def test_are_of_one_kind(self, part: str) -> None:
        with pytest.raises(InvalidInput):
            decode("Canteen", encode("Order", part))

    @pytest.mark.parametrize("part", ["A#B", "A\nB", "A\x00", "", "A\u2028B"])
    def test_hold_nothing_that_could_leave_a_storage_key(self, part: str) -> None:
        with pytest.raises(InvalidInput):
            decode("Canteen", encode("Canteen", part))

    def test_have_parts_of_a_bounded_length(self) -> None:
        longest = "A" * LONGEST_PART

        assert decode("Canteen", encode("Canteen", longest)) == (longest,)
        with pytest.raises(InvalidInput):
            decode("Canteen", encode("Canteen", longest + "A"))

    @pytest.mark.parametrize("opaque", ["", "x", "!!!!", "Q2FudGVlbg", "汉字", "A" * 5000])
    def test_nothing_else_is_one(self, opaque: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            decode("Canteen", opaque, path=("input", "canteen"))

        assert caught.value.path == ("input", "canteen")
        assert caught.value.field == "canteen"

    def test_have_one_spelling(self) -> None:
        opaque = encode("Canteen", "A")
        padded = base64.urlsafe_b64encode(b"Canteen\nA").decode()

        for other in (padded, opaque + "=", opaque + "\n"):
            if other != opaque:
                with pytest.raises(InvalidInput):
                    decode("Canteen", other)
