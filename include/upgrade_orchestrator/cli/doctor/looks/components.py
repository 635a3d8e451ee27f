"""Airflow's own components, by the heartbeats in its database."""

from __future__ import annotations

from collections.abc import Iterator

from upgrade_orchestrator.cli.doctor.finding import Finding, error, well

NAMES = {"scheduler": "scheduler", "triggerer": "triggerer", "dag_processor": "dag-processor"}
"Airflow's word for each in its health, and the command that starts it."


def look_at_components() -> Iterator[Finding]:
    """The scheduler starts tasks, the triggerer carries the upgrades on, the dag processor reads their DAGs."""
    from airflow.api.common.airflow_health import get_airflow_health

    health = get_airflow_health()
    if health["metadatabase"]["status"] != "healthy":
        yield error(
            "components", "Airflow's database does not answer", "start it, or correct [database] sql_alchemy_conn"
        )
        return
    for key, command in NAMES.items():
        yield _component(command, health[key]["status"], health[key][f"latest_{key}_heartbeat"])


def _component(command: str, status: str | None, heartbeat: str | None) -> Finding:
    if status == "healthy":
        return well(command, "runs")
    since = f"has given no sign since {heartbeat}" if heartbeat else "was never started"
    return error(command, since, f"start it (airflow {command}) and look at its log")
