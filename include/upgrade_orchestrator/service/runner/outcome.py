"""Result of a long use case: done, stopped or unfinished."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SLOW_POLL_SECONDS = 15.0
"The longest wait for a signal before the rows are read again, which bounds the delay that a lost signal causes."


class Ending(StrEnum):
    """How a call of a long use case ended."""

    DONE = "DONE"
    "The work is done."
    STOPPED = "STOPPED"
    "The execution's status does not allow this work any more; nothing of it is in flight."
    SKIPPED = "SKIPPED"
    "This work is not needed: the DAG run takes the other branch."
    UNFINISHED = "UNFINISHED"
    "The time is over; call again to continue."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the work ended, and why."""

    ending: Ending
    reason: str = ""
