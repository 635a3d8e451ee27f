"""The asset of a completed upgrade: what it is called, when it is updated, and the example that is scheduled on it."""

import runpy
from collections import defaultdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.upgrades.adapters.postgres.dag_specs import DagSpec
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.shards import SHARDS, shard_key
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.flow.factory import build_dag, build_dags
from tests.architecture.sources import ROOT
from tests.dags.conftest import Add

S = ExecutionStatus
EXAMPLE = ROOT / "docs/examples/after_upgrade.py"


def _complete(execution: Execution) -> Any:
    return build_dags(shard_key(execution.id) % SHARDS)[execution.dag_id].get_task("complete")


def _run(task: Any) -> dict[Asset, Any]:
    """What running the task tells of each asset."""
    told: dict[Any, Any] = defaultdict(SimpleNamespace)

    class Events:
        def __getitem__(self, asset: Asset) -> Any:
            return told[asset.name]

    task.execute({"outlet_events": Events()})
    return {name: each.extra for name, each in told.items()}


def _in(executions: Add, status: S) -> Execution:
    return executions(status=status, started_at=datetime.now(UTC))


def test_completed_upgrade_updates_its_asset_and_says_what_it_was(executions: Add) -> None:
    execution = _in(executions, S.COMPLETED)
    task = _complete(execution)
    name = f"upgrades/{execution.tenant_id}/aaa-111"
    assert task.outlets == [Asset(name=name, uri=name)]
    assert _run(task) == {
        name: {
            "executionId": execution.id,
            "tenantId": execution.tenant_id,
            "componentId": "aaa-111",
            "strategy": "ROLLING",
            "fromVersionId": "bbb-222",
            "toVersionId": "ccc-333",
            "fromVersion": "3.6.0",
            "toVersion": "3.7.0",
        }
    }


@pytest.mark.parametrize("status", [each for each in S if each not in (S.PENDING, S.COMPLETED)])
def test_complete_that_is_run_for_an_upgrade_that_is_not_completed_updates_nothing(executions: Add, status: S) -> None:
    task = _complete(_in(executions, status))
    with pytest.raises(AirflowFailException if status is S.FAILED else AirflowSkipException, match=status.value):
        _run(task)


def test_no_other_task_updates_anything(executions: Add) -> None:
    execution = _in(executions, S.COMPLETED)
    dag = _complete(execution).dag
    assert [task.task_id for task in dag.tasks if task.outlets] == ["complete"]


@pytest.mark.parametrize("each", ["a", "A-b_c.d", "a" * 64, "550e8400-e29b-41d4-a716-446655440000", "x-y.", "1"])
def test_every_id_of_the_contract_makes_an_asset_that_is_named_as_documented(each: str) -> None:
    spec = DagSpec("e-1", each, each, "ROLLING", "3.6.0", "3.7.0", ((1, "BATCH"),))
    (asset,) = build_dag(spec).get_task("complete").outlets
    assert (asset.name, asset.uri) == (f"upgrades/{each}/{each}", f"upgrades/{each}/{each}")


def test_example_is_a_dag_scheduled_on_the_asset_of_the_seed() -> None:
    dag = runpy.run_path(str(EXAMPLE))["after_upgrade"]()
    assert dag.timetable.asset_condition == Asset("upgrades/550e8400/aaa-111")
    assert [task.task_id for task in dag.tasks] == ["report"]
