"""What a user does to an upgrade's DAG in the Airflow UI, by Airflow's own API, which the UI calls too."""

from typing import Any

from tests.e2e.steps import DEADLINE_SECONDS, Json, Tenant, got, wait_for

FIRST = "batch_001.upgrade"
"The task of the first batch: in a worker for its first seconds, beside the checks."


def dag_of(execution_id: str) -> str:
    """The path of its DAG."""
    return f"/dags/upgrade__{execution_id}"


def run_of(tenant: Tenant, execution_id: str) -> str:
    """The path of the one DAG run."""
    runs: list[Json] = got(tenant.airflow, f"{dag_of(execution_id)}/dagRuns")["dag_runs"]
    assert len(runs) == 1
    return f"{dag_of(execution_id)}/dagRuns/{runs[0]['dag_run_id']}"


def patch(tenant: Tenant, path: str, body: Json) -> None:
    """Make a change that Airflow accepts."""
    answer = tenant.airflow.patch(path, json=body)
    assert answer.status_code == 200, answer.text


def pause_dag(tenant: Tenant, execution_id: str, paused: bool = True) -> None:
    """Set the pause switch beside the DAG's name."""
    patch(tenant, dag_of(execution_id), {"is_paused": paused})


def is_dag_paused(tenant: Tenant, execution_id: str) -> bool:
    """Whether the DAG is paused."""
    return bool(got(tenant.airflow, dag_of(execution_id))["is_paused"])


def clear(tenant: Tenant, execution_id: str, **what: Any) -> None:
    """Clear tasks of the one run, by default all of them."""
    run_id = run_of(tenant, execution_id).rsplit("/", 1)[1]
    body = {"dry_run": False, "only_failed": False, "reset_dag_runs": True, "dag_run_id": run_id, **what}
    answer = tenant.airflow.post(f"{dag_of(execution_id)}/clearTaskInstances", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["task_instances"]


def command(tenant: Tenant, execution_id: str, name: str) -> None:
    """Give a command over REST that is accepted."""
    answer = tenant.api.post(f"/upgrades/{execution_id}/{name}")
    assert answer.status_code in (200, 202), answer.text


def followed(tenant: Tenant, execution_id: str, *wanted: str, within: float = DEADLINE_SECONDS) -> Json:
    """The execution, once it has a wanted status. How soon that must be is tested in
    tests/e2e/alone/test_promises.py.
    """

    def look() -> Json | None:
        execution = tenant.execution(execution_id)
        return execution if execution["status"] in wanted else None

    return wait_for(f"{execution_id} to be {' or '.join(wanted)}", look, within)
