"""The reference job: 20 instances in batches of 5, each half a second of work; and what a run of it tells."""

from dataclasses import dataclass

INSTANCES, BATCH_SIZE, UPGRADE_SECONDS = 20, 5, 0.5
OLD_VERSION, NEW_VERSION = "1.0.0", "1.1.0"
BATCHES = INSTANCES // BATCH_SIZE
COMPLETION_SECONDS = 600.0
"After which a run that is not done is given up."


def ideal_seconds(delay: int) -> float:
    """What the work alone takes when all of a batch are upgraded side by side; `delay` seconds between batches."""
    return BATCHES * UPGRADE_SECONDS + (BATCHES - 1) * delay


@dataclass(frozen=True)
class Timing:
    """One run of one or several jobs at once, in seconds; None where there is no such moment."""

    wall: float
    "From the first request to the last job seen to be done."
    first_task: float | None
    "From the start (202 answered, run triggered) to the first task running in a worker; the slowest of several jobs."
    first_drain: float | None
    "From the start to the first instance draining, by the fleet's log; of Airflow's bare DAG: to its first batch."
    runs: tuple[str, ...] = ()
    "What was run: execution ids or DAG run ids."
