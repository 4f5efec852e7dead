"""What a module's factories add to the tests that go over all modules.

`testkit/factories/<module>.py` may hold `lives`, which lets the module's things come to be in a
court that is looked at from outside, and MUTATIONS: how each of its mutations is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

FACTORIES = Path(__file__).with_name("factories")
OFFICER = "O1"  # a logistics officer, who is there wherever mutations are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who sends a mutation with which input, and in what a second input differs. The situation
    fills `$names` in."""

    by: str
    given: Mapping[str, Any]
    other: Mapping[str, Any]


def joined(name: str) -> list[Any]:
    """Everything of that name in the modules' factories."""
    files = sorted(file.stem for file in FACTORIES.glob("*.py") if file.stem != "__init__")
    found = [import_module(f"testkit.factories.{file}") for file in files]
    return [getattr(file, name) for file in found if hasattr(file, name)]
