"""`python -m infra.audit FILE`: checkov's findings (its JSON) against the list of justified skips.

A finding that is not in the list fails, and so does an entry of the list that finds nothing any
more: a skip must not outlive its reason.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SKIPS = Path(__file__).parent / "checkov_skips.json"


def main(file: str) -> int:
    report = json.loads(Path(file).read_text("utf-8"))
    wrong = compared(failed(report), json.loads(SKIPS.read_text("utf-8")))
    for line in wrong:
        print(line)
    return bool(wrong)


def failed(report: Any) -> set[tuple[str, str]]:
    """Check and logical id of every finding; checkov answers one report, or one a framework."""
    reports = report if isinstance(report, list) else [report]
    found = [one for each in reports for one in each["results"]["failed_checks"]]
    return {(one["check_id"], one["resource"].rpartition(".")[2]) for one in found}


def compared(found: set[tuple[str, str]], skips: Iterable[Mapping[str, str]]) -> list[str]:
    """One line a finding without a reason, and one a reason without a finding."""
    wrong, left = [], set(found)
    for skip in skips:
        covered = {
            (check, name)
            for check, name in found
            if check == skip["check"] and skip["resource"] in ("*", name)
        }
        left -= covered
        if not covered or not skip["why"]:
            wrong.append(
                f"{skip['check']} {skip['resource']}: skipped without a finding or a reason"
            )
    return wrong + [
        f"{check} {name}: found, and not among the skips" for check, name in sorted(left)
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
