"""Maps rows to domain values and back. Columns are named like fields; only the differences are spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func

from upgrade_orchestrator.adapters.ids import new_id
from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.airflow.shards import shard_key
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution, RollbackInfo, Strategy, UpgradeRequest
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase
from upgrade_orchestrator.domain.plan.plan import BatchKind, Plan, PlannedBatch
from upgrade_orchestrator.domain.plan.steps import batch_groups

Row = Mapping[str, Any]


def pick(cls: type, row: Row | RowMapping, **other: object) -> dict[str, Any]:
    """The columns of ``row`` that are fields of ``cls``, overlaid with ``other``."""
    names = {each.name for each in fields(cls)}
    return {name: value for name, value in row.items() if name in names} | other


def request_from(stored: Row) -> UpgradeRequest:
    """The request from its JSON column."""
    stages = stored["stage_percentages"]
    return UpgradeRequest(
        **(
            dict(stored)
            | {"strategy": Strategy(stored["strategy"]), "stage_percentages": tuple(stages) if stages else None}
        )
    )


def execution_from(row: RowMapping) -> Execution:
    """The execution in a row."""
    return Execution(
        **pick(
            Execution,
            row,
            request=request_from(row["request"]),
            status=ExecutionStatus(row["status"]),
            paused_from=ExecutionStatus(row["paused_from"]) if row["paused_from"] else None,
            warnings=tuple(row["warnings"]),
            further_targets=tuple(row["further_targets"]),
            attention=attention_from(row["attention"]),
            canary=Canary(
                healthy=row["canary_healthy"],
                polls=row["canary_polls"],
                last_poll_at=row["canary_last_poll_at"],
                promoted_by=row["promoted_by"],
                promoted_at=row["promoted_at"],
            ),
            rollback=RollbackInfo(row["rollback_reason"], row["rollback_initiated_at"], row["rollback_initiated_by"]),
        )
    )


def summary_from(row: Any) -> ExecutionSummary:
    """The summary of an execution that is not settled."""
    attention = attention_from(row.attention)
    status = ExecutionStatus(row.status)
    return ExecutionSummary(row.id, status, row.run_ref, row.dag_paused, False, attention, row.started_at)


def attention_from(stored: Row | None) -> Attention | None:
    """The attention from its JSON column."""
    return None if stored is None else Attention(**(dict(stored) | {"since": datetime.fromisoformat(stored["since"])}))


def attention_to(attention: Attention | None) -> dict[str, Any] | None:
    """The value of the JSON column."""
    return None if attention is None else asdict(attention) | {"since": attention.since.isoformat()}


def execution_to(execution: Execution) -> dict[str, Any]:
    """The values of the columns that can change after creation."""
    return {
        "status": execution.status,
        "status_reason": execution.status_reason,
        "started_at": execution.started_at,
        "completed_at": execution.completed_at,
        "settled_at": execution.settled_at,
        "paused_at": execution.paused_at,
        "paused_from": execution.paused_from,
        "paused_seconds": execution.paused_seconds,
        "current_failures": execution.current_failures,
        "accepted_failures": execution.accepted_failures,
        "attention": attention_to(execution.attention),
        "failure_phase": execution.failure_phase,
        "rollback_reason": execution.rollback.reason,
        "rollback_initiated_at": execution.rollback.initiated_at,
        "rollback_initiated_by": execution.rollback.initiated_by,
        "canary_healthy": execution.canary.healthy,
        "canary_polls": execution.canary.polls,
        "canary_last_poll_at": execution.canary.last_poll_at,
        "promoted_by": execution.canary.promoted_by,
        "promoted_at": execution.canary.promoted_at,
        "run_ref": execution.run_ref,
        "dag_paused": execution.dag_paused,
        "begins_in_worker": execution.begins_in_worker,
        "warnings": list(execution.warnings),
        "version": execution.version,
    }


def new_execution_to(execution: Execution, plan: Plan) -> dict[str, Any]:
    """The values of all columns of a new row."""
    request = execution.request
    return execution_to(execution) | {
        "id": execution.id,
        "tenant_id": execution.tenant_id,
        "component_id": request.component_id,
        "from_version_id": request.from_version_id,
        "to_version_id": request.to_version_id,
        "strategy": request.strategy,
        "request": asdict(request),
        "plan": asdict(plan),
        "plan_hash": execution.plan_hash,
        "shape": batch_groups([(each.number, each.kind.value) for each in plan.batches]),
        "shard_key": shard_key(execution.id),
        "total_instances": execution.total_instances,
        "from_version": execution.from_version,
        "to_version": execution.to_version,
        "created_by": execution.created_by,
        "created_at": execution.created_at,
        "version_scheme": execution.version_scheme,
        "retry_of": execution.retry_of,
        "revert_of": execution.revert_of,
        "further_targets": list(execution.further_targets),
    }


def plan_from(stored: Row) -> Plan:
    """The frozen plan from its JSON column."""
    batches = tuple(
        PlannedBatch(each["number"], BatchKind(each["kind"]), tuple(each["instances"])) for each in stored["batches"]
    )
    frozen = {"instances": tuple(stored["instances"]), "canary": tuple(stored["canary"]), "batches": batches}
    return Plan(**(dict(stored) | {"strategy": Strategy(stored["strategy"])} | frozen))


def instance_from(row: RowMapping) -> Instance:
    """The instance in a row."""
    revert = InstanceStatus(row["revert"]) if row["revert"] else None
    return Instance(**pick(Instance, row, status=InstanceStatus(row["status"]), revert=revert))


def rollback_instance_from(row: RowMapping) -> Instance:
    """The instance in a row of a rollback."""
    return Instance(**pick(Instance, row, status=InstanceStatus(row["status"]), revert=None, replacement=None))


def batch_from(row: RowMapping) -> Batch:
    """The batch in a row."""
    return Batch(**pick(Batch, row, phase=Phase(row["phase"])))


def check_from(row: RowMapping) -> CheckResult:
    """The check result in a row."""
    return CheckResult(**pick(CheckResult, row, name=CheckName(row["name"]), status=CheckStatus(row["status"])))


def command_values(
    execution_id: str, command: str, actor: Actor, reason: str | None, **detail: object
) -> dict[str, object]:
    """The values of a new audit row. Its detail also gets the request id, which finds the call in the log."""
    call = {"requestId": actor.request_id} if actor.request_id else {}
    return {
        "id": new_id(),
        "execution_id": execution_id,
        "command": command,
        "actor": actor.name,
        "source": actor.source.value,
        "reason": reason,
        "detail": detail | call,
        "created_at": func.clock_timestamp(),
    }
