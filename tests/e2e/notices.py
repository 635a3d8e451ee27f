"""What the notifiers have sent, and the DAG runs that sent it."""

from pathlib import Path

import httpx

from tests.e2e.steps import got


def sent_of(notices: Path, execution_id: str) -> list[str]:
    """The notices of one execution, in the order in which they were sent."""
    lines = notices.read_text(encoding="utf-8").splitlines() if notices.exists() else []
    return [each for each in lines if execution_id in each]


def is_sent(airflow: httpx.Client, kind: str, execution_id: str) -> bool:
    """True once the only run of that kind that is named after the execution has succeeded."""
    found = got(airflow, f"/dags/upgrade_notify__{kind}/dagRuns", limit=100, order_by="-id")["dag_runs"]
    return [each["state"] for each in found if each["dag_run_id"].startswith(execution_id)] == ["success"]
