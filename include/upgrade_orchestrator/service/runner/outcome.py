"""How a use case ended that may take long: done, stopped, or to be gone on with elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SLOW_POLL_SECONDS = 15.0
"How long is waited without a signal before the rows are looked at again: what a missed notification costs."


class Ending(StrEnum):
    """How a call of the runner ended."""

    DONE = "DONE"
    "Every instance of the batch has come to its end."
    STOPPED = "STOPPED"
    "The execution wants no more of this batch; nothing of it is in flight."
    NOT_TAKEN = "NOT_TAKEN"
    "It is not this work's turn: the run takes the other branch."
    UNFINISHED = "UNFINISHED"
    "The time given is over; go on by calling again."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the batch ended, and why."""

    ending: Ending
    reason: str = ""
