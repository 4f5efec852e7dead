"""`python -m infra.walls`: who imports whom; told only where a wall is broken."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-logo"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, sep="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
