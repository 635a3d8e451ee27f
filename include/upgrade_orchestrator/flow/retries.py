"""The retry settings of the tasks of our DAGs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

# Every task may safely run again, so it is retried for hours before it fails; a deliberate failure is not retried.
TRY_AGAIN: dict[str, Any] = {
    "retries": 200,
    "retry_delay": timedelta(seconds=2),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(seconds=60),
    "do_xcom_push": False,
}
