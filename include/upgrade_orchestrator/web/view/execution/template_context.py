"""The template context of an execution's page: the values that it shows, computed from the details."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from upgrade_orchestrator.domain.airflow.batch_tasks import first_batches, task_of_batch
from upgrade_orchestrator.domain.airflow.task_groups import TaskGroup, task_groups
from upgrade_orchestrator.domain.airflow.task_states import from_task_states
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import BatchKind
from upgrade_orchestrator.schemas.executions import ExecutionResponse, Links
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.web.view.execution.buttons import buttons
from upgrade_orchestrator.web.view.execution.timeline import line_of

MAX_TILES = 400
"Up to this many instances, all are shown; beyond it, batches without activity and without problems are folded."


@dataclass(frozen=True, slots=True)
class BatchOfTiles:
    """A batch with its instances; ``task`` is its task in Airflow."""

    number: int
    kind: str
    row: Batch | None
    instances: Sequence[Instance]
    task: str
    folded: bool

    def count(self, status: str) -> int:
        """How many of its instances are in ``status``."""
        return sum(each.status.value == status for each in self.instances)


@dataclass(frozen=True, slots=True)
class AirflowView:
    """The run's tasks and the status that the reconciler derives from them; ``agrees`` if the execution has it too."""

    run_state: str | None
    paused: bool
    name: str | None
    status: ExecutionStatus | None
    agrees: bool
    groups: Sequence[TaskGroup]


def template_context(
    detail: ExecutionDetail, links: Links, caller: str, permissions: Collection[Permission], four_eyes: bool
) -> dict[str, Any]:
    """The values for the templates execution.html and execution_part.html; ``e`` is the representation of the API."""
    execution, now = detail.execution, detail.view.overview.read_at
    return {
        "e": ExecutionResponse.of(detail.view, links),
        "x": execution,
        "sequence": detail.view.overview.sequence,
        "awaits": detail.view.awaits,
        "since": _since(detail),
        "left": _left(detail, now),
        "buttons": buttons(detail, permissions, caller, four_eyes),
        "batches": _batches(detail),
        "wrong": [each for each in detail.instances if _is_wrong(each)],
        "polls": list(reversed(detail.polls)),
        "lines": [line_of(each) for each in detail.timeline],
        "airflow": _airflow(detail),
        "approvals": detail.approvals,
        "budget": detail.plan.budget,
        "caller": caller,
        "now": now,
    }


def _since(detail: ExecutionDetail) -> datetime:
    changes = (each.time for each in detail.timeline if each.what is EventType.STATUS_CHANGED)
    return next(changes, detail.execution.created_at)


def _left(detail: ExecutionDetail, now: datetime) -> timedelta | None:
    end = detail.view.progress.estimated_completion_at
    return None if end is None else end - now


def _is_wrong(instance: Instance) -> bool:
    return instance.status is InstanceStatus.FAILED or instance.error is not None or instance.healthy is False


def _batches(detail: ExecutionDetail) -> list[BatchOfTiles]:
    rows = {each.number: each for each in detail.batches}
    of_batch: dict[int, list[Instance]] = {}
    for each in detail.instances:
        of_batch.setdefault(each.batch, []).append(each)
    kinds = {each.number: each.kind for each in detail.plan.batches}
    many = len(detail.instances) > MAX_TILES
    groups = first_batches(detail.run.tasks) if detail.run else []
    return [
        BatchOfTiles(
            number,
            kinds.get(number, BatchKind.BATCH).value,
            rows.get(number),
            found,
            task_of_batch(kinds.get(number, BatchKind.BATCH), number, groups),
            many and not any(map(_is_lively, found)),
        )
        for number, found in sorted(of_batch.items())
    ]


def _is_lively(instance: Instance) -> bool:
    return instance.in_flight or _is_wrong(instance)


def _airflow(detail: ExecutionDetail) -> AirflowView | None:
    run = detail.run
    if run is None or run.ref is None:
        return None
    status = from_task_states(run)
    return AirflowView(
        run.state, run.paused, run.name, status, status is detail.execution.status, task_groups(run.tasks)
    )
