"""The task after a rollback, which makes the run of an upgrade that was undone a failed one."""

from dataclasses import replace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tests.dags.built import dag_of, started
from tests.dags.conftest import Add
from tests.store_contract.stores import new_execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus


def run_task(executions: Add, status: ExecutionStatus) -> None:
    rollback = replace(new_execution().rollback, reason="too many failures")
    ended = started(executions, status=status, status_reason="all are back", rollback=rollback)
    dag_of(ended).get_task("rollback.rolled_back").execute({})


def test_upgrade_that_was_rolled_back_fails_the_task_without_retry_and_with_both_reasons(executions: Add) -> None:
    with pytest.raises(AirflowFailException, match="rolled back: too many failures; all are back"):
        run_task(executions, S.ROLLED_BACK)


def test_upgrade_that_was_cancelled_during_its_rollback_skips_the_task(executions: Add) -> None:
    with pytest.raises(AirflowSkipException, match="CANCELLED"):
        run_task(executions, S.CANCELLED)


def test_upgrade_that_was_completed_after_all_leaves_the_task_successful(executions: Add) -> None:
    run_task(executions, S.COMPLETED)


def test_task_has_no_asset_to_update(executions: Add) -> None:
    assert dag_of(started(executions)).get_task("rollback.rolled_back").outlets == []
