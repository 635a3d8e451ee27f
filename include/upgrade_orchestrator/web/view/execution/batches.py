"""The batches of an execution's page: what each has done, and what the next one waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from upgrade_orchestrator.domain.airflow.batch_tasks import first_batches, task_of_batch
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import BatchKind
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.web.view.execution.tiles import concerns_rollback

MAX_TILES = 400
"Up to this many instances, all are shown; beyond it, batches without activity and without problems are folded."
SMALL = 4
"Batches of up to this many instances stand side by side."
_CAN_WAIT = MAY_START | {ExecutionStatus.CANARY_MONITORING, ExecutionStatus.PAUSED}


class Waiting(NamedTuple):
    """What a batch waits for, in words; ``until`` is in the future, ``since`` is in the past."""

    words: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchOfTiles:
    """A batch with its instances; ``task`` is its task in Airflow.

    ``counted`` is its progress in words, empty for a batch of one, whose tile says it.
    """

    number: int
    kind: str
    row: Batch | None
    instances: Sequence[Instance]
    task: str
    folded: bool
    counted: str
    waiting: Waiting | None

    @property
    def size(self) -> str:
        """The CSS class for the place that it takes."""
        count = len(self.instances)
        return f"of-{count}" if count <= SMALL and not self.folded else "wide"

    @property
    def lasted(self) -> timedelta | None:
        """From its start to its end; None as long as it has not ended."""
        row = self.row
        return row.completed_at - row.started_at if row and row.started_at and row.completed_at else None


def batches_of(detail: ExecutionDetail, since: datetime) -> list[BatchOfTiles]:
    """All batches in order; ``since`` is when the execution came into its status."""
    rows = {each.number: each for each in detail.batches}
    of_batch: dict[int, list[Instance]] = {}
    for each in detail.instances:
        of_batch.setdefault(each.batch, []).append(each)
    kinds = {each.number: each.kind for each in detail.plan.batches}
    many = len(detail.instances) > MAX_TILES
    groups = first_batches(detail.run.tasks) if detail.run else []
    next_one = next((each for each in detail.batches if each.number and each.completed_at is None), None)
    return [
        BatchOfTiles(
            number=number,
            kind=(kind := kinds.get(number, BatchKind.BATCH)).value,
            row=rows.get(number),
            instances=found,
            task=task_of_batch(kind, number, groups),
            folded=many and not any(map(_is_lively, found)),
            counted=counted(detail.execution, found) if len(found) > 1 else "",
            waiting=waiting(detail, next_one, since) if next_one and next_one.number == number else None,
        )
        for number, found in sorted(of_batch.items())
    ]


def is_wrong(instance: Instance) -> bool:
    """Whether the page lists the instance under its problems."""
    return instance.status is InstanceStatus.FAILED or instance.error is not None or instance.healthy is False


def _is_lively(instance: Instance) -> bool:
    return instance.in_flight or is_wrong(instance)


def counted(execution: Execution, instances: Sequence[Instance]) -> str:
    """How many of a batch are completed, or rolled back once a rollback has begun, of those that it concerns."""
    if execution.rollback.initiated_at is not None:
        concerned = [each for each in instances if concerns_rollback(each)]
        if not concerned:
            return "nothing to roll back"
        back = _count(concerned, InstanceStatus.ROLLED_BACK)
        failed = sum(each.revert is InstanceStatus.FAILED for each in concerned)
        return _text(f"{back} of {len(concerned)} rolled back", failed)
    if execution.is_terminal and all(each.status is InstanceStatus.PENDING for each in instances):
        return "not reached"
    done, failed = (_count(instances, each) for each in (InstanceStatus.COMPLETED, InstanceStatus.FAILED))
    return _text(f"{done} of {len(instances)} completed", failed)


def _count(instances: Sequence[Instance], status: InstanceStatus) -> int:
    return sum(each.status is status for each in instances)


def _text(done: str, failed: int) -> str:
    return f"{done}, {failed} failed" if failed else done


def waiting(detail: ExecutionDetail, batch: Batch, since: datetime) -> Waiting | None:
    """What the next batch of the execution waits for; None while it is worked on, or when none is to come."""
    execution, awaits, now = detail.execution, detail.view.awaits, detail.view.overview.read_at
    if execution.status not in _CAN_WAIT:
        return None
    if execution.paused_at is not None:
        return Waiting("paused", execution.paused_at)
    if batch.started_at is not None:
        return None if batch.blocked_seconds is None else _blocked(batch.blocked_seconds, execution, now)
    if awaits is not None and awaits.stage == batch.number:
        return Waiting("waiting for an approval", awaits.requested_at)
    if execution.status is ExecutionStatus.CANARY_MONITORING:
        return Waiting("waiting for promotion", since)
    if batch.due_at is not None and batch.due_at > now:
        return Waiting("starts", until=batch.due_at)
    return Waiting("waiting for Airflow to run its task", max(batch.due_at or since, since))


def _blocked(seconds: float, execution: Execution, now: datetime) -> Waiting:
    begun = (now - timedelta(seconds=seconds)).replace(microsecond=0)
    if execution.attention is not None:
        return Waiting("held up, see what needs attention,", begun)
    return Waiting("waiting for budget, other instances are unavailable,", begun)
