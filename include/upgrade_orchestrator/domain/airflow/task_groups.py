"""The task groups of an execution's DAG, each with the status that it stands for (specification section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.airflow.task_states import COMPLETE, END, RunView, from_task_states
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

_ORDER = (
    *("validate", "admit", "canary", "batch", "stage", "green", "switch_traffic", "soak", "retire_blue"),
    *("verify", "outcome", COMPLETE, "rollback", END),
)
_LAST = frozenset({COMPLETE, END})
"Groups that stand for a status once they have succeeded; all others do while they run."
_BRANCHES = _LAST | {"rollback"}
"The final groups, of which a run takes one."


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """One task group in Airflow's grid; ``means`` is the execution status by ``from_task_states``."""

    name: str
    tasks: Mapping[str, str | None]
    means: ExecutionStatus | None


def task_groups(tasks: Mapping[str, str | None]) -> list[TaskGroup]:
    """The groups of ``tasks`` in the order in which they run."""
    names = sorted({_group(each) for each in tasks}, key=_position)
    members = {name: [task for task in tasks if _group(task) == name] for name in names}
    return [
        TaskGroup(name, {task: tasks[task] for task in members[name]}, _meaning(name, names, members)) for name in names
    ]


def _group(task: str) -> str:
    return task.partition(".")[0]


def _position(name: str) -> tuple[int, int, str]:
    kind = name.rstrip("0123456789").rstrip("_")
    number = name.removeprefix(f"{kind}_")
    position = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
    return position, int(number) if number.isdecimal() else 0, name


def _meaning(name: str, names: Sequence[str], members: Mapping[str, Sequence[str]]) -> ExecutionStatus | None:
    """The status of a run that has reached group ``name``: earlier groups have succeeded, later ones have not begun."""
    position, state = names.index(name), "success" if name in _LAST else "running"
    supposed: dict[str, str | None] = {}
    for index, each in enumerate(names):
        group_state = "success" if index < position else state if index == position else None
        supposed |= dict.fromkeys(members[each], group_state if each == name or each not in _BRANCHES else None)
    return from_task_states(RunView("supposed", "running", tasks=supposed))
