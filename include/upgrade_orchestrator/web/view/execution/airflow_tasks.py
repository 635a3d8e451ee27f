"""The tasks of an execution's DAG run as its page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from upgrade_orchestrator.domain.airflow.task_groups import TaskGroup, task_groups
from upgrade_orchestrator.domain.airflow.task_states import NEVER_BEGUN, from_task_states
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.web.view.words import StatusStyle, style_of


class ShownTask(NamedTuple):
    """A task: its id, its name within the group, its state in words, and the CSS class of the state."""

    id: str
    name: str
    words: str
    css: str


class ShownGroup(NamedTuple):
    """A task group; ``style`` is of the status that it means, None if it means none or is not reached any more."""

    name: str
    tasks: Sequence[ShownTask]
    style: StatusStyle | None


@dataclass(frozen=True, slots=True)
class AirflowView:
    """The run's tasks and the status that the reconciler derives from them; ``agrees`` if the execution has it too."""

    run_state: str | None
    paused: bool
    name: str | None
    status: ExecutionStatus | None
    agrees: bool
    groups: Sequence[ShownGroup]


def airflow_of(detail: ExecutionDetail) -> AirflowView | None:
    """The view of the run; None if there is none, or Airflow's database does not respond."""
    run, execution = detail.run, detail.execution
    if run is None or run.ref is None:
        return None
    status = from_task_states(run)
    groups = [_shown(each, execution.is_terminal) for each in task_groups(run.tasks)]
    return AirflowView(run.state, run.paused, run.name, status, status is execution.status, groups)


def _shown(group: TaskGroup, ended: bool) -> ShownGroup:
    tasks = [_task(name, state, ended) for name, state in group.tasks.items()]
    if group.means is None:
        return ShownGroup(group.name, tasks, None)
    style = style_of(group.means)
    if all(state in NEVER_BEGUN for state in group.tasks.values()):
        return ShownGroup(group.name, tasks, None if ended else style._replace(tone="idle"))
    return ShownGroup(group.name, tasks, style)


def _task(name: str, state: str | None, ended: bool) -> ShownTask:
    words = state.replace("_", " ") if state else "not reached" if ended else "not yet"
    return ShownTask(name, name.partition(".")[2], words, "none" if state in NEVER_BEGUN else state or "none")
