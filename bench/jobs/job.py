"""The reference job: 20 instances in batches of 5, each half a second of work; and the timing of a run of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

INSTANCES, BATCH_SIZE, UPGRADE_SECONDS = 20, 5, 0.5
OLD_VERSION, NEW_VERSION = "1.0.0", "1.1.0"
BATCHES = INSTANCES // BATCH_SIZE
COMPLETION_SECONDS = 600.0
"After this many seconds a run that has not ended is given up."


def ideal_seconds(delay: int) -> float:
    """Seconds that the work alone takes if all of a batch are upgraded side by side; `delay` seconds between
    batches.
    """
    return BATCHES * UPGRADE_SECONDS + (BATCHES - 1) * delay


@dataclass(frozen=True)
class Timing:
    """One run of one or several jobs at once, in seconds; None where the job has no such moment."""

    wall: float
    """From the first request until the last job is seen to be done: COMPLETED; for Airflow's bare DAG: `verify` has
    ended.
    """
    run_end: float | None
    "From the first request to the end of the last DAG run."
    first_task: float | None
    "From the start (202 answered, run triggered) to the first task running in a worker; the slowest of several jobs."
    first_drain: float | None
    "From the start to the first instance draining, by the fleet's log; of Airflow's bare DAG: to its first batch."
    runs: tuple[str, ...] = ()
    "What was run: execution ids or DAG run ids."


ReadTiming = Callable[[], Timing]
"Asks the stack for the moments of a run that has ended: afterwards, so that asking is not counted as part of the run."


def epoch(text: str) -> float:
    """An RFC 3339 time as seconds since the epoch; everything runs on one machine, so the clocks agree."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
