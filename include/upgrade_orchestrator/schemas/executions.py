"""The execution as it is read (contract section 6): every key is there, null where it is empty."""

from __future__ import annotations

from dataclasses import asdict

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.schemas.base import Answer, Time
from upgrade_orchestrator.schemas.links import Links
from upgrade_orchestrator.service.views.queries import ExecutionView


class ProgressAnswer(Answer):
    """How far it is; ``percentage`` is 0 to 100."""

    percentage: int
    total: int
    pending: int
    in_flight: int
    completed: int
    failed: int
    rolled_back: int
    current_batch: int
    total_batches: int
    estimated_completion_at: Time | None


class CheckAnswer(Answer):
    """A pre-upgrade check (section 7)."""

    name: str
    status: str
    message: str
    started_at: Time | None
    completed_at: Time | None


class CanaryAnswer(Answer):
    """What is known of the canaries."""

    instances: list[str]
    healthy: bool | None
    polls: int
    last_poll_at: Time | None
    promoted_by: str | None
    promoted_at: Time | None


class ApprovalAnswer(Answer):
    """The stage that waits for an approval, and since when."""

    stage: int
    since: Time


class RollbackAnswer(Answer):
    """RollbackInfo of the seed."""

    auto_rollback_enabled: bool
    failure_threshold: int
    current_failures: int
    rollback_reason: str | None
    rollback_initiated_at: Time | None
    rollback_initiated_by: str | None
    rolled_back_instances: list[str]


class LinksAnswer(Answer):
    """Where to look, as paths from the server's root."""

    self: str
    events: str
    airflow: str


class RequestAnswer(Answer):
    """The fields of the request (section 2)."""

    component_id: str
    from_version_id: str
    to_version_id: str
    strategy: str
    canary_percentage: int
    batch_size: int
    batch_delay_seconds: int
    health_check_interval_seconds: int
    health_check_timeout_seconds: int
    max_unavailable_percentage: int
    total_instances: int
    auto_rollback_enabled: bool
    failure_threshold: int
    initiated_by: str | None
    installed_components: dict[str, str] | None
    soak_seconds: int
    stage_percentages: list[int] | None


class HeadAnswer(Answer):
    """What a reader looks for first."""

    id: str
    tenant_id: str
    status: str
    status_reason: str


class ExecutionAnswer(RequestAnswer, HeadAnswer):
    """The execution's body."""

    created_by: str
    created_at: Time
    started_at: Time | None
    completed_at: Time | None
    dag_id: str
    dag_run_url: str | None
    plan_hash: str
    progress: ProgressAnswer
    validation_checks: list[CheckAnswer]
    canary: CanaryAnswer
    awaiting_approval: ApprovalAnswer | None
    failure_phase: str | None
    warnings: list[str]
    rollback_info: RollbackAnswer
    links: LinksAnswer

    @classmethod
    def of(cls, view: ExecutionView, links: Links) -> ExecutionAnswer:
        """The view as it is shown."""
        execution = view.execution
        return cls.model_validate(
            asdict(execution.request)
            | _own(execution)
            | {
                "dag_run_url": _dag_run(execution, links),
                "progress": view.progress,
                "validation_checks": view.overview.checks,
                "canary": {"instances": view.overview.canary} | asdict(execution.canary),
                "awaiting_approval": _awaits(view),
                "rollback_info": _rollback(view),
                "links": _links(execution, links),
            }
        )


def _own(execution: Execution) -> dict[str, object]:
    names = ("id", "tenant_id", "status", "status_reason", "created_by", "created_at", "started_at", "completed_at")
    more = ("dag_id", "plan_hash", "failure_phase", "warnings", "total_instances")
    return {name: getattr(execution, name) for name in (*names, *more)}


def _dag_run(execution: Execution, links: Links) -> str | None:
    """Nothing before the start: there is no DAG yet."""
    return None if execution.status is ExecutionStatus.PENDING else links.dag_run(execution.dag_id)


def _awaits(view: ExecutionView) -> ApprovalAnswer | None:
    awaits = view.awaits
    return None if awaits is None else ApprovalAnswer(stage=awaits.stage, since=awaits.requested_at)


def _rollback(view: ExecutionView) -> RollbackAnswer:
    execution, request = view.execution, view.execution.request
    return RollbackAnswer(
        auto_rollback_enabled=request.auto_rollback_enabled,
        failure_threshold=request.failure_threshold,
        current_failures=execution.current_failures,
        rollback_reason=execution.rollback.reason,
        rollback_initiated_at=execution.rollback.initiated_at,
        rollback_initiated_by=execution.rollback.initiated_by,
        rolled_back_instances=list(view.overview.rolled_back),
    )


def _links(execution: Execution, links: Links) -> LinksAnswer:
    return LinksAnswer(
        self=links.execution(execution.id), events=links.events(execution.id), airflow=links.dag(execution.dag_id)
    )
