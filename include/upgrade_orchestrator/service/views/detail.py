"""Use case: the status view's page of one execution, read from one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.airflow.task_states import NO_RUN, RunView
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.stores.executions import Follower
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.views.queries import ExecutionView, views_of

TIMELINE = (
    EventType.CREATED,
    EventType.STATUS_CHANGED,
    EventType.COMMAND_RECEIVED,
    EventType.APPROVAL_REQUESTED,
    EventType.APPROVAL_DECIDED,
    EventType.ROLLBACK_STARTED,
    EventType.ROLLBACK_COMPLETED,
    EventType.SETTLED,
)
"The event types of the timeline; the page shows instances, batches and checks elsewhere."
MAX_TIMELINE, MAX_POLLS = 200, 60
"How many of the newest timeline events and polls are shown."


@dataclass(frozen=True, slots=True)
class ExecutionDetail:
    """An execution with everything that its page shows; ``run`` is None when Airflow's database does not respond."""

    view: ExecutionView
    plan: Plan
    instances: Sequence[Instance]
    batches: Sequence[Batch]
    approvals: Sequence[Approval]
    timeline: Sequence[StoredEvent]
    "Newest first."
    polls: Sequence[StoredEvent]
    "Of the canaries, newest first."
    run: RunView | None
    newer: str | None = None
    "The later execution that has changed the deployment since this one ended."
    followers: Sequence[Follower] = ()
    "The executions that retry or revert this one, newest first."

    @property
    def execution(self) -> Execution:
        """The execution's row."""
        return self.view.execution


async def load_detail(ports: Ports, execution_id: str) -> ExecutionDetail:
    """Read the product's data from one snapshot, so that the page does not contradict itself.

    :raises NotFound: there is no such execution.
    """
    async with ports.work() as work:
        await work.use_snapshot()
        (view,) = await views_of(work, [await work.overviews.get(execution_id)])
        parts = (
            view,
            await work.executions.plan(execution_id),
            await work.executions.instances(execution_id),
            await work.executions.batches(execution_id),
            await work.approvals.of(execution_id),
            await work.events.latest(execution_id, TIMELINE, MAX_TIMELINE),
            await work.events.latest(execution_id, (EventType.CANARY_POLLED,), MAX_POLLS),
        )
        since = await _since_the_end(work, view.execution)
    return ExecutionDetail(*parts, await _run_of(ports, view.execution.dag_id), *since)


async def _since_the_end(work: UnitOfWork, execution: Execution) -> tuple[str | None, Sequence[Follower]]:
    """The newer execution and the followers; only asked after the end: while it runs there is no later one."""
    if not execution.is_terminal:
        return None, ()
    return await work.executions.newer(execution), await work.executions.followers(execution)


async def _run_of(ports: Ports, dag_id: str) -> RunView | None:
    try:
        return (await ports.runs.read([dag_id], with_tasks=True)).get(dag_id, NO_RUN)
    except Unavailable:
        return None
