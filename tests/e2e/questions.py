"""The questions that a STAGED upgrade asks in Airflow before its stages, and the ways to answer them."""

import httpx

from tests.e2e.steps import DEADLINE_SECONDS, RED, Json, Tenant, got, wait_for


def parked(tenant: Tenant, execution_id: str, stage: int) -> None:
    """Wait until the stage's task waits in Airflow for people."""
    task = f"stage_{stage:02d}.approve"

    def look() -> bool:
        execution = tenant.execution(execution_id)
        assert execution["completedAt"] is None, execution["statusReason"]
        return tenant.task_states(execution_id).get(task) == "awaiting_input"

    wait_for(f"{task} to wait for people", look)


def task_of(tenant: Tenant, execution_id: str, stage: int) -> str:
    """The path of the task that asks before the stage."""
    runs: list[Json] = got(tenant.airflow, f"/dags/upgrade__{execution_id}/dagRuns")["dag_runs"]
    run_id = runs[0]["dag_run_id"]
    return f"/dags/upgrade__{execution_id}/dagRuns/{run_id}/taskInstances/stage_{stage:02d}.approve"


def question(tenant: Tenant, execution_id: str, stage: int) -> str:
    """The path of the question."""
    return f"{task_of(tenant, execution_id, stage)}/-1/hitlDetails"


def answer_in_ui(tenant: Tenant, execution_id: str, client: httpx.Client, option: str, reason: str | None) -> int:
    """Answer before stage 2 as the button in the UI does."""
    body = {"chosen_options": [option], "params_input": {"reason": reason}}
    return client.patch(question(tenant, execution_id, 2), json=body).status_code


def asked_again(tenant: Tenant, execution_id: str, why: str, within: float = DEADLINE_SECONDS) -> None:
    """The answer before stage 2 did not count: the question is asked again, and says why."""

    def look() -> bool:
        found = got(tenant.airflow, question(tenant, execution_id, 2))
        return found["response_received"] is False and why in (found["body"] or "")

    wait_for(f"the question to be asked again, saying {why}", look, within)


def decide(client: httpx.Client, execution_id: str, decision: str, stage: int = 2) -> httpx.Response:
    """Decide over REST."""
    return client.post(f"/upgrades/{execution_id}/stages/{stage}/{decision}", json={"reason": "seen"})


def decisions(tenant: Tenant, execution_id: str) -> list[tuple[str, str, str, str | None]]:
    """Every decision: which one, by whom, through which interface, and the reason."""
    decisions = [each["data"] for each in tenant.events(execution_id) if each["type"].endswith("approval-decided.v1")]
    return [(each["decision"], each["decidedBy"], each["source"], each["reason"]) for each in decisions]


def withdrawn(tenant: Tenant, execution_id: str, within: float = DEADLINE_SECONDS) -> None:
    """The task of stage 2 ends, because there is nothing left to ask."""
    ended = lambda: tenant.task_states(execution_id)["stage_02.approve"] == "skipped"  # noqa: E731
    wait_for("the task to be let go", ended, within)


def ends(tenant: Tenant, execution_id: str, status: str) -> dict[str, str]:
    """The execution has `status`, and its run failed if it was rolled back; returns the states of the tasks."""
    tenant.wait_until(execution_id, status)
    assert tenant.dag_run(execution_id)["state"] == ("failed" if status in RED else "success")
    return tenant.task_states(execution_id)
