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
from include.upgrades.domain.states import UPGRADING, ExecutionStatus
from include.upgrades.flow.triggers import BatchTrigger
from include.upgrades.service.admit import admit
from include.upgrades.service.finish import complete, conclude, settle, verify
from include.upgrades.service.run_batch import Ending, Outcome, run_batch
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
    """One pre-upgrade check (section 7); a failed check is a failed task, ``admit`` decides what follows."""

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


class AdmitOperator(UpgradeOperator):
    """VALIDATING goes on to the work, or fails with what the checks found."""

    def execute(self, context: Any) -> None:
        """Decide."""
        execution = bootstrap.run(partial(admit, execution_id=self.execution_id))
        if execution.status not in UPGRADING | {ExecutionStatus.PAUSED}:
            leave(execution)


class BatchOperator(UpgradeOperator):
    """A batch: in the worker for a few seconds, then in the triggerer, which goes on from the rows."""

    def __init__(self, *, batch: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def execute(self, context: Any) -> None:
        """Run for ``inline_seconds``; defer what is left."""
        seconds = Settings.from_environment().inline_seconds
        work = partial(run_batch, execution_id=self.execution_id, number=self.batch, seconds=seconds)
        outcome = bootstrap.run(work)
        if outcome.ending is Ending.UNFINISHED:
            self.defer(trigger=BatchTrigger(self.execution_id, self.batch), method_name="resume_after_trigger")
        self.conclude(outcome)

    def resume_after_trigger(self, context: Any, event: dict[str, str]) -> None:
        """The triggerer has brought the batch to its end."""
        self.conclude(Outcome(Ending(event["ending"]), event["reason"]))

    def conclude(self, outcome: Outcome) -> None:
        """A batch that was stopped skips what comes after it, so that ``outcome`` is reached at once."""
        if outcome.ending is Ending.STOPPED:
            raise AirflowSkipException(outcome.reason)


class VerifyOperator(UpgradeOperator):
    """Post-upgrade verification."""

    def execute(self, context: Any) -> None:
        """Verify; anything but a pass leaves."""
        execution = bootstrap.run(partial(verify, execution_id=self.execution_id))
        if execution.verified_at is None:
            leave(execution)


class OutcomeOperator(UpgradeOperator, BaseBranchOperator):
    """Branches by what the database says, not by what became of the tasks."""

    def choose_branch(self, context: Any) -> str:
        """``complete`` for a verified execution, else ``end``; one that no task works on any more has failed."""
        execution = bootstrap.run(partial(conclude, execution_id=self.execution_id))
        verified = execution.verified_at is not None and not execution.is_terminal
        return "complete" if verified or execution.status is ExecutionStatus.COMPLETED else "end"


class CompleteOperator(UpgradeOperator):
    """COMPLETED, and the deployment runs the target version."""

    def execute(self, context: Any) -> None:
        """Complete; overtaken by a cancel it leaves."""
        execution = bootstrap.run(partial(complete, execution_id=self.execution_id))
        if execution.status is not ExecutionStatus.COMPLETED:
            leave(execution)


class EndOperator(BatchOperator):
    """The other ends: waits for what is in flight, lets go of the execution, and is red when it failed."""

    def conclude(self, outcome: Outcome) -> None:
        """Settle; the run of a failed execution is a failed run."""
        execution = bootstrap.run(partial(settle, execution_id=self.execution_id))
        if execution.status is ExecutionStatus.FAILED:
            raise AirflowFailException(execution.status_reason)
