"""The tasks of an upgrade. Each calls one use case; all state is in our database, so each may run again."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any, NoReturn

from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped
from airflow.triggers.base import StartTriggerArgs

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.flow.upgrade.triggers import CheckTrigger, StepTrigger, UpgradeTrigger, WorkTrigger
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.steps.work import run_step, verify_now
from upgrade_orchestrator.settings import Settings


def end_task_like(execution: Execution) -> None:
    """End the task because the execution has ended or does not need it: failed if the execution failed, else skipped.

    Successful if it is COMPLETED: another runner has done this task's work as well.
    """
    if execution.status is ExecutionStatus.COMPLETED:
        return
    why = f"the execution is {execution.status.value}: {execution.status_reason}"
    if execution.status is ExecutionStatus.FAILED:
        raise AirflowFailException(why)
    raise AirflowSkipException(why)


MAX_DELAY_SECONDS = 1.0
"A worker does not wait longer than this between steps; longer delays are left to the triggerer."


class UpgradeOperator(BaseOperator):
    """A task of the execution ``execution_id``."""

    ui_color = "#e8f1fb"

    def __init__(self, *, execution_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.execution_id = execution_id


class TriggeredOperator(UpgradeOperator):
    """A task that runs in the triggerer from start to end, so it needs no process."""

    start_from_trigger = True

    def __init__(self, *, trigger: UpgradeTrigger, **kwargs: Any) -> None:
        super().__init__(execution_id=trigger.execution_id, **kwargs)
        path, arguments = trigger.serialize()
        self.start_trigger_args = StartTriggerArgs(path, "fail", arguments)
        self.trigger = trigger

    def execute(self, context: Any) -> None:
        """Used only when the task runs without a scheduler."""
        self.defer(trigger=self.trigger, method_name="fail")

    def fail(self, context: Any, event: str) -> NoReturn:
        """Fail without retry, with the reason that the trigger found."""
        raise AirflowFailException(event)


class CheckOperator(TriggeredOperator):
    """One pre-upgrade check (specification section 7). A failed check fails its task; the last one to end decides."""

    def __init__(self, *, execution_id: str, check: str, **kwargs: Any) -> None:
        super().__init__(trigger=CheckTrigger(execution_id, check), **kwargs)


class StepOperator(TriggeredOperator):
    """One step of the upgrade."""

    def __init__(self, *, execution_id: str, step: Step, **kwargs: Any) -> None:
        super().__init__(trigger=StepTrigger(execution_id, step.kind.value, step.batch, step.last), **kwargs)


class FirstStepOperator(StepOperator):
    """The first step of the upgrade, in a worker, which starts within a second.

    The check tasks start in parallel but seconds later: this step runs the checks itself, and those tasks report the
    results. It continues with all steps that are due at once, and after some seconds leaves the rest to the triggerer.
    """

    start_from_trigger = False

    def __init__(self, *, step: Step, **kwargs: Any) -> None:
        super().__init__(step=step, **kwargs)
        self.step = step

    def execute(self, context: Any) -> None:
        """Work for some seconds; defer the rest."""
        seconds = Settings.read().inline_seconds
        begin = partial(run_step, execution_id=self.execution_id, step=self.step, seconds=seconds)
        outcome = bootstrap.run(partial(begin, max_delay=MAX_DELAY_SECONDS))
        if outcome.ending is Ending.UNFINISHED:
            super().execute(context)
        if outcome.ending is Ending.STOPPED:
            end_task_like(bootstrap.run(partial(find_execution, execution_id=self.execution_id)))


class VerifyOperator(UpgradeOperator):
    """Post-upgrade verification, which makes the execution COMPLETED or FAILED.

    Runs in a worker, because only there can a task update an asset, on which users may have scheduled DAGs. ``instead``
    names the tasks for an upgrade that does not complete; they are skipped when it does.
    """

    def __init__(self, *, instead: Collection[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.instead = list(instead)

    def execute(self, context: Any) -> None:
        """Verify; wait in the triggerer while the upgrade is paused."""
        seconds = Settings.read().inline_seconds
        outcome, execution = bootstrap.run(partial(verify_now, execution_id=self.execution_id, seconds=seconds))
        if outcome.ending is Ending.UNFINISHED:
            self.defer(
                trigger=WorkTrigger(self.execution_id, StepKind.VERIFY.value, 1), method_name="resume_after_trigger"
            )
        self._end(context, execution)

    def resume_after_trigger(self, context: Any, event: Any = None) -> None:
        """Called when the triggerer has finished the verification."""
        self._end(context, bootstrap.run(partial(find_execution, execution_id=self.execution_id)))

    def _end(self, context: Any, execution: Execution) -> None:
        """Update the asset if the execution is COMPLETED."""
        if execution.status is not ExecutionStatus.COMPLETED:
            end_task_like(execution)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = asset_extra(execution)
        raise DownstreamTasksSkipped(tasks=self.instead)


class RolledBackOperator(UpgradeOperator):
    """Fails when the upgrade was rolled back, which Airflow would otherwise show as a success; it changes nothing."""

    ui_color = "#fbe8e8"

    def execute(self, context: Any) -> None:
        """Fail without retry, with the reason of the rollback; everything is settled by then."""
        execution = bootstrap.run(partial(find_execution, execution_id=self.execution_id))
        if execution.status is ExecutionStatus.ROLLED_BACK:
            raise AirflowFailException(f"rolled back: {execution.rollback.reason}; {execution.status_reason}")
        end_task_like(execution)


def asset_extra(execution: Execution) -> dict[str, Any]:
    """The extra of the asset's event."""
    return {
        "executionId": execution.id,
        "tenantId": execution.tenant_id,
        "componentId": execution.request.component_id,
        "strategy": execution.request.strategy.value,
        "fromVersionId": execution.request.from_version_id,
        "toVersionId": execution.request.to_version_id,
        "fromVersion": execution.from_version,
        "toVersion": execution.to_version,
    }
