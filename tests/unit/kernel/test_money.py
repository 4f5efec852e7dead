"""Yuan outside, fen inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courtside.kernel.money import fen, yuan


@given(st.integers(-(10**14) + 1, 10**14 - 1))
def test_there_and_back(amount: int) -> None:
    assert fen(yuan(amount)) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [("12.5", 1250), ("0", 0), ("-0.01", -1), (" 3.00 ", 300), ("007", 700), ("0.10", 10)],
)
def test_reads_what_people_write(text: str, amount: int) -> None:
    assert fen(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12.505",
        "1e3",
        "١٢",
        "12,50",
        "+1",
        ".5",
        "5.",
        "--1",
        "NaN",
        "1 000",
        "9" * 13,
        "1\n.5",
    ],
)
def test_refuses_all_else(text: str) -> None:
    with pytest.raises(ValueError, match="expected yuan"):
        fen(text)
