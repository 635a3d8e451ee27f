"""The parts of an upgrade's DAG, in order."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from operator import itemgetter

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Asset, TaskGroup, TriggerRule
from airflow.sdk.bases.operator import BaseOperator

from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.domain.airflow.batch_tasks import batch_group
from upgrade_orchestrator.domain.airflow.stage_tasks import APPROVE, stage_group
from upgrade_orchestrator.domain.airflow.task_states import COMPLETE, END, REVERT, ROLLED_BACK
from upgrade_orchestrator.domain.checks.checks import CheckName
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.domain.plan.plan import BatchKind
from upgrade_orchestrator.domain.plan.steps import Step, StepKind, batches_per_task
from upgrade_orchestrator.flow.upgrade.operators import (
    CheckOperator,
    FirstStepOperator,
    RolledBackOperator,
    StepOperator,
    VerifyOperator,
)
from upgrade_orchestrator.flow.upgrade.staged import ApproveStageOperator


def add_validation(execution_id: str) -> BaseOperator:
    """The checks in parallel; ``admit`` joins them, whether their tasks succeeded or not.

    ``admit`` needs no worker: the last check to end stores the decision, and the first step reads it.
    """
    with TaskGroup("validate"):
        checks = [
            CheckOperator(task_id=name.lower(), execution_id=execution_id, check=name.value) for name in CheckName
        ]
    admit = EmptyOperator(task_id="admit", trigger_rule=TriggerRule.ALL_DONE)
    checks >> admit
    return admit


def add_batches(spec: DagSpec, before: BaseOperator) -> BaseOperator:
    """A task group for each batch, one after the other; if the upgrade stops, the rest is skipped.

    Of very many batches several share a group. Of groups that run as one, the first task does the work, and the tasks
    of the others end with it.
    """
    kinds = dict(spec.batches)
    for first, last in batches_per_task(spec.batches, spec.delay_seconds):
        before = _GROUPS[BatchKind(kinds[first])](spec, Step(StepKind.BATCH, first, last), before)
        if rest := [_add_empty(spec, number) for number in kinds if first < number <= last]:
            before = _add_rest(rest, before)
    return before


def _add_rest(rest: Sequence[BaseOperator], before: BaseOperator) -> BaseOperator:
    """In parallel before the last: a chain would cost a scheduler loop for each task."""
    before >> rest[-1]
    for each in rest[:-1]:
        before >> each >> rest[-1]
    return rest[-1]


def _add_empty(spec: DagSpec, number: int) -> BaseOperator:
    with _batch_group(spec, number):
        return EmptyOperator(task_id="upgrade")


def _batch_group(spec: DagSpec, first: int) -> TaskGroup:
    """The group that begins with batch ``first`` and ends before the one with which the next group begins."""
    after = bisect(spec.batches, first, key=itemgetter(0))
    last = spec.batches[after][0] - 1 if after < len(spec.batches) else first
    return TaskGroup(batch_group(first), group_display_name=f"batches {first} to {last}" if first < last else "")


def _add_batch(spec: DagSpec, step: Step, before: BaseOperator) -> BaseOperator:
    with _batch_group(spec, step.batch):
        upgrade = _work(spec, "upgrade", step)
    before >> upgrade
    return upgrade


def _add_canary(spec: DagSpec, step: Step, before: BaseOperator) -> BaseOperator:
    with TaskGroup("canary"):
        deploy = _work(spec, "deploy", step)
        monitor = _work(spec, "monitor", Step(StepKind.MONITOR, step.last))
    before >> deploy >> monitor
    return monitor


def _add_green(spec: DagSpec, step: Step, before: BaseOperator) -> BaseOperator:
    with TaskGroup("green"):
        provision = _work(spec, "provision", step)
        check = _work(spec, "check", Step(StepKind.CHECK_GREEN, step.last))
    switch = _work(spec, "switch_traffic", Step(StepKind.SWITCH_TRAFFIC, step.last))
    soak = _work(spec, "soak", Step(StepKind.SOAK, step.last))
    retire = _work(spec, "retire_blue", Step(StepKind.RETIRE_BLUE, step.last))
    before >> provision >> check >> switch >> soak >> retire
    return retire


def _add_stage(spec: DagSpec, step: Step, before: BaseOperator) -> BaseOperator:
    with TaskGroup(stage_group(step.batch)):
        if step.batch > 1:
            approve = ApproveStageOperator(task_id=APPROVE, execution_id=spec.execution_id, stage=step.batch)
            before >> approve
            before = approve
        upgrade = _work(spec, "upgrade", step)
    before >> upgrade
    return upgrade


def _work(spec: DagSpec, task_id: str, step: Step) -> BaseOperator:
    """The first step of an upgrade does not wait for the check tasks, because it runs the checks itself."""
    of = spec.execution_id
    if step.kind is not StepKind.BATCH or step.batch > 1:
        return StepOperator(task_id=task_id, execution_id=of, step=step)
    operator = FirstStepOperator if spec.begins_in_worker else StepOperator
    return operator(task_id=task_id, execution_id=of, step=step, trigger_rule=TriggerRule.ALWAYS)


Group = Callable[[DagSpec, Step, BaseOperator], BaseOperator]
_GROUPS: dict[BatchKind, Group] = {
    BatchKind.BATCH: _add_batch,
    BatchKind.ALL: _add_batch,
    BatchKind.CANARY: _add_canary,
    BatchKind.GREEN: _add_green,
    BatchKind.STAGE: _add_stage,
}


def add_ending(spec: DagSpec, before: BaseOperator, upgraded: Asset) -> None:
    """Add ``verify``, then ``complete`` if it succeeds; otherwise ``outcome`` runs, whatever was skipped or failed.

    The tasks after it ask the database whether they are needed. ``upgraded`` is the asset of a completed upgrade. The
    run succeeds if the upgrade is COMPLETED or CANCELLED; if it is FAILED or ROLLED_BACK, the last task of its branch
    fails.
    """
    of = spec.execution_id
    verify = VerifyOperator(task_id="verify", execution_id=of, outlets=[upgraded], instead=[END, REVERT])
    outcome = EmptyOperator(task_id="outcome", trigger_rule=TriggerRule.ALL_DONE)
    complete = EmptyOperator(task_id=COMPLETE)
    end = _work(spec, END, Step(StepKind.END))
    with TaskGroup("rollback"):
        revert = _work(spec, "revert", Step(StepKind.REVERT, ROLLBACK_BATCH))
        confirm = _work(spec, "confirm", Step(StepKind.CONFIRM, ROLLBACK_BATCH))
        rolled_back = RolledBackOperator(task_id=ROLLED_BACK, execution_id=of)
    confirm.trigger_rule = TriggerRule.NONE_SKIPPED  # also after a failed revert: the database decides
    before >> verify >> outcome >> [complete, end, revert]
    verify >> complete
    revert >> confirm >> rolled_back
