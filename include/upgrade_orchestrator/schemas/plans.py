"""Representations of plan, preview, instance and event (specification section 1)."""

from __future__ import annotations

from pydantic import Field

from upgrade_orchestrator.domain.checks.checks import PASSING, Findings
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.schemas.base import SOME_ID, SOME_SHA256, ResponseBody, Time
from upgrade_orchestrator.schemas.executions import CheckResponse
from upgrade_orchestrator.service.upgrade.create import Preview
from upgrade_orchestrator.service.views.instance_history import HistoryEntry


class BatchResponse(ResponseBody):
    """A planned batch; ``kind`` is CANARY, BATCH, STAGE, GREEN or ALL."""

    number: int = Field(examples=[1])
    kind: str = Field(examples=["CANARY"])
    instances: list[str] = Field(examples=[["kafka-1"]])


class PlanResponse(ResponseBody):
    """The frozen plan; ``budget`` is null if the strategy has none."""

    hash: str = Field(examples=[SOME_SHA256])
    total_instances: int = Field(examples=[3])
    canary: list[str] = Field(examples=[["kafka-1"]])
    batches: list[BatchResponse]
    budget: int | None = Field(examples=[1])
    warnings: list[str]
    blockers: list[str]
    estimated_seconds: int = Field(examples=[180])

    @classmethod
    def of(cls, plan: Plan, findings: Findings) -> PlanResponse:
        """The plan with its warnings and blockers."""
        return cls(
            hash=plan.hash,
            total_instances=len(plan.instances),
            canary=list(plan.canary),
            batches=[
                BatchResponse(number=each.number, kind=each.kind, instances=list(each.instances))
                for each in plan.batches
            ],
            budget=plan.budget,
            warnings=list(findings.warnings),
            blockers=list(findings.blockers),
            estimated_seconds=plan.estimated_seconds,
        )


class ValidationResponse(ResponseBody):
    """Whether an upgrade would be accepted and admitted, with all findings.

    ``checks`` has what the pre-upgrade checks would find now.
    """

    valid: bool = Field(examples=[True])
    blockers: list[str]
    warnings: list[str]
    checks: list[CheckResponse]


class PreviewResponse(ResponseBody):
    """The response to ``dryRun=true``; ``plan`` is null if the fleet is too small for one."""

    plan: PlanResponse | None
    validation: ValidationResponse

    @classmethod
    def of(cls, preview: Preview) -> PreviewResponse:
        """The response body for the preview."""
        findings = preview.findings
        return cls(
            plan=PlanResponse.of(preview.plan, findings) if preview.plan else None,
            validation=ValidationResponse(
                valid=not findings.blockers and all(each.status in PASSING for each in preview.checks),
                blockers=list(findings.blockers),
                warnings=list(findings.warnings),
                checks=[CheckResponse.model_validate(each) for each in preview.checks],
            ),
        )


class InstanceResponse(ResponseBody):
    """An instance in an execution."""

    instance_id: str = Field(examples=["kafka-1"])
    batch: int = Field(examples=[1])
    status: str = Field(examples=["COMPLETED"])
    from_version: str | None = Field(description="null: unknown", examples=["3.6.0"])
    to_version: str = Field(examples=["3.7.0"])
    reported_version: str | None = Field(validation_alias="reported", examples=["v3.7.0"])
    attempts: int = Field(examples=[1])
    healthy: bool | None = Field(examples=[True])
    gone: bool
    last_health_at: Time | None
    error: str | None
    started_at: Time | None
    completed_at: Time | None

    @classmethod
    def of(cls, instance: Instance) -> InstanceResponse:
        """The response body for the instance."""
        return cls.model_validate(instance)


class HistoryEntryResponse(ResponseBody):
    """One thing that happened to an instance.

    ``kind`` is STATE (its status), ORDER (an order and the fleet's answer), HEALTH (what its health endpoint said that
    was new) or DECISION (the execution's status). ``detail`` may have several lines.
    """

    time: Time
    kind: str = Field(examples=["ORDER"])
    what: str = Field(examples=["drain"])
    detail: str | None = Field(examples=["202 in 8 ms"])
    actor: str | None = Field(description="who decided", examples=[None])
    token: int | None = Field(description="the fencing token of the order", examples=[12])

    @classmethod
    def of(cls, entry: HistoryEntry) -> HistoryEntryResponse:
        """The response body for the entry."""
        return cls.model_validate(entry)


class EventResponse(ResponseBody):
    """A CloudEvent (specification section 10)."""

    specversion: str = Field(examples=["1.0"])
    id: str = Field(examples=[SOME_ID])
    source: str = Field(examples=[f"/registry/upgrades/{SOME_ID}"])
    type: str = Field(examples=["registry.upgrade.status-changed.v1"])
    time: str = Field(examples=["2026-01-31T12:00:05.310000Z"])
    subject: str = Field(examples=[SOME_ID])
    sequence: int = Field(examples=[3])
    datacontenttype: str = Field(examples=["application/json"])
    data: dict[str, object] = Field(
        examples=[{"from": "PENDING", "to": "VALIDATING", "reason": "started", "actor": "olga", "source": "API"}]
    )
