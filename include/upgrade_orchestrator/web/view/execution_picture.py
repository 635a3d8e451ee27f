"""What the page of one execution is made of, from the picture that was drawn of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from upgrade_orchestrator.domain.airflow.task_groups import TaskGroup, task_groups
from upgrade_orchestrator.domain.airflow.task_states import from_task_states
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import BatchKind
from upgrade_orchestrator.schemas.executions import ExecutionAnswer
from upgrade_orchestrator.schemas.links import Links
from upgrade_orchestrator.service.views.detail import Picture
from upgrade_orchestrator.web.view.steering import buttons
from upgrade_orchestrator.web.view.timeline import line_of

MOST_TILES = 400
"Instances that are all shown; of more, those batches are folded in which nothing happens and nothing is wrong."


@dataclass(frozen=True, slots=True)
class BatchOfTiles:
    """A batch with its instances; ``task`` is the one in Airflow that works on it."""

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
class AirflowSays:
    """The run's tasks, and what the reconciler's rule makes of them; ``agrees`` with the execution's own status."""

    run_state: str | None
    paused: bool
    name: str | None
    status: ExecutionStatus | None
    agrees: bool
    groups: Sequence[TaskGroup]


def shown(
    picture: Picture, links: Links, caller: str, permissions: Collection[Permission], four_eyes: bool
) -> dict[str, Any]:
    """The values of the templates execution.html and execution_part.html; ``e`` is what the API answers."""
    execution, now = picture.execution, picture.view.overview.read_at
    return {
        "e": ExecutionAnswer.of(picture.view, links),
        "x": execution,
        "sequence": picture.view.overview.sequence,
        "awaits": picture.view.awaits,
        "since": _since(picture),
        "left": _left(picture, now),
        "buttons": buttons(picture, permissions, caller, four_eyes),
        "batches": _batches(picture),
        "wrong": [each for each in picture.instances if _is_wrong(each)],
        "polls": list(reversed(picture.polls)),
        "lines": [line_of(each) for each in picture.timeline],
        "airflow": _airflow(picture),
        "approvals": picture.approvals,
        "budget": picture.plan.budget,
        "caller": caller,
        "now": now,
    }


def _since(picture: Picture) -> datetime:
    changes = (each.time for each in picture.timeline if each.event.what is EventType.STATUS_CHANGED)
    return next(changes, picture.execution.created_at)


def _left(picture: Picture, now: datetime) -> timedelta | None:
    end = picture.view.progress.estimated_completion_at
    return None if end is None else max(end - now, timedelta())


def _is_wrong(instance: Instance) -> bool:
    return instance.status is InstanceStatus.FAILED or instance.error is not None or instance.healthy is False


def _batches(picture: Picture) -> list[BatchOfTiles]:
    rows = {each.number: each for each in picture.batches}
    of_batch: dict[int, list[Instance]] = {}
    for each in picture.instances:
        of_batch.setdefault(each.batch, []).append(each)
    kinds = {each.number: each.kind for each in picture.plan.batches}
    many = len(picture.instances) > MOST_TILES
    return [
        BatchOfTiles(
            number,
            kinds.get(number, BatchKind.BATCH).value,
            rows.get(number),
            found,
            _task(kinds.get(number, BatchKind.BATCH), number),
            many and not any(map(_is_lively, found)),
        )
        for number, found in sorted(of_batch.items())
    ]


def _is_lively(instance: Instance) -> bool:
    return instance.in_flight or _is_wrong(instance)


def _task(kind: BatchKind, number: int) -> str:
    named = {
        BatchKind.CANARY: "canary.deploy",
        BatchKind.GREEN: "green.provision",
        BatchKind.STAGE: f"stage_{number:02d}.upgrade",
    }
    return named.get(kind, f"batch_{number:03d}.upgrade")


def _airflow(picture: Picture) -> AirflowSays | None:
    run = picture.run
    if run is None or run.ref is None:
        return None
    status = from_task_states(run)
    return AirflowSays(
        run.state, run.paused, run.name, status, status is picture.execution.status, task_groups(run.tasks)
    )
