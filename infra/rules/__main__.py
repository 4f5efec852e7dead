"""`python -m infra.rules`: print what breaks the house rules in any region, and fail if any."""

import sys

from infra.rules.expanded import REGIONS, expand, read
from infra.rules.house import AS_WRITTEN, findings


def main() -> int:
    found = {str(f) for f in findings(read(), AS_WRITTEN)}
    for region in REGIONS:
        found |= {str(f) for f in findings(expand(read(), region=region))}
    for line in sorted(found):
        print(line)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
