"""The root template as CloudFormation will see it: read, and expanded for one region."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from samtranslator.translator import arn_generator
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
REGIONS = ("cn-north-1", "cn-northwest-1", "eu-central-1")

Template = dict[str, Any]

# It regrets metrics of itself that nobody publishes, and switches that nobody set.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


def read(path: Path = TEMPLATE) -> Template:
    """The template as written, short forms made long."""
    template: Template = yaml_parse(path.read_text("utf-8"))
    # The transform takes packages only; where they lie is decided by `sam package`.
    template["Globals"]["Function"]["CodeUri"] = "s3://packages/courtside"
    return template


def expand(template: Template, *, region: str) -> Template:
    """The template after SAM's transform, as that region would run it."""
    with _region(region):
        given = {name: p["Default"] for name, p in template.get("Parameters", {}).items()}
        expanded: Template = transform(template, given, _NoPolicies())
    return expanded


class _NoPolicies:
    """The roles are written out here: SAM has no managed policy to look up by its name."""

    def load(self) -> dict[str, str]:
        return {}


@contextmanager
def _region(region: str) -> Iterator[None]:
    before = os.environ.get("AWS_DEFAULT_REGION")
    os.environ["AWS_DEFAULT_REGION"] = region
    arn_generator._get_region_from_session.cache_clear()  # noqa: SLF001 - cached for one region
    arn_generator._region_to_partition.cache_clear()  # noqa: SLF001
    try:
        yield
    finally:
        if before is None:
            del os.environ["AWS_DEFAULT_REGION"]
        else:
            os.environ["AWS_DEFAULT_REGION"] = before
