"""The tasks of an upgrade: each calls one use case; all state is in our database, so that each may run again."""

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

from airflow.providers.standard.operators.branch import BaseBranchOperator
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.upgrades import bootstrap
from include.upgrades.domain.checks import CheckName, CheckStatus
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.flow.triggers import WorkTrigger
from include.upgrades.flow.work import Work, work_on
from include.upgrades.service.finish import conclude
from include.upgrades.service.outcome import Ending, Outcome
from include.upgrades.service.queries import find_execution
from include.upgrades.service.roll_back import confirm_rollback
from include.upgrades.service.run_check import run_check
from include.upgrades.settings import Settings


def leave(execution: Execution) -> NoReturn:
    """End the task because the execution is over or elsewhere: red when it failed, skipped otherwise."""
    why = f"the execution is {execution.status.value}: {execution.status_reason}"
    if execution.status is ExecutionStatus.FAILED:
        raise AirflowFailException(why)
    raise AirflowSkipException(why)


class UpgradeOperator(BaseOperator):
    """A task of the execution ``execution_id``."""

    ui_color = "#e8f1fb"

    def __init__(self, *, execution_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.execution_id = execution_id


class CheckOperator(UpgradeOperator):
    """One pre-upgrade check (section 7); a failed check is a failed task; the last one to end decides what follows."""

    def __init__(self, *, check: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def execute(self, context: Any) -> None:
        """Look and keep the result."""
        name = CheckName(self.check)
        result = bootstrap.run(partial(run_check, execution_id=self.execution_id, name=name))
        self.log.info("%s %s: %s", name.value, result.status.value, result.message)
        if result.status is CheckStatus.FAILED:
            raise AirflowFailException(result.message)


class WorkOperator(UpgradeOperator):
    """Work that may take long: in the worker for a few seconds, then in the triggerer, which goes on from the rows.

    ``batch`` is the number of the batch or stage that the work is of.
    """

    work: Work
    inline_seconds: float | None = None
    """How long it stays in the worker; None: as the settings say."""

    def __init__(self, *, batch: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def execute(self, context: Any) -> None:
        """Work inline; defer what is left."""
        inline = Settings.from_environment().inline_seconds if self.inline_seconds is None else self.inline_seconds
        work = partial(work_on, execution_id=self.execution_id, work=self.work, batch=self.batch, seconds=inline)
        outcome = bootstrap.run(work)
        if outcome.ending is Ending.UNFINISHED:
            trigger = WorkTrigger(self.execution_id, self.work.value, self.batch)
            self.defer(trigger=trigger, method_name="resume_after_trigger")
        self.conclude(outcome)

    def resume_after_trigger(self, context: Any, event: dict[str, str]) -> None:
        """The triggerer has brought the work to its end."""
        self.conclude(Outcome(Ending(event["ending"]), event["reason"]))

    def conclude(self, outcome: Outcome) -> None:
        """Work that was stopped skips what comes after it, so that ``outcome`` is reached at once."""
        if outcome.ending is Ending.STOPPED:
            leave(bootstrap.run(partial(find_execution, execution_id=self.execution_id)))


class BatchOperator(WorkOperator):
    """A batch of instances."""

    work = Work.BATCH


class MonitorOperator(WorkOperator):
    """The canaries are watched until somebody promotes; a wait of hours, so it never stays in the worker."""

    work = Work.MONITOR
    inline_seconds = 0.0


class VerifyOperator(WorkOperator):
    """Post-upgrade verification; with it the execution is COMPLETED or FAILED."""

    work = Work.VERIFY


class OutcomeOperator(UpgradeOperator, BaseBranchOperator):
    """Branches by what the database says, not by what became of the tasks."""

    def choose_branch(self, context: Any) -> str:
        """``complete``, the way back when that was begun, else ``end``."""
        execution = bootstrap.run(partial(conclude, execution_id=self.execution_id))
        if execution.status is ExecutionStatus.ROLLING_BACK:
            return "rollback.revert"
        return "complete" if execution.status is ExecutionStatus.COMPLETED else "end"


class CompleteOperator(UpgradeOperator):
    """Updates the asset that is its outlet, so that what users scheduled on it runs; only when it is COMPLETED."""

    def execute(self, context: Any) -> None:
        """Tell of the execution; a task that was cleared or reached in any other status updates nothing."""
        execution = bootstrap.run(partial(find_execution, execution_id=self.execution_id))
        if execution.status is not ExecutionStatus.COMPLETED:
            leave(execution)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = told_of(execution)


def told_of(execution: Execution) -> dict[str, Any]:
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


class EndOperator(WorkOperator):
    """The other ends: waits for what is in flight, lets go of the execution, and is red when it failed."""

    work = Work.END

    def conclude(self, outcome: Outcome) -> None:
        """The run of a failed execution is a failed run."""
        execution = bootstrap.run(partial(find_execution, execution_id=self.execution_id))
        if execution.status is ExecutionStatus.FAILED:
            raise AirflowFailException(execution.status_reason)


class RevertOperator(BatchOperator):
    """The way back: one batch, newest first, under the same budget."""

    def conclude(self, outcome: Outcome) -> None:
        """``confirm`` judges, however it ended."""


class ConfirmOperator(UpgradeOperator):
    """ROLLED_BACK, or FAILED in phase ROLLBACK; never rolled back itself."""

    def execute(self, context: Any) -> None:
        """Confirm; a rollback that failed is a failed run."""
        execution = bootstrap.run(partial(confirm_rollback, execution_id=self.execution_id))
        if execution.status is ExecutionStatus.FAILED:
            raise AirflowFailException(execution.status_reason)
