"""The records of decisions can be told apart by their numbers."""

from collections import Counter
from pathlib import Path

RECORDS = sorted((Path(__file__).resolve().parents[2] / "docs" / "adr").glob("*.md"))


class TestRecords:
    def test_have_a_number_each(self):
        numbers = Counter(path.name[:4] for path in RECORDS)

        assert [number for number, count in numbers.items() if count > 1] == []

    def test_say_their_number_first(self):
        other = [
            path.name
            for path in RECORDS
            if not path.read_text("utf-8").startswith(f"# {path.name[:4]}. ")
        ]

        assert other == []
