"""The retry settings of the tasks of our DAGs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

MOST_REASON = 300
"Characters of an error that Airflow keeps with the task; it has room for 500."
_PLAIN = ("upgrade_orchestrator.", "builtins")


class NamedRetries(RetryPolicy):
    """Retries as Airflow does without a policy, and keeps the error with the task, where ``attention`` finds it."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Always a retry, as long as there are tries left."""
        return RetryDecision.retry(reason=reason_of(exception))

    def serialize(self) -> dict[str, Any]:
        """It has no settings."""
        return {}


def reason_of(error: BaseException) -> str:
    """The error in one line; of one that is not ours or Python's only its name: its text may hold addresses or SQL."""
    name = type(error).__name__
    lines = str(error).strip().splitlines()
    if not lines or not type(error).__module__.startswith(_PLAIN):
        return name
    return f"{name}: {lines[0]}"[:MOST_REASON]


# Every task may safely run again, so it is retried for hours before it fails; a deliberate failure is not retried.
TRY_AGAIN: dict[str, Any] = {
    "retries": 200,
    "retry_delay": timedelta(seconds=2),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(seconds=60),
    "do_xcom_push": False,
    "retry_policy": NamedRetries(),
}
