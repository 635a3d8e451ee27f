"""The tasks of an execution's DAG and their order."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule
from airflow.serialization.serialized_objects import DagSerialization

from tests.dags.built import dag_of, shard_of, started
from tests.dags.conftest import Add
from tests.unit.domain.builders import make_request, planned
from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.domain.plan.steps import TASK_START_SECONDS
from upgrade_orchestrator.flow.upgrade.factory import build_dag
from upgrade_orchestrator.flow.upgrade.operators import FirstStepOperator
from upgrade_orchestrator.flow.upgrade.triggers import StepTrigger

CHECKS = [
    f"validate.{name}"
    for name in (
        "version_compatibility",
        "resource_availability",
        "backup_verification",
        "health_endpoints",
        "dependency_check",
    )
]
BATCHES = [f"batch_00{number}.upgrade" for number in (1, 2, 3)]


def _edges(dag: Any) -> dict[str, set[str]]:
    return {task.task_id: task.downstream_task_ids for task in dag.tasks}


def _leads_to(edges: dict[str, set[str]], chain: list[str]) -> bool:
    """Each to the next one and to nothing else; the verification to the end of a completed upgrade as well."""
    following = [edges[each] - ({"complete"} if each == "verify" else set()) for each in chain[:-1]]
    return following == [{each} for each in chain[1:]]


def _trigger(dag: Any, task_id: str) -> StepTrigger:
    found = dag.get_task(task_id).trigger
    assert isinstance(found, StepTrigger)
    return found


def test_started_execution_has_the_dag_of_its_plan(executions: Add) -> None:
    dag = dag_of(started(executions))
    edges = _edges(dag)
    assert {each: edges[each] for each in CHECKS} == {each: {"admit"} for each in CHECKS}
    chain = ["admit", *BATCHES, "verify", "outcome"]
    assert _leads_to(edges, chain)
    assert dag.get_task("outcome").upstream_task_ids == {"verify"}
    assert edges["outcome"] == {"complete", "end", "rollback.revert"}
    assert edges["rollback.revert"] == {"rollback.confirm"}
    assert edges["rollback.confirm"] == {"rollback.rolled_back"}
    assert edges["complete"] == edges["end"] == edges["rollback.rolled_back"] == set()
    rollback = {f"rollback.{each}" for each in ("revert", "confirm", "rolled_back")}
    assert set(edges) == {*CHECKS, *chain, "complete", "end", *rollback}


def test_verification_that_succeeds_completes_the_run(executions: Add) -> None:
    assert dag_of(started(executions)).get_task("complete").upstream_task_ids == {"verify", "outcome"}


def test_every_task_is_tried_again_for_hours(executions: Add) -> None:
    (tries,) = {task.retries for task in dag_of(started(executions)).tasks}
    assert tries > 100


@pytest.mark.parametrize(
    ("strategy", "first"),
    [
        (Strategy.ROLLING, "batch_001.upgrade"),
        (Strategy.CANARY, "canary.deploy"),
        (Strategy.BLUE_GREEN, "green.provision"),
        (Strategy.RECREATE, "batch_001.upgrade"),
        (Strategy.STAGED, "stage_01.upgrade"),
    ],
)
def test_only_the_first_step_of_each_strategy_begins_beside_the_checks(
    executions: Add, strategy: Strategy, first: str
) -> None:
    plan = planned(5, strategy=strategy, batch_size=2)
    dag = dag_of(started(executions, plan=plan, request=make_request(strategy=strategy)))
    assert [each.task_id for each in dag.tasks if isinstance(each, FirstStepOperator)] == [first]
    assert [each.task_id for each in dag.tasks if each.trigger_rule == TriggerRule.ALWAYS] == [first]
    assert dag.get_task(first).upstream_task_ids == {"admit"}


@pytest.mark.parametrize("strategy", Strategy)
def test_upgrade_that_begins_in_the_triggerer_needs_a_worker_at_its_end_only(
    executions: Add, strategy: Strategy
) -> None:
    plan, request = planned(5, strategy=strategy, batch_size=2), make_request(strategy=strategy)
    fields: dict[str, Any] = {"plan": plan, "request": request}
    here, there = (dag_of(started(executions, begins_in_worker=each, **fields)) for each in (True, False))
    assert _in_workers(here) - _in_workers(there) == {_first(here)}
    assert (there.get_task(_first(here)).trigger_rule, _shape(there)) == (TriggerRule.ALWAYS, _shape(here))


def test_only_two_tasks_need_a_worker_and_a_third_after_a_rollback(executions: Add) -> None:
    assert _in_workers(dag_of(started(executions))) == {"batch_001.upgrade", "verify", "rollback.rolled_back"}


def test_end_tasks_run_after_any_state_of_the_tasks_before_them(executions: Add) -> None:
    dag = dag_of(started(executions))
    rules = {task.task_id: task.trigger_rule for task in dag.tasks}
    assert rules["admit"] == rules["outcome"] == TriggerRule.ALL_DONE
    assert rules["rollback.confirm"] == TriggerRule.NONE_SKIPPED
    assert rules[BATCHES[0]] == TriggerRule.ALWAYS
    special = ("admit", BATCHES[0], "outcome", "rollback.confirm")
    others = {rule for name, rule in rules.items() if name not in special}
    assert others == {TriggerRule.ALL_SUCCESS}


def test_dag_is_scheduled_once_immediately_with_the_date_of_the_start(executions: Add) -> None:
    execution = started(executions, started_at=datetime(2031, 5, 17, 23, 59, 58, tzinfo=UTC))
    dag = dag_of(execution)
    assert (dag.schedule, dag.catchup, dag.max_active_runs, dag.is_paused_upon_creation) == ("@once", False, 1, False)
    assert dag.start_date == datetime(2031, 5, 17, tzinfo=UTC)


def test_dag_of_an_upgrade_that_starts_now_runs_at_once(executions: Add) -> None:
    assert dag_of(started(executions)).start_date <= datetime.now(UTC)


def test_dag_description_and_tags_name_tenant_component_and_versions(executions: Add) -> None:
    execution = started(executions)
    dag = dag_of(execution)
    assert dag.dag_display_name == f"aaa-111 3.6.0 → 3.7.0 · {execution.tenant_id} · ROLLING"
    assert dag.tags == {"upgrade", f"tenant:{execution.tenant_id}", "component:aaa-111", "ROLLING"}
    assert execution.id in dag.doc_md


def test_batches_carry_their_numbers_to_the_runner(executions: Add) -> None:
    execution = started(executions)
    dag = dag_of(execution)
    assert [(_trigger(dag, each).batch, _trigger(dag, each).last) for each in BATCHES] == [(1, 1), (2, 2), (3, 3)]
    assert _trigger(dag, "rollback.revert").batch == _trigger(dag, "rollback.confirm").batch == ROLLBACK_BATCH
    assert {task.execution_id for task in dag.tasks if not isinstance(task, EmptyOperator)} == {execution.id}


@pytest.mark.parametrize(
    ("delay", "works"),
    [
        (TASK_START_SECONDS, [(1, 1), (2, 2), (3, 3)]),
        (TASK_START_SECONDS - 1, [(1, 3), None, None]),
        (0, [(1, 3), None, None]),
    ],
)
def test_batches_with_a_delay_shorter_than_a_task_are_one_task_and_empty_ones(
    executions: Add, delay: float, works: list[tuple[int, int] | None]
) -> None:
    dag = dag_of(started(executions, request=make_request(total_instances=5, batch_delay_seconds=int(delay))))
    tasks = [dag.get_task(each) for each in BATCHES]
    found = [None if isinstance(each, EmptyOperator) else (each.trigger.batch, each.trigger.last) for each in tasks]
    assert found == works
    assert _leads_to(_edges(dag), ["admit", BATCHES[0]])
    assert _leads_to(_edges(dag), [BATCHES[-1], "verify", "outcome"])


def test_empty_tasks_of_batches_that_run_as_one_wait_for_each_other_only_once(executions: Add) -> None:
    plan = planned(40, batch_size=2)
    dag = dag_of(started(executions, plan=plan, request=make_request(batch_delay_seconds=0)))
    edges, last = _edges(dag), "batch_020.upgrade"
    others = {f"batch_{number:03d}.upgrade" for number in range(2, 20)}
    assert edges["batch_001.upgrade"] == {*others, last}
    assert all(edges[each] == {last} for each in others)


# fault 50
@pytest.mark.parametrize("delay", [0, 60])
def test_batches_of_the_largest_upgrade_share_a_hundred_groups(executions: Add, delay: int) -> None:
    plan = planned(10_000, batch_size=1, total_instances=10_000)
    execution = started(executions, plan=plan, request=make_request(batch_delay_seconds=delay))
    (spec,) = bootstrap.dag_specs(shard_of(execution), execution.id)
    assert len(json.dumps(spec.batches)) < 2_000
    dag = dag_of(execution)
    groups = [each for each in dag.task_group.children if each.startswith("batch_")]
    assert (len(groups), groups[:2], groups[-1]) == (100, ["batch_001", "batch_102"], "batch_10000")
    assert dag.task_group.children["batch_102"].group_display_name == "batches 102 to 202"
    assert dag.task_group.children["batch_10000"].label == "batch_10000"
    assert "10000 batches" in dag.doc_md
    last = _trigger(dag, "batch_001.upgrade").last
    assert last == (10_000 if delay == 0 else 101)
    assert len(json.dumps(DagSerialization.to_dict(dag))) < 130_000


@pytest.mark.parametrize("delay", [0, 60])
def test_dag_of_an_execution_that_was_stored_with_a_group_for_each_batch_stays_as_it_was(delay: int) -> None:
    batches = tuple((number, "BATCH") for number in range(1, 131))
    dag = build_dag(DagSpec("e-1", "t-1", "c-1", "ROLLING", "1.0", "2.0", batches, delay))
    groups = [each for each in dag.task_group.children if each.startswith("batch_")]
    assert groups == [f"batch_{number:03d}" for number, _ in batches]
    assert (_trigger(dag, "batch_001.upgrade").last) == (130 if delay == 0 else 1)
    assert isinstance(dag.get_task("batch_130.upgrade"), EmptyOperator) is (delay == 0)


@pytest.mark.parametrize("delay", [0, 3600])
def test_delay_between_batches_is_that_of_the_stored_request(executions: Add, delay: int) -> None:
    execution = started(executions, request=make_request(batch_delay_seconds=delay))
    (spec,) = bootstrap.dag_specs(shard_of(execution), execution.id)
    assert spec.delay_seconds == delay


def test_canaries_are_deployed_and_watched_before_the_rest(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.CANARY, canary_percentage=40, batch_size=2)
    dag = dag_of(started(executions, plan=plan, request=make_request(strategy=Strategy.CANARY)))
    edges = _edges(dag)
    chain = ["admit", "canary.deploy", "canary.monitor", "batch_002.upgrade", "batch_003.upgrade", "verify", "outcome"]
    assert _leads_to(edges, chain)
    works = [(_trigger(dag, each).kind, _trigger(dag, each).batch) for each in chain[1:3]]
    assert works == [("batch", 1), ("monitor", 1)]


def test_green_pool_is_made_and_checked_before_the_switch_and_blue_is_removed_last(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.BLUE_GREEN)
    dag = dag_of(started(executions, plan=plan, request=make_request(strategy=Strategy.BLUE_GREEN)))
    edges = _edges(dag)
    chain = ["admit", "green.provision", "green.check", "switch_traffic", "soak", "retire_blue", "verify", "outcome"]
    assert _leads_to(edges, chain)
    works = [_trigger(dag, each).kind for each in chain[1:-2]]
    assert works == ["batch", "check-green", "switch-traffic", "soak", "retire-blue"]


def test_every_stage_but_the_first_has_an_approval_task_before_it(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.STAGED, batch_size=2)
    dag = dag_of(started(executions, plan=plan, request=make_request(strategy=Strategy.STAGED)))
    edges = _edges(dag)
    chain = ["admit", "stage_01.upgrade"]
    chain += [f"stage_0{each}.{task}" for each in (2, 3) for task in ("approve", "upgrade")]
    chain += ["verify", "outcome"]
    assert _leads_to(edges, chain)
    for stage in (2, 3):
        approve = dag.get_task(f"stage_0{stage}.approve")
        assert (approve.stage, approve.defaults, approve.response_timeout) == (stage, None, None)
        assert _trigger(dag, f"stage_0{stage}.upgrade").batch == stage


def test_recreate_has_one_batch(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.RECREATE)
    edges = _edges(dag_of(started(executions, plan=plan, request=make_request(strategy=Strategy.RECREATE))))
    assert edges["admit"] == {"batch_001.upgrade"}
    assert edges["batch_001.upgrade"] == {"verify"}


def _in_workers(dag: Any) -> set[str]:
    tasks = (task for task in dag.tasks if not task.start_from_trigger)
    return {task.task_id for task in tasks if not isinstance(task, EmptyOperator)}


def _first(dag: Any) -> str:
    (first,) = (task.task_id for task in dag.tasks if isinstance(task, FirstStepOperator))
    return str(first)


def _shape(dag: Any) -> dict[str, set[str]]:
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
