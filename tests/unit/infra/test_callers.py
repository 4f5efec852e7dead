import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from infra.local.callers import caller, signed_in
from infra.local.data import DataFolder, write_json

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> DataFolder:
    """A folder with the demo court, and one that was made by name."""
    for name in ("AS", "SUBJECT", "COURT", "CLIENT"):
        monkeypatch.delenv(name, raising=False)
    found = DataFolder(tmp_path)
    write_json(found.demo, {"until": datetime(2026, 3, 13, tzinfo=UTC).isoformat()})
    write_json(found.people, {"administrator": {"court": "C320", "subject": "A0001"}})
    return found


def claims(token: str) -> tuple[str, str, str]:
    told = jwt.decode(token, options={"verify_signature": False})
    return told["court"], told["sub"], told["client_id"]


class TestSignedIn:
    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"AS": "judge"}, ("C310", "judge", "web")),
            ({"AS": "0007", "CLIENT": "phone"}, ("C310", "0007", "phone")),
            ({"AS": "administrator"}, ("C320", "A0001", "web")),
            ({"SUBJECT": "N1", "COURT": "C320"}, ("C320", "N1", "web")),
        ],
    )
    def test_knows_names_and_takes_subjects(self, folder, monkeypatch, given, told):
        for name, value in given.items():
            monkeypatch.setenv(name, value)

        assert claims(signed_in(folder)) == told

    @pytest.mark.parametrize(
        ("given", "line"),
        [
            ({}, "!! say who:"),
            ({"AS": "jugde"}, "!! nobody is called jugde:"),
            ({"AS": "judge", "COURT": "C320"}, "!! nobody is called judge in C320:"),
        ],
    )
    def test_says_who_there_is_with_which_role(self, folder, monkeypatch, capsys, given, line):
        for name, value in given.items():
            monkeypatch.setenv(name, value)

        with pytest.raises(SystemExit):
            signed_in(folder)

        told = capsys.readouterr().err.splitlines()
        assert told[0] == line
        assert [each.split() for each in told[1:3]] == [
            ["AS=administrator", "ADMINISTRATOR"],
            ["AS=admin", "ADMINISTRATOR"],
        ]
        assert ["AS=kitchen", "KITCHEN"] in [each.split() for each in told]
        assert ["AS=0001", "MEMBER"] in [each.split() for each in told]
        assert len(told) < 20

    def test_says_who_asked(self, folder, monkeypatch):
        monkeypatch.setenv("AS", "judge")
        assert caller() == "AS=judge"

        monkeypatch.setenv("SUBJECT", "N1")
        assert caller() == "SUBJECT=N1"


class TestMake:
    def test_hands_nobody_on_where_nobody_was_named(self):
        """make has an AS of its own: the assembler."""
        environment = {k: v for k, v in os.environ.items() if k != "AS"}
        done = subprocess.run(
            ["make", "-pn", "help"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

        values = [
            line.partition("=")[2]
            for line in done.stdout.splitlines()
            if line.startswith(("AS =", "AS :="))
        ]
        assert [value.strip() for value in values] == [""]
