"""Plan, preview, instance and event as they are read (contract section 1, bodies)."""

from __future__ import annotations

from upgrade_orchestrator.domain.checks.checks import PASSING, Findings
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.schemas.base import Answer, Time
from upgrade_orchestrator.schemas.executions import CheckAnswer
from upgrade_orchestrator.service.upgrade.create import Preview


class BatchAnswer(Answer):
    """A planned batch; ``kind`` is CANARY, BATCH, STAGE, GREEN or ALL."""

    number: int
    kind: str
    instances: list[str]


class PlanAnswer(Answer):
    """The frozen plan; ``budget`` is null where the strategy has none."""

    hash: str
    total_instances: int
    canary: list[str]
    batches: list[BatchAnswer]
    budget: int | None
    warnings: list[str]
    blockers: list[str]
    estimated_seconds: int

    @classmethod
    def of(cls, plan: Plan, findings: Findings) -> PlanAnswer:
        """The plan with what speaks against it."""
        return cls(
            hash=plan.hash,
            total_instances=len(plan.instances),
            canary=list(plan.canary),
            batches=[
                BatchAnswer(number=each.number, kind=each.kind, instances=list(each.instances)) for each in plan.batches
            ],
            budget=plan.budget,
            warnings=list(findings.warnings),
            blockers=list(findings.blockers),
            estimated_seconds=plan.estimated_seconds,
        )


class ValidationAnswer(Answer):
    """Whether an upgrade would be accepted and admitted, and everything that was found.

    ``checks`` is what the pre-upgrade checks would find now.
    """

    valid: bool
    blockers: list[str]
    warnings: list[str]
    checks: list[CheckAnswer]


class PreviewAnswer(Answer):
    """The answer of ``dryRun=true``; ``plan`` is null when the fleet is too small for one."""

    plan: PlanAnswer | None
    validation: ValidationAnswer

    @classmethod
    def of(cls, preview: Preview) -> PreviewAnswer:
        """The preview as it is shown."""
        findings = preview.findings
        return cls(
            plan=PlanAnswer.of(preview.plan, findings) if preview.plan else None,
            validation=ValidationAnswer(
                valid=not findings.blockers and all(each.status in PASSING for each in preview.checks),
                blockers=list(findings.blockers),
                warnings=list(findings.warnings),
                checks=[CheckAnswer.model_validate(each) for each in preview.checks],
            ),
        )


class InstanceAnswer(Answer):
    """One instance within the execution."""

    instance_id: str
    batch: int
    status: str
    from_version: str
    to_version: str
    attempts: int
    healthy: bool | None
    last_health_at: Time | None
    error: str | None
    started_at: Time | None
    completed_at: Time | None

    @classmethod
    def of(cls, instance: Instance) -> InstanceAnswer:
        """The row as it is shown."""
        return cls.model_validate(instance)


class EventAnswer(Answer):
    """A CloudEvent (section 10)."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    subject: str
    sequence: int
    datacontenttype: str
    data: dict[str, object]
