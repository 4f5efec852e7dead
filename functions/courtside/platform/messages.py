"""Messages between functions: a fact for the consumers, a job for the job worker, as JSON."""

import json
from typing import Any, NamedTuple

from courtside.kernel.journal import Delivered, Fact, Notify
from courtside.platform.dynamo.values import from_instant, instant


class Unreadable(ValueError):
    """A message that is not one of ours; trying again cannot help."""


class JobMessage(NamedTuple):
    """Run the job `kind#id` of a court; what it writes stands at `depth`."""

    court: str
    kind: str
    id: str
    depth: int


def of_fact(delivered: Delivered) -> dict[str, Any]:
    """The message of one fact."""
    fact = delivered.fact
    return {
        "court": delivered.court,
        "id": delivered.id,
        "at": instant(delivered.at),
        "depth": delivered.depth,
        "fact": {
            "name": fact.name,
            "aggregate": fact.aggregate,
            "version": fact.version,
            "state": dict(fact.state),
            "notify": [[n.audience, n.template, n.key] for n in fact.notify],
        },
    }


def to_fact(body: str) -> Delivered:
    """The fact of a message, or Unreadable."""
    try:
        told = json.loads(body)
        fact = told["fact"]
        return Delivered(
            court=_text(told["court"]),
            id=_text(told["id"]),
            at=from_instant(told["at"]),
            depth=_count(told["depth"]),
            fact=Fact(
                name=_text(fact["name"]),
                aggregate=_text(fact["aggregate"]),
                version=_count(fact["version"]),
                state=dict(fact["state"]),
                notify=tuple(Notify(audience=a, template=t, key=k) for a, t, k in fact["notify"]),
            ),
        )
    except (KeyError, TypeError, ValueError, RecursionError):
        raise Unreadable("not a fact") from None


def of_job(job: JobMessage) -> dict[str, Any]:
    """The message of a job."""
    return {"court": job.court, "job": f"{job.kind}#{job.id}", "depth": job.depth}


def to_job(body: str) -> JobMessage:
    """The job of a message, or Unreadable."""
    try:
        told = json.loads(body)
        kind, mark, job_id = _text(told["job"]).partition("#")
        court, depth = _text(told["court"]), _count(told["depth"])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise Unreadable("not a job") from None
    if not (kind and mark and job_id):
        raise Unreadable("not a job")
    return JobMessage(court, kind, job_id, depth)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value
