"""What a user does to an upgrade's DAG in the Airflow UI, by Airflow's own API, which the UI calls too."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.e2e.steps import DEADLINE_SECONDS, Json, Tenant, got, wait_for

FIRST = "batch_001.upgrade"
"The task of the first batch: in a worker for its first seconds, beside the checks."
ADMIT = "admit"
"The task that follows the checks. It has no worker: the scheduler sets it to success."


def dag_of(execution_id: str) -> str:
    """The path of its DAG."""
    return f"/dags/upgrade__{execution_id}"


def run_of(tenant: Tenant, execution_id: str) -> str:
    """The path of the one DAG run."""
    runs: list[Json] = got(tenant.airflow, f"{dag_of(execution_id)}/dagRuns")["dag_runs"]
    assert len(runs) == 1
    return f"{dag_of(execution_id)}/dagRuns/{runs[0]['dag_run_id']}"


def accepted(call: Callable[[], httpx.Response], status_code: int = 200) -> httpx.Response:
    """Airflow's response to a change of a DAG, a run or tasks that it accepts.

    Airflow's API changes the task instances first and the run second; its scheduler locks the run first and changes the
    task instances second. At the same moment they block each other, and PostgreSQL ends one ("deadlock detected"). If
    it ends the API's transaction, Airflow responds with 500 "Database error" and has changed nothing, so the call is
    repeated, as a user would.
    """

    def response() -> httpx.Response | None:
        found = call()
        if found.status_code == 500:
            assert found.json()["detail"]["reason"] == "Database error", found.text
            return None
        assert found.status_code == status_code, found.text
        return found

    return wait_for("Airflow to accept the change", response)


def patch(tenant: Tenant, path: str, body: Json) -> None:
    """Make a change that Airflow accepts."""
    accepted(lambda: tenant.airflow.patch(path, json=body))


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
    cleared = accepted(lambda: tenant.airflow.post(f"{dag_of(execution_id)}/clearTaskInstances", json=body))
    assert cleared.json()["task_instances"]


def delete_dag(tenant: Tenant, execution_id: str) -> None:
    """Delete the DAG of an upgrade that was paused during its first batch.

    If PostgreSQL ends the scheduler's transaction (see ``accepted``), Airflow 3.3.2 tries it again, does not find the
    run, and the scheduler process ends, which would fail all other tests. So this first waits until the scheduler has
    no task left to change.
    """
    settled = {ADMIT: "success", FIRST: "deferred"}
    what = "the scheduler to have no task left to change"
    wait_for(what, lambda: settled.items() <= tenant.task_states(execution_id).items())
    accepted(lambda: tenant.airflow.delete(dag_of(execution_id)), 204)


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
