"""Who parses a DAG file: Airflow, which acts on the result, or anybody else, whom our database does not concern."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")

QUIET_SECONDS = 60.0
"After a failed read, that process does not try again for so long: sixteen files would wait sixteen times."
_failed_at: list[float] = []


def airflow_acts_on_it() -> bool:
    """Whether this process is one that Airflow's dag processor parses in, or one that runs a task.

    Both have a channel to their supervisor, by which Airflow itself tells them apart from a command or a test.
    """
    return hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS")


def read_or_nothing(read: Callable[[], list[T]]) -> list[T]:
    """What ``read`` returns. Where Airflow does not act on it, an error is a line in the log and an empty list."""
    if airflow_acts_on_it():
        return read()
    if _failed_at and time.monotonic() - _failed_at[-1] < QUIET_SECONDS:
        return []
    try:
        return read()
    except Exception as error:  # whatever it is, it is reported by the dag processor, and not to others
        _failed_at[:] = [time.monotonic()]
        log.warning("no DAGs of upgrades here, because the upgrades' database cannot be read: %s", _first_line(error))
        return []


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
