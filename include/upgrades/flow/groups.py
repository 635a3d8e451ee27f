"""The parts of an upgrade's DAG, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Asset, TaskGroup, TriggerRule
from airflow.sdk.bases.operator import BaseOperator

from include.upgrades.domain.checks import CheckName
from include.upgrades.domain.direction import ROLLBACK_BATCH
from include.upgrades.domain.plan import BatchKind
from include.upgrades.domain.stage_tasks import APPROVE, stage_group
from include.upgrades.flow.blue_green import (
    CheckGreenOperator,
    RetireBlueOperator,
    SoakOperator,
    SwitchTrafficOperator,
)
from include.upgrades.flow.operators import (
    BatchOperator,
    CheckOperator,
    CompleteOperator,
    ConfirmOperator,
    EndOperator,
    MonitorOperator,
    OutcomeOperator,
    RevertOperator,
    VerifyOperator,
)
from include.upgrades.flow.staged import ApproveStageOperator


def add_validation(execution_id: str) -> BaseOperator:
    """The five checks side by side; ``admit`` joins them, whatever became of their tasks.

    It costs no worker: the check that ended last has decided in the database, and the first batch looks there.
    """
    with TaskGroup("validate"):
        checks = [
            CheckOperator(task_id=name.lower(), execution_id=execution_id, check=name.value) for name in CheckName
        ]
    admit = EmptyOperator(task_id="admit", trigger_rule=TriggerRule.ALL_DONE)
    checks >> admit
    return admit


def add_batches(execution_id: str, batches: Sequence[tuple[int, str]], before: BaseOperator) -> BaseOperator:
    """A task group for each batch, one after the other; work that stops skips the rest."""
    for number, kind in batches:
        before = _GROUPS[BatchKind(kind)](execution_id, number, before)
    return before


def _add_batch(execution_id: str, number: int, before: BaseOperator) -> BaseOperator:
    with TaskGroup(f"batch_{number:03d}"):
        upgrade = BatchOperator(task_id="upgrade", execution_id=execution_id, batch=number)
    before >> upgrade
    return upgrade


def _add_canary(execution_id: str, number: int, before: BaseOperator) -> BaseOperator:
    with TaskGroup("canary"):
        deploy = BatchOperator(task_id="deploy", execution_id=execution_id, batch=number)
        monitor = MonitorOperator(task_id="monitor", execution_id=execution_id, batch=number)
    before >> deploy >> monitor
    return monitor


def _add_green(execution_id: str, number: int, before: BaseOperator) -> BaseOperator:
    with TaskGroup("green"):
        provision = BatchOperator(task_id="provision", execution_id=execution_id, batch=number)
        check = CheckGreenOperator(task_id="check", execution_id=execution_id, batch=number)
    switch = SwitchTrafficOperator(task_id="switch_traffic", execution_id=execution_id, batch=number)
    soak = SoakOperator(task_id="soak", execution_id=execution_id, batch=number)
    retire = RetireBlueOperator(task_id="retire_blue", execution_id=execution_id, batch=number)
    before >> provision >> check >> switch >> soak >> retire
    return retire


def _add_stage(execution_id: str, number: int, before: BaseOperator) -> BaseOperator:
    with TaskGroup(stage_group(number)):
        if number > 1:
            approve = ApproveStageOperator(task_id=APPROVE, execution_id=execution_id, stage=number)
            before >> approve
            before = approve
        upgrade = BatchOperator(task_id="upgrade", execution_id=execution_id, batch=number)
    before >> upgrade
    return upgrade


Group = Callable[[str, int, BaseOperator], BaseOperator]
_GROUPS: dict[BatchKind, Group] = {
    BatchKind.BATCH: _add_batch,
    BatchKind.ALL: _add_batch,
    BatchKind.CANARY: _add_canary,
    BatchKind.GREEN: _add_green,
    BatchKind.STAGE: _add_stage,
}


def add_ending(execution_id: str, before: BaseOperator, upgraded: Asset) -> None:
    """``verify``, then ``outcome`` decides by what the database says, also when everything before was skipped.

    ``upgraded`` is the asset that ``complete`` updates.
    """
    verify = VerifyOperator(task_id="verify", execution_id=execution_id)
    outcome = OutcomeOperator(task_id="outcome", execution_id=execution_id, trigger_rule=TriggerRule.ALL_DONE)
    complete = CompleteOperator(task_id="complete", execution_id=execution_id, outlets=[upgraded])
    end = EndOperator(task_id="end", execution_id=execution_id)
    before >> verify >> outcome >> [complete, end]
    with TaskGroup("rollback"):
        revert = RevertOperator(task_id="revert", execution_id=execution_id, batch=ROLLBACK_BATCH)
        # also after a revert that broke down: the database says what became of it
        confirm = ConfirmOperator(task_id="confirm", execution_id=execution_id, trigger_rule=TriggerRule.NONE_SKIPPED)
    outcome >> revert >> confirm
