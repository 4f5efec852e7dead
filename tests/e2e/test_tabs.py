"""Every tab of GraphiQL, run in order by the page's own code against a served demo."""

import json
import re
import shutil
import subprocess

import pytest
from infra.local.graphiql import ROLES, tabs

from testkit.running import PATIENCE, ROOT, running

# As in the walk: the menu first, a refusal for the clerk, the meal ordered, counted, handed out.
ORDER = ("judge", "kitchen", "clerk", "window", "officer", "finance", "admin")
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def pressed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tabs") / "data"
    command = f"make run DATA={folder} NOW=2026-03-02T08:30+08:00"
    with running(command, folder) as said:
        url = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
        done = subprocess.run(
            [NODE, "tests/e2e/press_run.mjs", url, *ORDER],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


class TestTabs:
    def test_are_all_pressed(self, pressed):
        assert set(ORDER) == set(ROLES)
        assert [(one["role"], one["operation"]) for one in pressed] == [
            (role, tab["run"].rpartition("/")[2]) for role in ORDER for tab in tabs()[role]
        ]

    def test_leave_nothing_open(self, pressed):
        assert [one for one in pressed if "<" in one["variables"]] == []

    def test_answer_as_they_are_meant_to(self, pressed):
        meant = [tab.get("answers") for role in ORDER for tab in tabs()[role]]

        wrong = [
            one for code, one in zip(meant, pressed, strict=True) if _code(one["answer"]) != code
        ]

        assert wrong == [], json.dumps(wrong[0], ensure_ascii=False, indent=1)


def _code(answer):
    """The code of what was refused; None if nothing was."""
    (found,) = (answer.get("data") or {"-": answer}).values()
    errors = found.get("errors") or () if isinstance(found, dict) else ()
    return next((one.get("code") or one["extensions"]["code"] for one in errors), None)
