"""Fill a function's folder: `python -m infra.package api|functions|hook FOLDER --python 3.13`.

What the function needs and nothing else: packages by its own lock for the target's platform, our
code, and for the API its trusted documents; botocore without the services that are not used; and
bytecode for the target's Python, which takes two thirds off a cold start. Standard library only.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from infra.install import _pip_settings, handed_on

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".uv" / "bin" / "uv"
LOCKS = {
    "api": "requirements.txt",
    "functions": "requirements-functions.txt",
    "hook": "requirements-functions.txt",
}
# boto3's clients: the vault's and the files', and the two that the check before traffic needs.
SERVICES = {"api": {"s3"}, "functions": {"s3"}, "hook": {"codedeploy", "lambda"}}
UNUSED = (
    *("bin", "pip", "setuptools", "tests"),
    *("boto3/data", "boto3/examples"),  # of its resources, which nobody uses
    *("cffi", "pycparser"),  # what builds extensions; the built ones need `_cffi_backend` alone
    *("aws_lambda_powertools/event_handler"),
    *(f"aws_lambda_powertools/utilities/{part}" for part in ("batch", "data_classes", "kafka")),
    *(f"aws_lambda_powertools/utilities/{part}" for part in ("data_masking", "feature_flags")),
    *(f"aws_lambda_powertools/utilities/{part}" for part in ("idempotency", "parser")),
    *(f"aws_lambda_powertools/utilities/{part}" for part in ("parameters", "validation")),
    "packaging",
    *(f"strawberry/{framework}" for framework in ("chalice", "channels", "cli", "codegen")),
    *(f"strawberry/{framework}" for framework in ("django", "fastapi", "flask", "litestar")),
    *(f"strawberry/{framework}" for framework in ("quart", "sanic", "aiohttp", "static")),
    *("strawberry/test", "strawberry/ext", "anyio/pytest_plugin.py"),
    *("anyio/_backends/_trio.py", "aiohttp/pytest_plugin.py", "aiohttp/test_utils.py"),
    *("starlette/testclient.py", "starlette/templating.py"),
)
NEVER_READ = (
    *("*.pyi", "*.pyx", "*.pxd", "*.c", "*.h", "*.hash", "*.dist-info/RECORD", "**/tests"),
    *("aiohttp/web.py", "aiohttp/web_*.py", "aiohttp/_websocket/reader_c.*.so"),  # of a server
)
# Bytecode is for the first answer: what is imported later, if ever, is shipped as source alone.
LATER = ("boto3", "botocore", "dateutil", "et_xmlfile", "openpyxl", "s3transfer", "urllib3")
OURS = "courtside"
HEAVIEST = 15_000_000  # bytes zipped


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", choices=sorted(LOCKS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", help="as uv names it; this machine's own by default")
    parser.add_argument("--python", required=True, help="minor version, for example 3.13")
    parser.add_argument("--plain", action="store_true", help="neither trimmed nor compiled")
    given = parser.parse_args(arguments)
    if ROOT.is_relative_to(given.folder.resolve()):
        parser.error(
            f"FOLDER would be {given.folder.resolve()}: what is not needed is deleted there"
        )
    package(given.lock, given.folder, platform=given.platform, python=given.python)
    if not given.plain:
        trim(given.folder, SERVICES[given.lock])
        compile_all(given.folder, python=given.python)
        _weighed(given.lock, given.folder)


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


def trim(folder: Path, services: set[str]) -> None:
    """Leave out what is never read: other services' models, sources of extensions, tests."""
    data = folder / "botocore" / "data"
    for service in [path for path in data.glob("*") if path.is_dir()]:
        if service.name not in services:
            shutil.rmtree(service)
    for name in UNUSED:
        shutil.rmtree(folder / name, ignore_errors=True)
    for pattern in NEVER_READ:
        for path in list(folder.rglob(pattern)):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _weighed(lock: str, folder: Path) -> None:
    """Say what it weighs; a package above the bound is not shipped (O-07)."""
    zipped = weight(folder)
    print(f"   {lock}: {zipped / 1e6:.1f} MB zipped", file=sys.stderr)
    if zipped > HEAVIEST:
        raise SystemExit(f"!! heavier than {HEAVIEST / 1e6:.0f} MB")


def weight(folder: Path) -> int:
    """Bytes of the folder as Lambda gets it, zipped."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return packed.tell()


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
    early = [p for p in sorted(folder.iterdir()) if p.name not in LATER and p.suffix != ".so"]
    theirs = [path for path in early if path.name != OURS]
    _compile(interpreter, folder / OURS)
    _compile(interpreter, "-b", *theirs)
    for path in theirs:  # their bytecode stands where the source stood: half the size
        for source in [path] if path.suffix == ".py" else list(path.rglob("*.py")):
            source.unlink()
    return True


def _compile(interpreter: str, *given: str | Path) -> None:
    command = [interpreter, "-m", "compileall", "-q", "-j", "0"]
    unseen = ["--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, *unseen, *map(str, given)], check=True, stdout=subprocess.DEVNULL)


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
