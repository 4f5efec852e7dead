"""The runtime API of Lambda as far as a cold start needs it, and what a function calls outside.

It hands one event to the real runtime client and takes the time from the start of the process to
the answer. Beside it stand KMS and SQS in the same few lines, so that a function runs with its
providers of the cloud.
"""

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import files
from pathlib import Path
from typing import Any

import psutil

FUNCTION = "arn:aws-cn:lambda:cn-north-1:123456789012:function:bench"
NEXT = "/2018-06-01/runtime/invocation/next"
CLIENT = ("awslambdaric", "snapshot-restore-py", "simplejson")
DEADLINE = 30.0


@dataclass(slots=True)
class Answer:
    """What the function answered, how long after its process began, and for how much CPU (ms)."""

    milliseconds: float = 0.0
    cpu: float = 0.0
    path: str = ""
    body: Any = None
    log: str = ""
    done: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, event: Mapping[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = event
        self.began = 0.0
        self.answer = Answer()

    def handle_error(self, *_: object) -> None:
        """The function's process was ended: its connections end with it."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if self.path == NEXT and self.server.answer.done.is_set():
            self.server.answer.done.wait()
            time.sleep(DEADLINE)  # as Lambda does: nothing to do, the container is frozen
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "bench",
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + DEADLINE) * 1000)),  # noqa: TID251
        }
        self._send(self.server.event, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "")
        if target:
            self._send(_PROVIDERS[target.split(".")[1]](json.loads(body)), {})
            return
        self.server.answer.milliseconds = (time.perf_counter() - self.server.began) * 1000
        self.server.answer.path = self.path
        with suppress(ValueError):
            self.server.answer.body = json.loads(body)
        self.server.answer.done.set()
        self._send({"status": "OK"}, {})

    def _send(self, answer: object, headers: Mapping[str, str]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


OPENED_KEY = bytes(32)  # of every court
_PLAIN = base64.b64encode(OPENED_KEY).decode()
_PROVIDERS: Mapping[str, Any] = {
    "Decrypt": lambda asked: {"KeyId": FUNCTION, "Plaintext": _PLAIN},
    "GenerateDataKeyWithoutPlaintext": lambda asked: {"KeyId": FUNCTION, "CiphertextBlob": _PLAIN},
    "SendMessageBatch": lambda asked: {
        "Successful": [{"Id": e["Id"], "MessageId": e["Id"]} for e in asked["Entries"]]
    },
}


def first_answer(
    handler: str, event: Mapping[str, Any], *, package: Path, environment: Mapping[str, str]
) -> Answer:
    """Start the runtime client on a package and answer its first invocation.

    The package's folder is read only, as on Lambda: no bytecode is written into it.
    """
    server = _Server(event)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{package}:{_client_folder()}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(package),
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "AWS_REGION": "cn-north-1",
        "AWS_DEFAULT_REGION": "cn-north-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL_KMS": f"http://{address}",
        "AWS_ENDPOINT_URL_SQS": f"http://{address}",
        **environment,
    }
    server.began = time.perf_counter()
    process = subprocess.Popen(
        [_interpreter(), "-m", "awslambdaric", handler],
        cwd=package,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        ends = time.monotonic() + DEADLINE
        while not server.answer.done.wait(0.2) and time.monotonic() < ends:
            if process.poll() is not None:
                break
        if not server.answer.path.endswith("/response"):
            raise RuntimeError(f"{handler}: {server.answer.body}\n{_ended(process)}")
        times = psutil.Process(process.pid).cpu_times()
        server.answer.cpu = (times.user + times.system) * 1000
        server.answer.log = _ended(process)
    finally:
        process.kill()
        server.shutdown()
        server.server_close()
    return server.answer


def _ended(process: "subprocess.Popen[bytes]") -> str:
    """End the function's process; the last of what it printed."""
    process.kill()
    return process.communicate()[0].decode(errors="replace")[-2000:]


def _interpreter() -> str:
    """The interpreter behind the environment, so that nothing is found but the package."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def _client_folder() -> Path:
    """The runtime client alone, beside the package as in Lambda's own image."""
    folder = Path(".bench") / "client"
    for name in CLIENT:
        for file in files(name) or ():
            if ".." not in file.parts and not (folder / file).exists():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(Path(str(file.locate())).read_bytes())
    return folder.resolve()
