"""Before a release gets traffic: every function's new version proves itself, or it goes no further.

CodeDeploy calls this once for each function's deployment; the answer is the same for all of them,
since old and new versions of different functions work on the same tables.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from courtside.platform.observability import Observer
from courtside.platform.probe import PROBE
from courtside.platform.signals import Signal, Signals

SUCCEEDED, FAILED = "Succeeded", "Failed"


class PreTraffic:
    """Calls new versions, and tells CodeDeploy whether to go on."""

    def __init__(self, lambdas: Any, codedeploy: Any, signals: Signals) -> None:
        self._lambdas = lambdas
        self._codedeploy = codedeploy
        self._signals = signals

    def take(self, event: Mapping[str, Any], versions: Iterable[str]) -> str:
        """CodeDeploy's event of a lifecycle hook; the status that it was told."""
        failed = [function for function in versions if not self._holds(function)]
        status = FAILED if failed else SUCCEEDED
        self._codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )
        return status

    def _holds(self, function: str) -> bool:
        found = self._found(function)
        for check, fault in found.items():
            name, version = function.rsplit(":", 2)[-2:]
            self._signals.emit(
                Signal.RELEASE_REFUSED, function=name, version=version, check=check, fault=fault
            )
        return not found

    def _found(self, function: str) -> Mapping[str, str]:
        """What failed there; `call` when the version did not answer as it should."""
        try:
            answer = self._lambdas.invoke(
                FunctionName=function, Payload=json.dumps({PROBE: True}).encode()
            )
            told = json.loads(answer["Payload"].read())
        except Exception as fault:  # noqa: BLE001 - whatever it is, it stops the release
            return {"call": type(fault).__name__}
        if "FunctionError" in answer:
            return {"call": str(told.get("errorType", "FunctionError"))}
        failed = told.get("failed") if isinstance(told, dict) else None
        return failed if isinstance(failed, dict) else {"call": "NotAProbe"}


def handler(event: Mapping[str, Any], _context: Any) -> str:
    """What CodeDeploy calls."""
    import boto3
    from botocore.config import Config

    once = Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 2})
    stage = os.environ["COURTSIDE_STAGE"]
    check = PreTraffic(
        boto3.client("lambda", config=once),
        boto3.client("codedeploy", config=once),
        Observer(stage=stage, level=os.environ.get("COURTSIDE_LOG_LEVEL", "INFO")),
    )
    return check.take(event, os.environ["COURTSIDE_VERSIONS"].split(","))
