"""P-02: nothing in code or template sends data out of the mainland (PIPL 36)."""

import re
from pathlib import Path

import pytest

from courtside.platform import aws
from courtside.platform.settings import from_environment
from testkit.figures import record

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted((ROOT / "functions").rglob("*.py"))
# Names of XML vocabularies, which nobody fetches; and this machine.
NAMES = {"schemas.openxmlformats.org", "127.0.0.1"}
_HOST = re.compile(r"https?://([^/\s\"'):]+)")
_REGION = re.compile(r"\b(?!cn-)[a-z]{2}(?:-gov)?-(?:north|south|east|west|central)[a-z]*-\d\b")


def hosts(text: str) -> set[str]:
    """Hosts in a text that are written out; those of settings stand in braces."""
    return {host for host in _HOST.findall(text) if "{" not in host}


class TestCode:
    def test_names_no_host(self):
        found = {host for file in CODE for host in hosts(file.read_text("utf-8"))}

        assert found - NAMES == set()
        record("P-02", "foreign hosts", len(found - NAMES))

    def test_a_host_would_be_found(self):
        assert hosts('fetch("https://metrics.example.com/x")') == {"metrics.example.com"}

    @pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
    def test_reaches_the_services_of_its_own_region(self, region, monkeypatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        settings = from_environment(
            {
                "COURTSIDE_STAGE": "test",
                "AWS_REGION": region,
                "COURTSIDE_URL_SUFFIX": "amazonaws.com.cn",
            }
        )

        reached = [settings.endpoint]
        reached += [aws._service(n, "x", settings)._where.geturl() for n in ("kms", "sqs")]
        assert reached == [
            f"https://{name}.{region}.amazonaws.com.cn" for name in ("dynamodb", "kms", "sqs")
        ]


class TestTemplate:
    def test_names_no_region_and_copies_nothing_to_another(self):
        text = (ROOT / "template.yaml").read_text("utf-8")

        assert _REGION.findall(text) == []
        for word in ("GlobalTable\n", "ReplicationConfiguration", "Replicas:", "CopyActions"):
            assert word not in text

    def test_a_region_abroad_would_be_found(self):
        assert _REGION.findall("Region: eu-central-1 and cn-north-1") == ["eu-central-1"]
