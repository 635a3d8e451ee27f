"""What an execution has to do when somebody had a hand in Airflow: a pure decision (contract section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import UPGRADING, ExecutionStatus, is_terminal

S = ExecutionStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """As much of an execution as the decision needs: few bytes, for all unsettled ones are looked at all the time."""

    id: str
    status: ExecutionStatus
    run_ref: str | None = None
    dag_paused: bool = False
    settled: bool = False

    @property
    def is_terminal(self) -> bool:
        """True when no command and no task changes it any more."""
        return is_terminal(self.status)

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """Where ``execution`` stands."""
        settled = execution.settled_at is not None
        return cls(execution.id, execution.status, execution.run_ref, execution.dag_paused, settled)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Both sides agree."""


@dataclass(frozen=True, slots=True)
class AskForDag:
    """It was started and Airflow has not read its DAG yet: a request to do so may be lost, or was never made."""


@dataclass(frozen=True, slots=True)
class Remember:
    """The run is there: from now on its disappearance means something."""

    run_ref: str


@dataclass(frozen=True, slots=True)
class PauseIt:
    """PAUSED, because the DAG is."""

    reason: str


@dataclass(frozen=True, slots=True)
class ResumeIt:
    """Back to where the DAG's pause began."""

    reason: str


@dataclass(frozen=True, slots=True)
class FailIt:
    """FAILED, because no task will carry it out any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unpause:
    """The DAG has to go on: what it does now cannot be paused."""


@dataclass(frozen=True, slots=True)
class BringToEnd:
    """It is over, something may still be in flight, and no run is left whose tasks would see to that."""


Follow = Nothing | AskForDag | Remember | PauseIt | ResumeIt | FailIt | Unpause | BringToEnd

DELETED = "the DAG run was deleted in Airflow"


def follow(execution: Standing, run: RunView) -> Follow:
    """What follows for ``execution`` from what Airflow shows of its run."""
    if execution.settled:
        return Nothing()
    if execution.is_terminal:
        return _see_it_off(run)
    if (lost := _lost(execution, run)) is not None:
        return FailIt(lost)
    if run.ref is None and not run.known:
        return AskForDag()
    return _keep_up(execution, run)


def _see_it_off(run: RunView) -> Follow:
    """Over, but its place is not free yet: ``end`` or ``rollback.confirm`` does that, if they can."""
    if not run.active:
        return BringToEnd()
    return Unpause() if run.paused else Nothing()


def _lost(execution: Standing, run: RunView) -> str | None:
    """Why no task carries it out any more; only before its first task has ended is a missing run not there yet."""
    if execution.run_ref is not None and execution.run_ref != run.ref:
        return DELETED
    if run.ref is None and execution.status is not S.VALIDATING:
        return DELETED
    if run.finished:
        return f"the DAG run was marked {run.state} in Airflow before the upgrade had ended"
    return None


def _keep_up(execution: Standing, run: RunView) -> Follow:
    if execution.status is S.ROLLING_BACK and run.paused:
        return Unpause()
    if execution.status in UPGRADING and run.paused:
        return PauseIt("the DAG was paused in Airflow")
    if execution.status is S.PAUSED and execution.dag_paused and not run.paused:
        return ResumeIt("the DAG was unpaused in Airflow")
    if execution.run_ref is None and run.ref is not None:
        return Remember(run.ref)
    return Nothing()
