"""The representation of an execution (specification section 6): every field is present, null if it has no value.

``Links`` makes the paths that it names, in the API and in Airflow's UI.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pydantic import Field

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.schemas.base import SOME_ID, SOME_SHA256, ResponseBody, Time
from upgrade_orchestrator.service.views.queries import ExecutionView


@dataclass(frozen=True, slots=True)
class Links:
    """Paths from the server's root, including Airflow's base path."""

    root: str
    airflow_root: str

    def execution(self, execution_id: str) -> str:
        """The execution itself."""
        return f"{self.root}/upgrades/{execution_id}"

    def events(self, execution_id: str) -> str:
        """Its event log."""
        return f"{self.root}/upgrades/{execution_id}/events"

    def dag(self, dag_id: str) -> str:
        """Its DAG in the Airflow UI."""
        return f"{self.airflow_root}/dags/{dag_id}"

    def dag_run(self, dag_id: str) -> str:
        """The list of the DAG's runs in the Airflow UI: an execution has one."""
        return f"{self.airflow_root}/dags/{dag_id}/runs"


class ProgressResponse(ResponseBody):
    """The progress; ``percentage`` is 0 to 100."""

    percentage: int = Field(examples=[10])
    total: int = Field(examples=[20])
    pending: int = Field(examples=[15])
    in_flight: int = Field(examples=[3])
    completed: int = Field(examples=[2])
    failed: int
    rolled_back: int
    current_batch: int = Field(examples=[2])
    total_batches: int = Field(examples=[5])
    estimated_completion_at: Time | None


class CheckResponse(ResponseBody):
    """A pre-upgrade check (specification section 7)."""

    name: str = Field(examples=["VERSION_COMPATIBILITY"])
    status: str = Field(examples=["PASSED"])
    message: str = Field(examples=["the path from 3.6.0 to 3.7.0 is registered and open"])
    started_at: Time | None
    completed_at: Time | None


class CanaryResponse(ResponseBody):
    """The state of the canaries."""

    instances: list[str] = Field(examples=[["kafka-1", "kafka-2"]])
    healthy: bool | None = Field(examples=[True])
    polls: int = Field(examples=[3])
    last_poll_at: Time | None
    promoted_by: str | None = Field(examples=["olga"])
    promoted_at: Time | None


class ApprovalResponse(ResponseBody):
    """The stage that waits for an approval, and since when."""

    stage: int = Field(examples=[2])
    since: Time


class AttentionResponse(ResponseBody):
    """What keeps the execution from going on, once it has been met twice in a row."""

    code: str = Field(examples=["FLEET_UNREACHABLE"])
    since: Time
    message: str = Field(examples=["the agent does not answer (TimeoutError)"])
    tries: int = Field(examples=[2])


class RollbackResponse(ResponseBody):
    """The rollback, as in specification section 6."""

    auto_rollback_enabled: bool
    failure_threshold: int = Field(examples=[3])
    current_failures: int
    rollback_reason: str | None
    rollback_initiated_at: Time | None = Field(examples=[None])
    rollback_initiated_by: str | None
    rolled_back_instances: list[str]


class LinksResponse(ResponseBody):
    """Links as paths from the server's root."""

    self: str = Field(examples=[f"/api/v1/registry/upgrades/{SOME_ID}"])
    events: str = Field(examples=[f"/api/v1/registry/upgrades/{SOME_ID}/events"])
    airflow: str = Field(examples=[f"/dags/upgrade__{SOME_ID}"])


class RequestResponse(ResponseBody):
    """The fields of the request (specification section 2)."""

    component_id: str = Field(examples=["aaa-111"])
    from_version_id: str = Field(examples=["bbb-222"])
    to_version_id: str = Field(examples=["ccc-333"])
    strategy: str = Field(examples=["CANARY"])
    canary_percentage: int = Field(examples=[10])
    batch_size: int = Field(examples=[5])
    batch_delay_seconds: int = Field(examples=[60])
    health_check_interval_seconds: int = Field(examples=[30])
    health_check_timeout_seconds: int = Field(examples=[300])
    max_unavailable_percentage: int = Field(examples=[25])
    total_instances: int = Field(examples=[20])
    auto_rollback_enabled: bool
    failure_threshold: int = Field(examples=[3])
    initiated_by: str | None = Field(examples=["ci"])
    installed_components: dict[str, str] | None = Field(examples=[{"kafka": "3.6.0", "postgresql": "16.1"}])
    soak_seconds: int
    stage_percentages: list[int] | None = Field(examples=[None])
    undrain_foreign: bool


class HeadResponse(ResponseBody):
    """The most important fields, which come first."""

    id: str = Field(examples=[SOME_ID])
    tenant_id: str = Field(examples=["550e8400"])
    status: str = Field(examples=["IN_PROGRESS"])
    status_reason: str = Field(examples=["promoted by olga"])


class ExecutionResponse(RequestResponse, HeadResponse):
    """An execution with its progress, checks, canaries, approval, rollback and links (specification section 6)."""

    created_by: str = Field(examples=["olga"])
    created_at: Time
    started_at: Time | None
    completed_at: Time | None = Field(examples=[None])
    revert_of: str | None = Field(examples=[None])
    dag_id: str = Field(examples=[f"upgrade__{SOME_ID}"])
    dag_run_url: str | None = Field(examples=[f"/dags/upgrade__{SOME_ID}/runs"])
    plan_hash: str = Field(examples=[SOME_SHA256])
    progress: ProgressResponse
    validation_checks: list[CheckResponse]
    canary: CanaryResponse
    awaiting_approval: ApprovalResponse | None = Field(examples=[None])
    attention: AttentionResponse | None = Field(examples=[None])
    failure_phase: str | None
    warnings: list[str]
    rollback_info: RollbackResponse
    links: LinksResponse

    @classmethod
    def of(cls, view: ExecutionView, links: Links) -> ExecutionResponse:
        """The response body for the execution in ``view``."""
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
    more = ("dag_id", "plan_hash", "attention", "failure_phase", "warnings", "total_instances", "revert_of")
    return {name: getattr(execution, name) for name in (*names, *more)}


def _dag_run(execution: Execution, links: Links) -> str | None:
    """None before the start, when there is no DAG yet."""
    return None if execution.status is ExecutionStatus.PENDING else links.dag_run(execution.dag_id)


def _awaits(view: ExecutionView) -> ApprovalResponse | None:
    awaits = view.awaits
    return None if awaits is None else ApprovalResponse(stage=awaits.stage, since=awaits.requested_at)


def _rollback(view: ExecutionView) -> RollbackResponse:
    execution, request = view.execution, view.execution.request
    return RollbackResponse(
        auto_rollback_enabled=request.auto_rollback_enabled,
        failure_threshold=request.failure_threshold,
        current_failures=execution.current_failures,
        rollback_reason=execution.rollback.reason,
        rollback_initiated_at=execution.rollback.initiated_at,
        rollback_initiated_by=execution.rollback.initiated_by,
        rolled_back_instances=list(view.overview.rolled_back),
    )


def _links(execution: Execution, links: Links) -> LinksResponse:
    return LinksResponse(
        self=links.execution(execution.id), events=links.events(execution.id), airflow=links.dag(execution.dag_id)
    )
