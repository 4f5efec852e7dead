"""Users read Chinese first: what the schema and refusals say is there in both languages."""

import importlib
import pkgutil
import re

import pytest
from graphql import (
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_specified_scalar_type,
)

from courtside import kernel, modules
from courtside.entrypoints.schema import schema
from courtside.kernel.errors import Refusal, Text
from courtside.kernel.sheets import PROBLEMS

GRAPHQL = schema._schema
FACT = re.compile(r"\{\w+\}")  # a sentence that is chosen elsewhere
HAN = re.compile(r"[\u4e00-\u9fff]")
MODULES = sorted(found.name for found in pkgutil.iter_modules(modules.__path__) if found.ispkg)


def descriptions() -> dict[str, str]:
    """What a reader of the schema sees, by where it stands; the list of codes left out."""
    kinds = {
        name: kind
        for name, kind in GRAPHQL.type_map.items()
        if not name.startswith("__") and not is_specified_scalar_type(kind)
    }
    found = {name: kind.description for name, kind in kinds.items()}
    for name, kind in kinds.items():
        if is_object_type(kind) or is_interface_type(kind) or is_input_object_type(kind):
            found |= {f"{name}.{each}": field.description for each, field in kind.fields.items()}
        elif is_enum_type(kind):
            found |= {f"{name}.{each}": value.description for each, value in kind.values.items()}
    shown = {where: (told or "").partition("Codes: ")[0].strip() for where, told in found.items()}
    return {where: told for where, told in shown.items() if told}


def is_chinese_first(told: str) -> bool:
    return HAN.search(told.partition(" / ")[0]) is not None


def texts() -> dict[str, Text]:
    """Every refusal's sentence, and what modules call their things in the refusals of all."""
    for name in MODULES:
        importlib.import_module(f"courtside.modules.{name}.errors")
    for found in pkgutil.iter_modules(kernel.__path__):
        importlib.import_module(f"courtside.kernel.{found.name}")
    told = {f"{r.__module__}.{r.__name__}": r.text for r in _below(Refusal) if hasattr(r, "text")}
    told |= {f"courtside.{problem}": text for problem, text in PROBLEMS.items()}
    told = {where: text for where, text in told.items() if not FACT.fullmatch(text.zh)}
    for name in MODULES:
        own = vars(importlib.import_module(f"courtside.modules.{name}.errors"))
        told |= {f"{name}.{word}": text for word, text in own.items() if isinstance(text, Text)}
    return {
        where: text for where, text in told.items() if where.startswith(("courtside", *MODULES))
    }


def _below(kind: type[Refusal]) -> list[type[Refusal]]:
    return [deeper for one in kind.__subclasses__() for deeper in (one, *_below(one))]


class TestWords:
    def test_descriptions_are_chinese_first(self):
        assert [where for where, told in descriptions().items() if not is_chinese_first(told)] == []

    def test_refusals_are_chinese_in_chinese_and_not_in_english(self):
        wrong = [
            where
            for where, text in texts().items()
            if not HAN.search(text.zh) or HAN.search(text.en) or not text.en
        ]

        assert wrong == []

    @pytest.mark.parametrize("told", ["parasol / One parasol.", "One parasol / 阳伞"])
    def test_a_placeholder_is_found(self, told):
        assert not is_chinese_first(told)

    def test_there_is_something_to_look_at(self):
        assert len(descriptions()) > 100
        assert len(texts()) > 40
