"""What to do about each code of an execution's ``attention``; docs/troubleshooting.md has the same words."""

from __future__ import annotations

from upgrade_orchestrator.domain.execution import attention as cause

REMEDIES: dict[str, str] = {
    "FLEET_ERROR": "look at the agent's log",
    "FLEET_UNREACHABLE": "start the agent, or correct host and port of the Airflow connection",
    "FLEET_CONNECTION": "define or correct the Airflow connection of the deployment",
    "FLEET_PROTOCOL": "correct the agent: the message names instance and field",
    "FLEET_REFUSED_TOKEN": "set the connection's password to the agent's token",
    "FLEET_BUSY": "wait, or find out what keeps the agent busy",
    "FLEET_CONFLICT": "look who else changes this instance",
    "FLEET_UNKNOWN": "correct the fleet's name in the deployment, or bring the instance back",
    "STALE_TOKEN": "find the other orchestrator of this fleet, or raise our token: POST /deployments/fencing",
    cause.STORE_UNREACHABLE: "repair the storage or its mount, or correct its Airflow connection",
    cause.DAG_NOT_PARSED: "look at airflow dags list-import-errors, and compare dag_bundle with the bundles of Airflow",
    cause.DAG_PROCESSOR_DOWN: "start airflow dag-processor",
    cause.DAG_PAUSED: "unpause the DAG, or cancel the upgrade",
    cause.SCHEDULER_DOWN: "start airflow scheduler",
    cause.TRIGGERER_DOWN: "start airflow triggerer",
    cause.NOT_SCHEDULED: "look at the scheduler's log and load; a second scheduler may help",
    cause.NO_POOL_SLOT: "enlarge the pool or [core] parallelism, or wait for the tasks that hold the slots",
    cause.NO_WORKER: "start workers; with LocalExecutor restart the scheduler if it repeats",
    cause.TASK_LOST: "nothing: Airflow tries it again; if it repeats look why the worker dies, often its memory",
    cause.TASK_FAILING: "look at the task's log in Airflow",
}


def attention_remedy(code: str) -> str:
    """What to do about it; empty for a code without one."""
    return REMEDIES.get(code, "")
