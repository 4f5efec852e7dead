"""Fill a function's folder: `python -m infra.package api|functions FOLDER --python 3.13`.

What the function needs and nothing else: packages by its own lock for the target's platform, our
code, and for the API its trusted documents; botocore without the services that are not used; and
bytecode for the target's Python, which takes two thirds off a cold start. Standard library only.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.install import _pip_settings, handed_on

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".uv" / "bin" / "uv"
LOCKS = {"api": "requirements.txt", "functions": "requirements-functions.txt"}
SERVICES = {"dynamodb", "kms", "s3", "sqs", "sts"}  # boto3's clients in platform/
UNUSED = ("bin", "pip", "setuptools", "tests")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", choices=sorted(LOCKS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", help="as uv names it; this machine's own by default")
    parser.add_argument("--python", required=True, help="minor version, for example 3.13")
    parser.add_argument("--plain", action="store_true", help="neither trimmed nor compiled")
    given = parser.parse_args(arguments)
    package(given.lock, given.folder, platform=given.platform, python=given.python)
    if not given.plain:
        trim(given.folder)
        compile_all(given.folder, python=given.python)


def package(lock: str, folder: Path, *, platform: str | None, python: str) -> None:
    """Install the lock's packages and copy what is ours."""
    folder.mkdir(parents=True, exist_ok=True)
    target = ["--python-platform", platform] if platform else []
    install = [UV, "pip", "install", "-q", "--require-hashes", "--no-deps", "--target", folder]
    wheels = ["--python-version", python, "--only-binary", ":all:", "-r", LOCKS[lock]]
    index, environment = handed_on(_pip_settings(), os.environ)
    command = [*map(str, install), *index, *target, *wheels]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    ours = shutil.ignore_patterns("__pycache__", "*.pyc")
    source = ROOT / "functions" / "courtside"
    shutil.copytree(source, folder / "courtside", ignore=ours, dirs_exist_ok=True)
    if lock == "api":
        documents = ROOT / "graphql" / "operations"
        shutil.copytree(documents, folder / "graphql" / "operations", dirs_exist_ok=True)


def trim(folder: Path) -> None:
    """Leave out what is never read: other services' models, tests, scripts."""
    data = folder / "botocore" / "data"
    for service in [path for path in data.glob("*") if path.is_dir()]:
        if service.name not in SERVICES:
            shutil.rmtree(service)
    for name in UNUSED:
        shutil.rmtree(folder / name, ignore_errors=True)


def compile_all(folder: Path, *, python: str) -> bool:
    """Ship bytecode that is believed unseen; False, and said, where that Python is missing."""
    interpreter = find_python(python)
    if interpreter is None:
        print(
            f"!! no Python {python} here: shipped without bytecode, so cold starts take longer "
            f"/ 未找到 Python {python},未预编译",
            file=sys.stderr,
        )
        return False
    compiling = [interpreter, "-m", "compileall", "-q", "-j", "0"]
    unseen = ["--invalidation-mode", "unchecked-hash"]
    subprocess.run([*compiling, *unseen, str(folder)], check=True, stdout=subprocess.DEVNULL)
    return True


def find_python(version: str) -> str | None:
    """An interpreter of that minor version on this machine: on the path, of pyenv, or of uv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = (ROOT / ".uv" / "python", Path.home() / ".local" / "share" / "uv" / "python")
    installed = [
        *pyenv.glob(f"{version}*/bin/python{version}"),
        *(found for folder in kept for found in folder.glob(f"*-{version}*/bin/python{version}")),
    ]
    for candidate in (f"python{version}", *map(str, sorted(installed))):
        if _is_python(candidate, version):
            return candidate
    return None


def _is_python(candidate: str, version: str) -> bool:
    ask = [candidate, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == version


if __name__ == "__main__":
    main(sys.argv[1:])
