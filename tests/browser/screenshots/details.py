"""Upgrades in memory as the pages read them: what happened so far, at a fixed time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.unit.domain.builders import NOW, make_execution, make_request
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.instance.instance import IN_FLIGHT, Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan, PlannedBatch, make_plan
from upgrade_orchestrator.domain.plan.progress import Tally, progress_of
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.stores.overviews import Overview
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.service.views.queries import ExecutionView

I = InstanceStatus  # noqa: E741 - as in the domain's tables
MINUTES_A_BATCH = 3
DONE = frozenset({I.COMPLETED, I.FAILED, I.ROLLED_BACK})
PASSED = "the path from 3.6.0 to 3.7.0 is registered and open"


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


@dataclass(frozen=True)
class Story:
    """The values of one upgrade that differ; the rest follows from them.

    ``states`` are the instances' in the plan's order, ``reverts`` the ones in the rollback.
    """

    status: ExecutionStatus
    states: Sequence[InstanceStatus]
    reason: str
    minutes: float = 20
    request: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    reverts: Mapping[int, InstanceStatus] = field(default_factory=dict)
    errors: Mapping[int, str] = field(default_factory=dict)
    lines: Sequence[tuple[float, EventType, Mapping[str, Any]]] = ()
    polls: Sequence[bool | None] = ()
    awaits: Approval | None = None
    due: float | None = None
    tasks: Mapping[str, str | None] | None = None
    id: str = "0195d3f0-7a1c-7d10-9b51-4f6e2a90c1d7"
    checks: CheckStatus = CheckStatus.PASSED


def detail_of(story: Story) -> ExecutionDetail:
    """The upgrade as its page reads it."""
    fleet = [FleetInstance(f"kafka-{n:02d}", "3.6.0", "RUNNING", healthy=True) for n in range(1, len(story.states) + 1)]
    request = make_request(component_id="kafka", initiated_by="night shift", **story.request)
    plan = make_plan(request, fleet)
    begun = story.status is not ExecutionStatus.PENDING
    execution = make_execution(
        story.status,
        **{
            "id": story.id,
            "tenant_id": "acme",
            "request": request,
            "total_instances": len(fleet),
            "created_at": ago(story.minutes + 2),
            "started_at": ago(story.minutes) if begun else None,
            "status_reason": story.reason,
        }
        | dict(story.fields),
    )
    instances = [_instance(story, plan, position) for position in range(len(fleet))]
    batches = [_batch(story, each, instances) for each in plan.batches]
    tally = Tally.of(
        [(each.status, each.revert, 1) for each in instances],
        max((each.number for each in batches if each.started_at), default=0),
        len(batches),
    )
    back = [each.instance_id for each in instances if each.status is I.ROLLED_BACK]
    overview = Overview(execution, NOW, 42, plan.canary, plan.estimated_seconds, tally, back, _checks(story))
    view = ExecutionView(overview, progress_of(execution, tally, plan.estimated_seconds, NOW), story.awaits)
    run = _run(story)
    approvals = [story.awaits] if story.awaits else []
    return ExecutionDetail(view, plan, instances, batches, approvals, _timeline(story), _polls(story), run)


def _run(story: Story) -> RunView | None:
    if story.tasks is None:
        return None
    paused = story.status is ExecutionStatus.PAUSED
    return RunView("7", "running", paused=paused, tasks=story.tasks, name="scheduled__2031-05-17")


def _planned(plan: Plan, instance_id: str) -> PlannedBatch:
    return next(each for each in plan.batches if instance_id in each.instances)


def _instance(story: Story, plan: Plan, position: int) -> Instance:
    status, name = story.states[position], plan.instances[position]
    batch = _planned(plan, name).number
    started = ago(story.minutes - batch * MINUTES_A_BATCH)
    made = Instance(name, batch, position, status, "3.6.0", "3.7.0", revert=story.reverts.get(position))
    if status is I.PENDING:
        return made
    return replace(
        made,
        attempts=2 if status is I.FAILED else 1,
        healthy=False if status is I.FAILED else None if status in IN_FLIGHT else True,
        last_health_at=None if status is I.DRAINING else started + timedelta(seconds=70),
        error=story.errors.get(position),
        started_at=started,
        completed_at=started + timedelta(seconds=82) if status in DONE else None,
    )


def _batch(story: Story, planned: PlannedBatch, instances: Sequence[Instance]) -> Batch:
    own = [each for each in instances if each.batch == planned.number]
    begun = [each.started_at for each in own if each.started_at]
    ended = [each.completed_at for each in own if each.completed_at]
    over = len(ended) == len(own)
    before = all(each.status in DONE for each in instances if each.batch < planned.number)
    is_next = not begun and before and story.due is not None
    return Batch(
        planned.number,
        planned.kind.value,
        due_at=ago(-(story.due or 0)) if is_next else None,
        started_at=min(begun, default=None),
        completed_at=max(ended) if over else None,
    )


def _checks(story: Story) -> list[CheckResult]:
    if story.status is ExecutionStatus.PENDING:
        return [CheckResult(each, CheckStatus.PENDING) for each in CheckName]
    begun = ago(story.minutes)
    return [
        CheckResult(each, story.checks, PASSED, begun, begun + timedelta(seconds=n + 1))
        for n, each in enumerate(CheckName)
    ]


def _timeline(story: Story) -> list[StoredEvent]:
    lines = [(story.minutes + 2, EventType.CREATED, {"createdBy": "olga"}), *story.lines]
    found = [StoredEvent(f"v-{n}", story.id, "acme", n, ago(m), what, d) for n, (m, what, d) in enumerate(lines, 1)]
    return found[::-1]


def _polls(story: Story) -> list[StoredEvent]:
    found = []
    for n, healthy in enumerate(story.polls, start=1):
        ill = {"kafka-02": "the health check answers 503"} if healthy is False else {}
        data: dict[str, Any] = {"healthy": healthy, "unhealthy": ill, "notAsked": [], "polls": n, "currentFailures": 0}
        moment = ago((len(story.polls) - n) / 2)
        found.append(StoredEvent(f"p-{n}", story.id, "acme", 100 + n, moment, EventType.CANARY_POLLED, data))
    return found[::-1]
