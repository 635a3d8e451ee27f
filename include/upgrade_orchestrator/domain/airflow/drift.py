"""How an execution follows drift from its DAG run: a pure decision (specification section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus, is_terminal

S = ExecutionStatus


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """The part of an execution that the decision reads; kept small because the reconciler polls all unsettled ones."""

    id: str
    status: ExecutionStatus
    run_ref: str | None = None
    dag_paused: bool = False
    settled: bool = False
    attention: Attention | None = None
    started_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        """True when no command and no task changes the execution any more."""
        return is_terminal(self.status)

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """The part of ``execution`` that the decision reads."""
        settled = execution.settled_at is not None
        return cls(
            execution.id,
            execution.status,
            execution.run_ref,
            execution.dag_paused,
            settled,
            execution.attention,
            execution.started_at,
        )


@dataclass(frozen=True, slots=True)
class NoDrift:
    """The execution and its DAG run agree."""


@dataclass(frozen=True, slots=True)
class RequestParse:
    """Request a parse: Airflow does not know the DAG of a started execution, so the first request may be lost."""


@dataclass(frozen=True, slots=True)
class RememberRun:
    """Store the id of the DAG run: if that run is missing later, it was deleted."""

    run_ref: str


@dataclass(frozen=True, slots=True)
class PauseExecution:
    """Set the execution to PAUSED because its DAG was paused."""

    reason: str


@dataclass(frozen=True, slots=True)
class ResumeExecution:
    """Resume an execution that was paused through its DAG and whose DAG was unpaused, if it can go on."""


@dataclass(frozen=True, slots=True)
class FailExecution:
    """Set the execution to FAILED because no task will carry it out any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class UnpauseDag:
    """Unpause the DAG: a rollback and the work of a terminal execution cannot be paused."""


@dataclass(frozen=True, slots=True)
class FinishExecution:
    """Finish a terminal execution here: it is not settled, and it has no DAG run whose tasks would do that."""


DriftDecision = (
    NoDrift
    | RequestParse
    | RememberRun
    | PauseExecution
    | ResumeExecution
    | FailExecution
    | UnpauseDag
    | FinishExecution
)

DELETED = "the DAG run was deleted in Airflow"


def resolve_drift(execution: ExecutionSummary, run: RunView) -> DriftDecision:
    """What to do with ``execution``, given the state of its DAG run in Airflow."""
    if execution.settled:
        return NoDrift()
    if execution.is_terminal:
        return _finish_terminal(run)
    if (lost := _lost(execution, run)) is not None:
        return FailExecution(lost)
    if run.ref is None and not run.known:
        return RequestParse()
    return _reconcile_active(execution, run)


def _finish_terminal(run: RunView) -> DriftDecision:
    """Terminal, but not settled: the tasks ``end`` or ``rollback.confirm`` settle it as long as its run is active."""
    if not run.active:
        return FinishExecution()
    return UnpauseDag() if run.paused else NoDrift()


def _lost(execution: ExecutionSummary, run: RunView) -> str | None:
    """Why no task carries the execution out any more; while it is VALIDATING a missing run may still be created."""
    if execution.run_ref is not None and execution.run_ref != run.ref:
        return DELETED
    if run.ref is None and execution.status is not S.VALIDATING:
        return DELETED
    if run.finished:
        return f"the DAG run was marked {run.state} in Airflow before the upgrade had ended"
    return None


def _reconcile_active(execution: ExecutionSummary, run: RunView) -> DriftDecision:
    if execution.status is S.ROLLING_BACK and run.paused:
        return UnpauseDag()
    if execution.status in MAY_START and run.paused:
        return PauseExecution("the DAG was paused in Airflow")
    if execution.status is S.PAUSED and execution.dag_paused and not run.paused:
        return ResumeExecution()
    if execution.run_ref is None and run.ref is not None:
        return RememberRun(run.ref)
    return NoDrift()
