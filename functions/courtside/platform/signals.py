"""What somebody must be able to see from outside: one enumerated signal for each failure mode."""

from enum import StrEnum
from typing import Protocol


class Signal(StrEnum):
    """The values are names of metrics; each has an alarm or a dashboard line in the template."""

    JOURNAL_TAMPERED = "journal_tampering"  # a journal entry was changed or removed by hand
    ENTRY_UNREADABLE = "entry_unreadable"  # a journal entry that the relay cannot decode
    ENTRY_UNDELIVERED = "entry_undelivered"  # an entry whose relaying failed; it is tried again
    ENTRY_RESENT = "entry_resent"  # the sweeper found an entry without its delivered mark
    CHAIN_STOPPED = "fact_depth_exceeded"  # facts caused by facts too deeply: a loop is assumed
    MESSAGE_UNREADABLE = "message_unreadable"  # a queue message that nobody can decode
    RETRY_DELAYED = "retry_delayed"  # failed messages that come back at the queue's usual time only
    CONSUMER_FAILED = "consumer_failed"  # a fault in a consumer; its message is tried again
    CONSUMER_REFUSED = "consumer_refused"  # a refusal in a consumer, told to the module's officer
    JOB_FAILED = "job_failed"  # a fault in a job's child; its message is tried again
    JOB_REFUSED = "job_refused"  # a job that ended with a refusal
    REFUSAL_REPEATED = "refusal_repeated"  # an audited refusal after the first of its minute
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a request with a token that proves nothing
    DOCUMENT_REFUSED = "document_refused"  # a document that is not trusted, or no longer known
    SEAL_BROKEN = "seal_broken"  # the journal differs from its seals, or a seal from the chain
    SEAL_FAILED = "seal_failed"  # a court whose journal could not be sealed; it is tried again
    RELEASE_REFUSED = "release_refused"  # a new version failed a check before its first request
    RECONCILIATION_MISMATCH = "reconciliation_mismatch"  # a balance, line or mark that is wrong


class Signals(Protocol):
    """Where signals go: a metric and one coded log line, without personal data."""

    def emit(self, signal: Signal, *, count: int = 1, **facts: str | int) -> None:
        """Count `signal`; `facts` are codes, random ids and names of our own code, nothing else."""
        ...
