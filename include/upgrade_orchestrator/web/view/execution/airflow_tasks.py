"""The tasks of an execution's DAG run as its page shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from upgrade_orchestrator.domain.airflow.task_groups import TaskGroup, task_groups
from upgrade_orchestrator.domain.airflow.task_states import CONFIRM, NEVER_BEGUN, ROLLED_BACK, from_task_states
from upgrade_orchestrator.domain.execution.states import ExecutionStatus as S
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.web.view.icons import icon
from upgrade_orchestrator.web.view.words import NOT_REACHED, StatusStyle, style_of

_ORDER = ("approve", "wait", "deploy", "upgrade", "monitor", "revert", "confirm", ROLLED_BACK)
_NOT_YET = StatusStyle("Not yet", "idle", icon("circle"))
_RUNNING = StatusStyle("Running", "busy", icon("play"))
_SKIPPED = StatusStyle("Skipped", "idle", icon("minus"))
_DONE = StatusStyle("Done", "good", icon("check"))
_BY_STATE: tuple[tuple[StatusStyle, frozenset[str]], ...] = (
    (StatusStyle("Failed", "bad", icon("cross")), frozenset({"failed"})),
    (StatusStyle("Waits for a person", "warn", icon("person")), frozenset({"awaiting_input"})),
    (StatusStyle("Tried again", "warn", icon("clock")), frozenset({"up_for_retry"})),
    (_RUNNING, frozenset({"running", "restarting"})),
    (StatusStyle("Deferred", "busy", icon("clock")), frozenset({"deferred"})),
    (StatusStyle("Waits to run", "busy", icon("clock")), frozenset({"queued", "scheduled", "up_for_reschedule"})),
)
"A group with a task in one of these states; the first that applies."


class ShownTask(NamedTuple):
    """A task: its id, its name within the group, its state in words, and the CSS class of the state."""

    id: str
    name: str
    words: str
    css: str


class ShownGroup(NamedTuple):
    """A task group; ``style`` is of what has come of its tasks, ``means`` the execution's status while it runs."""

    name: str
    tasks: Sequence[ShownTask]
    style: StatusStyle
    means: str


@dataclass(frozen=True, slots=True)
class AirflowView:
    """The run's tasks and the status that the reconciler derives from them; ``agrees`` if the execution has it too."""

    run_state: str | None
    paused: bool
    name: str | None
    status: S | None
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
    tasks = [_task(name, group.tasks[name], ended) for name in sorted(group.tasks, key=_place)]
    means = style_of(group.means).words if group.means else ""
    undone = group.tasks.get(CONFIRM) == "success"
    style = style_of(S.ROLLED_BACK) if undone else _style_of(group.tasks.values(), ended)
    return ShownGroup(group.name, tasks, style, means)


def _place(task: str) -> tuple[int, str]:
    """In the order in which a group's tasks run; others by name."""
    name = task.partition(".")[2]
    return _ORDER.index(name) if name in _ORDER else len(_ORDER), name


def _style_of(states: Collection[str | None], ended: bool) -> StatusStyle:
    """What has come of a group whose tasks are in these states."""
    for words, found in _BY_STATE:
        if found.intersection(states):
            return words
    if all(state == "skipped" for state in states):
        return _SKIPPED
    if all(state in NEVER_BEGUN for state in states):
        return NOT_REACHED if ended or None not in states else _NOT_YET
    return _DONE if ended or None not in states else _RUNNING


def _task(name: str, state: str | None, ended: bool) -> ShownTask:
    words = state.replace("_", " ") if state else "not reached" if ended else "not yet"
    if name == f"rollback.{ROLLED_BACK}" and state == "failed":
        words = "failed, so that the run is red"
    return ShownTask(name, name.partition(".")[2], words, "none" if state in NEVER_BEGUN else state or "none")
