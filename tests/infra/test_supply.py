"""What is installed: locked by hash (O-12), not below a known advisory's floor (O-11), and under
licences that may be shipped."""

import json
import re
from datetime import UTC, date, datetime
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.txt"))
SHIPPED = [ROOT / "requirements.txt", ROOT / "requirements-functions.txt"]
FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text("utf-8"))
PERMISSIVE = ("mit", "bsd", "apache", "psf", "python software foundation", "isc", "mpl", "0bsd")
COPYLEFT = re.compile(r"\b(a?gpl|lgpl|gnu)", re.IGNORECASE)
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
OLDEST = 30  # days


def pinned(lock):
    """Names and versions of a lock."""
    text = lock.read_text("utf-8")
    return {name.lower().replace("_", "-"): version for name, version in PINNED.findall(text)}


def below(found, floors):
    """The packages of a lock that are older than what mended them."""
    return [
        floor["package"]
        for floor in floors
        if floor["package"] in found
        and numbers(found[floor["package"]]) < numbers(floor["fixed_in"])
    ]


def numbers(version):
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
    def test_every_package_has_its_hashes(self, lock):
        blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text("utf-8").strip())

        loose = [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]

        assert loose == []
        assert len(blocks) == len(PINNED.findall(lock.read_text("utf-8")))

    @pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
    def test_names_no_host(self, lock):
        assert "://" not in lock.read_text("utf-8")

    def test_the_functions_agree_with_the_api(self):
        api, functions = (pinned(lock) for lock in SHIPPED)

        assert {n: v for n, v in functions.items() if api.get(n) != v} == {}


class TestAdvisories:
    @pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
    def test_nothing_is_below_a_floor(self, lock):
        assert below(pinned(lock), FLOORS["floors"]) == []

    def test_what_is_installed_is_what_is_locked(self):
        """Where a floor matters: a lock that nobody installed protects nobody."""
        locked = pinned(ROOT / "requirements-dev.txt")
        guarded = [f["package"] for f in FLOORS["floors"] if f["package"] in locked]

        assert {n: distribution(n).version for n in guarded} == {n: locked[n] for n in guarded}
        assert len(guarded) >= 3

    def test_an_older_one_is_found(self):
        assert below({"pyjwt": "2.11.9", "starlette": "1.0.1"}, FLOORS["floors"]) == ["pyjwt"]

    @pytest.mark.nightly
    def test_the_table_was_looked_at_within_a_month(self):
        age = datetime.now(UTC).date() - date.fromisoformat(FLOORS["on"])  # noqa: TID251 - real age

        assert 0 <= age.days <= OLDEST


class TestLicences:
    def test_what_is_shipped_may_be(self):
        installed = {d.metadata["Name"].lower().replace("_", "-"): d for d in distributions()}
        shipped = set().union(*(pinned(lock) for lock in SHIPPED)) & set(installed)

        wrong = {n: licence(installed[n]) for n in shipped if not permitted(licence(installed[n]))}

        assert wrong == {}
        assert len(shipped) > 25

    @pytest.mark.parametrize("one", ["GPL-3.0-only", "GNU AGPL v3", "", "proprietary"])
    def test_others_are_found(self, one):
        assert not permitted(one)


def licence(found):
    """Expression, field and classifiers, whatever the package gives."""
    metadata = found.metadata
    classifiers = [c for c in metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    field = (metadata.get("License") or "").split("\n")[0]
    return " ".join([metadata.get("License-Expression") or "", field, *classifiers]).strip()


def permitted(text):
    return not COPYLEFT.search(text) and any(one in text.lower() for one in PERMISSIVE)
