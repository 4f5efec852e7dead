"""Set up what a make target needs, one line a step: `python install.py uv | python | node`.

Standard library only: it runs before anything is installed. uv knows nothing of pip's settings, so
the user's own index, certificate and wheel folders are read from pip and handed on.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".uv"
VENV = ROOT / ".venv"
OLDEST = (3, 11)


def main(what: str) -> None:
    """Do one step; a failure says what to do in one line and exits with 1."""
    if sys.version_info < OLDEST:
        _stop(
            f"Python 3.11 or newer is needed (this is {sys.version.split()[0]}); "
            "set PYTHON=python3.12 / 需要 Python 3.11 或更新版本"
        )
    steps = {"uv": install_uv, "python": install_python, "node": install_node}
    began = time.monotonic()
    steps[what]()
    _tell(f"   ... {what} ready, {time.monotonic() - began:.0f} s")


def install_uv() -> None:
    """A virtual environment that holds the pinned uv and nothing else."""
    _say("uv", "into .uv, by requirements-uv.txt")
    if not (UV / "bin" / "python").exists():
        _run(
            [sys.executable, "-m", "venv", str(UV)],
            hint="on Debian and Ubuntu: apt install python3-venv",
        )
    pip = [str(UV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    _run([*pip, "install", "--require-hashes", "-r", "requirements-uv.txt"], hint=_MIRROR)


def install_python() -> None:
    """The project's own environment, exactly as locked."""
    _say("Python packages", "into .venv, by requirements-dev.txt")
    uv = str(UV / "bin" / "uv")
    arguments, environment = handed_on(_pip_settings(), os.environ)
    if not (VENV / "bin" / "python").exists():
        _run([uv, "venv", "-q", "--python", sys.executable, str(VENV)], environment)
    sync = [uv, "pip", "sync", "-q", "--require-hashes", "--python", str(VENV / "bin" / "python")]
    _run([*sync, *arguments, "requirements-dev.txt"], environment, hint=_MIRROR)


def install_node() -> None:
    """GraphiQL and the embedded table engine."""
    _say("npm packages", "into node_modules, by package-lock.json")
    npm = shutil.which("npm")
    if npm is None:
        _stop("npm is needed: install Node.js 20 or newer / 请先安装 Node.js 20 或更新版本")
    _run([npm, "ci", "--loglevel=error", "--no-progress"], hint="npm config set registry <mirror>")


def handed_on(
    pip: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of uv that mean what pip's settings mean.

    What the user has set for uv itself wins.
    """
    arguments: list[str] = []
    env = {**environment, "UV_PYTHON_DOWNLOADS": "never"}
    if "index-url" in pip:
        env.setdefault("UV_DEFAULT_INDEX", pip["index-url"])
    for extra in pip.get("extra-index-url", "").split():
        arguments += ["--index", extra]
    if arguments:  # every file is pinned by its hash, so that any index may serve it
        arguments += ["--index-strategy", "unsafe-best-match"]
    for links in pip.get("find-links", "").split():
        arguments += ["--find-links", links]
    for host in pip.get("trusted-host", "").split():
        arguments += ["--allow-insecure-host", host]
    if "cert" in pip:
        env.setdefault("SSL_CERT_FILE", pip["cert"])
    if "proxy" in pip:
        env.setdefault("ALL_PROXY", pip["proxy"])
    return arguments, env


def pip_settings(listing: str) -> dict[str, str]:
    """The settings in the output of `pip config list`; what a variable says wins over a file."""
    found: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda each: each.startswith(":env:")):
        name, _, value = line.partition("=")
        scope, _, key = name.partition(".")
        if scope in (":env:", "global", "install"):
            found[key] = value.strip().strip("'\"").replace("\\n", " ")
    return found


def _pip_settings() -> dict[str, str]:
    pip = [str(UV / "bin" / "python"), "-m", "pip", "config", "list"]
    answer = subprocess.run(pip, capture_output=True, text=True, check=False)
    return pip_settings(answer.stdout)


_MIRROR = "behind a mirror: pip config set global.index-url <address> / 可用镜像"


def _run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, hint: str = ""
) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        _stop(f"{Path(command[0]).name} failed ({done.returncode}). {hint}")


def _say(what: str, where: str) -> None:
    _tell(f"== installing {what} {where}")


def _tell(line: str) -> None:
    """Beside the output of the target that needs it: `$(make -s token)` is a token."""
    print(line, file=sys.stderr, flush=True)


def _stop(line: str) -> NoReturn:
    _tell(f"!! {line}")
    raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1])
