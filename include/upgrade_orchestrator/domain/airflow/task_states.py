"""An execution's DAG run as Airflow has it, and the status that follows from its tasks (specification section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus

S = ExecutionStatus

FINISHED_RUN = frozenset({"success", "failed"})
"States of a DAG run in which Airflow starts no more tasks."
FINISHED_TASK = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
"States in which Airflow does nothing more with a task unless it is cleared."
NEVER_BEGUN = frozenset({None, "skipped", "upstream_failed", "removed"})
"States of a task that was never run."

VALIDATION = "validate."
COMPLETE, END, REVERT, CONFIRM = "complete", "end", "rollback.revert", "rollback.confirm"
ROLLED_BACK = "rolled_back"
"Within the group of the rollback, after it: this task fails, so that the run of an upgrade that was undone is red."

_STAGES: dict[str, ExecutionStatus] = {
    "canary.deploy": S.CANARY_RUNNING,
    "canary.monitor": S.CANARY_MONITORING,
}
"Tasks that have a status of their own until they finish; all other work is IN_PROGRESS."
_ENDS: dict[str, ExecutionStatus] = {CONFIRM: S.ROLLED_BACK, COMPLETE: S.COMPLETED, END: S.CANCELLED}
"The last tasks, and the status that follows from their success."


@dataclass(frozen=True, slots=True)
class RunView:
    """The DAG run of one execution, as read from Airflow.

    ``ref`` is the id of the run's row, not its run id: a run that is deleted and created again has the same run id.
    None: there is no run. ``tasks`` maps each task id to its state, None for one that has not been scheduled.
    ``known``: Airflow has read the DAG.
    """

    ref: str | None = None
    state: str | None = None
    paused: bool = False
    tasks: Mapping[str, str | None] = field(default_factory=dict)
    known: bool = True
    name: str | None = None
    """The run's id in Airflow, for links."""

    @property
    def finished(self) -> bool:
        """True when the run has ended, by itself or because a person marked it."""
        return self.state in FINISHED_RUN

    @property
    def active(self) -> bool:
        """True while Airflow still works on the run, or will do so once its DAG is unpaused."""
        return self.ref is not None and not self.finished


NO_RUN = RunView(known=False)
"Airflow does not know the DAG."


def from_task_states(run: RunView) -> ExecutionStatus | None:
    """The execution status that the states of the DAG's tasks stand for; None when there is no run.

    If it differs from the execution's own status, a person changed something in Airflow, or one of the two is some
    seconds ahead. The execution's row is authoritative. From the tasks it follows so:

    - ``end`` or ``rollback.confirm`` failed: FAILED
    - ``rollback.confirm`` done: ROLLED_BACK, although the run itself then fails
    - the run failed otherwise, or ended with none of its last tasks: FAILED
    - ``complete`` done: COMPLETED; ``end`` done: CANCELLED
    - ``rollback.revert`` or ``rollback.confirm`` begun, and ``end`` not open: ROLLING_BACK (``end`` starts together
      with them, to find out which branch the run takes)
    - no tasks yet, or one of ``validate.*`` open: VALIDATING
    - ``canary.deploy`` open: CANARY_RUNNING; then ``canary.monitor`` open: CANARY_MONITORING
    - else batches, stages, switch, verification and the branch after it: IN_PROGRESS
    - the DAG paused while that is CANARY_RUNNING or IN_PROGRESS: PAUSED; no other status can be paused
    """
    if run.ref is None:
        return None
    if (ended := _ended(run)) is not None:
        return ended
    if _is_rolling_back(run):
        return S.ROLLING_BACK
    stage = _stage(run)
    return S.PAUSED if run.paused and stage in MAY_START else stage


def _ended(run: RunView) -> ExecutionStatus | None:
    if "failed" in (run.tasks.get(END), run.tasks.get(CONFIRM)):
        return S.FAILED
    if run.state == "failed" and run.tasks.get(CONFIRM) != "success":
        return S.FAILED
    for task, status in _ENDS.items():
        if run.tasks.get(task) == "success":
            return status
    return S.FAILED if run.finished else None


def _is_rolling_back(run: RunView) -> bool:
    undecided = run.tasks.get(END) is not None and _is_open(run, END)
    return not undecided and any(run.tasks.get(task) not in NEVER_BEGUN for task in (REVERT, CONFIRM))


def _stage(run: RunView) -> ExecutionStatus:
    if not run.tasks or any(_is_open(run, task) for task in run.tasks if task.startswith(VALIDATION)):
        return S.VALIDATING
    return next((status for task, status in _STAGES.items() if _is_open(run, task)), S.IN_PROGRESS)


def _is_open(run: RunView, task: str) -> bool:
    return task in run.tasks and run.tasks[task] not in FINISHED_TASK
