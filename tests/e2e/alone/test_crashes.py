"""A component is killed (-9) while instances are being upgraded: the upgrade goes on and no work is done twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.airflow.settings import API_SERVER, METADATA_DATABASE, SCHEDULER, TRIGGERER
from local.stack.stack import Stack
from tests.e2e.airflow_actions import FIRST
from tests.e2e.ci import Job, needs_jq
from tests.e2e.conftest import NewTenant
from tests.e2e.parsing import has_dag
from tests.e2e.processes import leaders, workers
from tests.e2e.steps import Tenant, got, wait_for
from upgrade_orchestrator.domain.execution.execution import dag_id_of

pytestmark = pytest.mark.alone

LONG_SECONDS, SHORT_SECONDS = 12.0, 4.0
"Longer than the 8 s that the first batch stays in its worker, so that it is deferred to the triggerer; and shorter."
TWO_AND_TWO: dict[str, Any] = {"batchSize": 4, "maxUnavailablePercentage": 50}
"One batch that needs two rounds: the second is begun by the process that takes over after the crash."


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant(upgrade_seconds=SHORT_SECONDS)


def test_upgrade_continues_when_the_triggerer_is_killed_in_a_deferred_batch(
    stack: Stack, new_tenant: NewTenant
) -> None:
    tenant = new_tenant(upgrade_seconds=LONG_SECONDS)
    execution_id = tenant.start(**TWO_AND_TWO)
    _wait_deferred(tenant, execution_id)
    assert len(tenant.upgraded()) < 4
    before = leaders(stack)
    stack.kill(TRIGGERER)
    stack.up()
    after = leaders(stack)
    assert after.pop(TRIGGERER) != before.pop(TRIGGERER)
    assert after == before  # `up` starts what does not run, and nothing else
    _assert_completed_once(tenant, execution_id)
    run_id = tenant.dag_run(execution_id)["dag_run_id"]
    log = str(got(tenant.airflow, f"/dags/{dag_id_of(execution_id)}/dagRuns/{run_id}/taskInstances/{FIRST}/logs/1"))
    for each in tenant.each_once():  # two in the worker, two in the triggerer
        assert f"order version instance={each} " in log


def test_upgrade_continues_when_the_scheduler_is_killed_with_its_workers(stack: Stack, tenant: Tenant) -> None:
    execution_id = tenant.start(**TWO_AND_TWO)
    tenant.wait_upgrading()
    assert tenant.task_states(execution_id)[FIRST] == "running"
    stack.kill(SCHEDULER)
    assert not stack.is_alive(SCHEDULER)
    stack.start(SCHEDULER)
    stack.wait_ready()
    _assert_completed_once(tenant, execution_id)


@needs_jq
def test_upgrade_from_ci_continues_when_the_api_server_is_killed(
    stack: Stack, tenant: Tenant, token: str, tmp_path: Path
) -> None:
    job = Job(stack, tenant, tmp_path, {"UPGRADES_TOKEN": token})
    process = job.begin(tenant.body(**TWO_AND_TWO))
    execution_id = job.execution_id()
    tenant.wait_upgrading()
    stack.kill(API_SERVER)
    assert not stack.is_alive(API_SERVER)
    wait_for("an instance to be upgraded meanwhile", lambda: tenant.versions()["3.7.0"])
    stack.start(API_SERVER)
    stack.wait_ready()
    printed, _ = process.communicate(timeout=150)
    assert process.returncode == 0, printed
    assert "trying again" in printed
    _assert_completed_once(tenant, execution_id)


def test_upgrade_continues_when_a_worker_is_killed_that_has_just_taken_a_task(stack: Stack, tenant: Tenant) -> None:
    """Airflow does not know that the task was taken, nor LocalExecutor that it is lost: it would stay queued for ever.

    It is the first step's: no other task needs a worker so soon, and the checks are run by their own tasks meanwhile.
    """
    execution_id = tenant.start(**TWO_AND_TWO)
    with _held_up(stack, API_SERVER):  # before there is a DAG, so that no worker can have begun it
        wait_for("Airflow to know the DAG", lambda: has_dag(stack, execution_id))
        lost = wait_for("a worker to take a task", lambda: _workers_of(stack, execution_id))[0]
        for process in (*lost.children(recursive=True), lost):
            process.kill()
    _assert_completed_once(tenant, execution_id)
    assert _of_tasks(stack, execution_id, "try_number", f"task_id = '{FIRST}'") == {2}
    assert _of_tasks(stack, execution_id, "try_number", "task_id LIKE 'validate.%'") == {1}


@contextmanager
def _held_up(stack: Stack, component: str) -> Iterator[None]:
    """While the block runs, the component's processes are suspended."""
    leader = stack.leader(component)
    assert leader is not None
    processes = [psutil.Process(each) for each in leader.members()]
    for each in processes:
        each.suspend()
    try:
        yield
    finally:
        for each in processes:
            each.resume()


def _workers_of(stack: Stack, execution_id: str) -> list[psutil.Process]:
    """LocalExecutor's workers with a task of the execution that is still queued, found by the task id in their
    titles.
    """
    queued = _of_tasks(stack, execution_id, "id::text", "state = 'queued'")
    return [each for each, title in workers(stack).items() if queued & set(title.split())]


def _of_tasks(stack: Stack, execution_id: str, column: str, which: str) -> set[Any]:
    """The values of that column for those of the execution's tasks, in Airflow's own database."""
    query = f"SELECT {column} FROM task_instance WHERE dag_id = '{dag_id_of(execution_id)}' AND {which}"
    with stack.postgres().connect(METADATA_DATABASE) as connection:
        return {row[0] for row in connection.execute(query.encode())}


def _wait_deferred(tenant: Tenant, execution_id: str) -> None:
    wait_for(
        "the batch to be deferred",
        lambda: tenant.task_states(execution_id).get(FIRST) == "deferred",
        most_between=0.5,
    )


def _assert_completed_once(tenant: Tenant, execution_id: str) -> None:
    tenant.wait_until(execution_id, "COMPLETED")
    assert tenant.upgraded() == tenant.each_once()
    assert tenant.versions() == {"3.7.0": 4}
    assert tenant.most_unavailable() <= 2
    events = tenant.events(execution_id)
    assert [each["sequence"] for each in events] == list(range(1, len(events) + 1))
    assert tenant.dag_run(execution_id)["state"] == "success"
