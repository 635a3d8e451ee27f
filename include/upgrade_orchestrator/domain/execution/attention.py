"""What keeps an execution from going on, for the person who has to help (specification section 6, ``attention``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attention:
    """A problem that has been met at least twice in a row; ``code`` is for programs, ``since`` in UTC.

    ``tries`` is how often it had been met when this was written.
    """

    code: str
    since: datetime
    message: str
    tries: int


TASK_LOST, NO_WORKER, NO_POOL_SLOT = "TASK_LOST", "NO_WORKER", "NO_POOL_SLOT"
NOT_SCHEDULED, TASK_FAILING = "NOT_SCHEDULED", "TASK_FAILING"
DAG_NOT_PARSED, DAG_PAUSED = "DAG_NOT_PARSED", "DAG_PAUSED"
SCHEDULER_DOWN, TRIGGERER_DOWN, DAG_PROCESSOR_DOWN = "SCHEDULER_DOWN", "TRIGGERER_DOWN", "DAG_PROCESSOR_DOWN"
STORE_UNREACHABLE = "STORE_UNREACHABLE"

RUNNER_CAUSES: Mapping[str, str] = {
    "FLEET_ERROR": "the fleet reports an error",
    "FLEET_UNREACHABLE": "the fleet does not answer",
    "FLEET_CONNECTION": "the fleet's connection cannot be used",
    "FLEET_PROTOCOL": "what the fleet answers is not of the protocol",
    "FLEET_REFUSED_TOKEN": "the fleet refuses the connection's password",
    "FLEET_BUSY": "the fleet is busy",
    "FLEET_CONFLICT": "the fleet's state does not allow the order",
    "FLEET_UNKNOWN": "the agent does not know the fleet or an instance",
    "STALE_TOKEN": "the fleet refuses the fencing token",
    STORE_UNREACHABLE: "the storage of the backup cannot be read",
}
"Met by the runner while it works; only a runner says that one of them is over."

AIRFLOW_CAUSES: Mapping[str, str] = {
    DAG_NOT_PARSED: "Airflow has not read the upgrade's DAG",
    DAG_PROCESSOR_DOWN: "Airflow's DAG processor does not run",
    DAG_PAUSED: "the DAG is paused in Airflow",
    SCHEDULER_DOWN: "Airflow's scheduler does not run",
    TRIGGERER_DOWN: "Airflow's triggerer does not run",
    NOT_SCHEDULED: "Airflow's scheduler does not begin the next task",
    NO_POOL_SLOT: "there is no free slot for the next task",
    NO_WORKER: "no worker begins the next task",
    TASK_LOST: "the process that ran the task has died",
    TASK_FAILING: "a task fails again and again",
}
"Why nobody works; noted and taken back by the control loops, which read Airflow's states."

CAUSES: Mapping[str, str] = {**RUNNER_CAUSES, **AIRFLOW_CAUSES}
"Every code in words."


def same_cause(one: Attention | None, other: Attention | None) -> bool:
    """Whether both name the same problem, or none: a change of this is an event."""
    return (one and one.code) == (other and other.code)
