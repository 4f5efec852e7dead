"""The README's walk, done as printed: its commands in a shell, its answers compared."""

import subprocess

import pytest

from testkit.readme import differs, section, steps
from testkit.running import PATIENCE, ROOT, environment, running

MARK = "== walked"
ENGLISH = steps(section(ROOT / "README.md", "A walk"))
CHINESE = steps(section(ROOT / "README.zh.md", "走一遍"))


class Walk:
    """The printed folder `.walk` lies somewhere else; all else is as printed."""

    def __init__(self, folder):
        self.folder = folder

    def placed(self, text):
        return text.replace(".walk", str(self.folder))

    def served(self, command):
        return running(self.placed(command), self.folder)

    def walked(self, blocks):
        """What each block printed, one shell for all."""
        script = "\n".join(f"{self.placed(block)}\necho '{MARK}'" for block in blocks)
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.stderr == ""
        assert done.returncode == 0
        return [part.strip("\n") for part in done.stdout.split(f"{MARK}\n")[: len(blocks)]]


@pytest.fixture
def walk(tmp_path):
    return Walk(tmp_path / "walk")


class TestWalk:
    def test_is_the_same_in_both_languages(self):
        assert CHINESE == ENGLISH

    def test_shows_the_answers_that_are_printed(self, walk):
        start, *others = ENGLISH

        with walk.served(start.commands) as said:
            printed = [said, *walk.walked([step.commands for step in others])]

        for step, told in zip(ENGLISH, printed, strict=True):
            difference = differs(told, walk.placed(step.answer or ""))
            assert difference is None, f"{step.commands}\n{difference}\nprinted:\n{told}"


class TestDiffers:
    @pytest.mark.parametrize(
        ("printed", "expected"),
        [
            ("a\nb", "a\nb"),
            ('"id": "x7"', '"id": "…"'),
            ("[\n 1,\n 2,\n 3\n]", "[\n 1,\n …\n]"),
        ],
    )
    def test_takes_what_is_promised(self, printed, expected):
        assert differs(printed, expected) is None

    @pytest.mark.parametrize(
        ("printed", "expected", "missing"),
        [
            ("a\nc\nd", "a\nb\nd", "b"),
            ("a\nb\nc", "a\nb", "b"),
            ("a", "a\nb", "b"),
            ('"id": "x"\nz', '"id": "…"', '"id": "…"'),
            ("[\n 1,\n 2\n}", "[\n …\n]", "]"),
        ],
    )
    def test_names_the_first_line_that_is_not(self, printed, expected, missing):
        assert differs(printed, expected).endswith(missing)
