"""Why nobody works on an execution, as far as Airflow's own tables show it: a pure decision (specification section 6).

False alarms are worse than silence: whatever Airflow does by itself within seconds has a limit here that is well above
what it needs, and one task at work is enough for the execution to be well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.airflow.task_states import FINISHED_RUN
from upgrade_orchestrator.domain.execution import attention as cause
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus

S = ExecutionStatus

PARSE_SECONDS = 15.0
"From the start to the DAG's run: 1 to 2 s usually, 12 s when a thousand upgrades share the DAG files."
SLOT_SECONDS = 15.0
"In ``scheduled``: the scheduler queues a task within a second or two; in a busy Airflow some seconds later."
WORKER_SECONDS = 20.0
"In ``queued``: a process of a worker begins within 3 s, a new pod whose image is there within some more."
NEXT_TASK_SECONDS = 60.0
"Between two tasks: the scheduler's round takes a second; one that is alive and this slow does not keep up."
HEARTBEATS_MISSED = 4
"A task sends a heartbeat every 5 s by default; one or two are late on a busy machine."
FAILURES = 2
"A task that fails once is tried again within seconds, as when a worker is stopped: nobody needs to look."
SETTLED_SECONDS = 30.0
"A try that runs for so long is not the failure that came before."


@dataclass(frozen=True, slots=True)
class TaskSight:
    """A task that is not finished; ``seconds`` since its state began, for a running one since its last heartbeat.

    ``ran`` is how long this try has run; ``tries`` counts the tries begun; ``reason`` is why the last one failed.
    """

    task_id: str
    state: str | None
    seconds: float = 0.0
    ran: float = 0.0
    tries: int = 1
    pool: str = "default_pool"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RunSight:
    """The DAG run of one execution; ``state`` None: there is none. ``idle`` is the seconds since a task has ended."""

    state: str | None = None
    known: bool = True
    paused: bool = False
    idle: float = 0.0
    tasks: Sequence[TaskSight] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """A component of Airflow: seconds since the last heartbeat of any of its processes, and how many are allowed."""

    silent: float
    limit: float

    @property
    def is_down(self) -> bool:
        """None of its processes is alive, by Airflow's own limit."""
        return self.silent > self.limit

    def __str__(self) -> str:
        if self.silent == inf:
            return "no heartbeat for over an hour, or never"
        return f"no heartbeat for {self.silent:.0f} s"


@dataclass(frozen=True, slots=True)
class Pool:
    """The slots of a pool of Airflow, and how many are in use."""

    slots: float
    taken: int


_NEVER = Component(inf, 0.0)


@dataclass(frozen=True, slots=True)
class AirflowSight:
    """One look at Airflow, for all executions; ``import_errors`` by the name of the DAG file."""

    scheduler: Component = _NEVER
    triggerer: Component = _NEVER
    dag_processor: Component = _NEVER
    heartbeat: float = 5.0
    runs: Mapping[str, RunSight] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    import_errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps an execution from going on; it began ``seconds`` ago."""

    code: str
    message: str
    seconds: float = 0.0


def stuck(
    execution: ExecutionSummary, waited: float, sight: AirflowSight, run: RunSight, file: str, noted: str | None = None
) -> Problem | None:
    """Why nobody works on the execution; None when a process does, or none should.

    ``waited`` is the seconds since its start, ``file`` the DAG file that defines its DAG, ``noted`` the code that was
    found before: a task that fails again and again runs for a moment in between, and is not well by that.
    """
    if execution.status in (S.PENDING, S.PAUSED) or execution.settled:
        return None
    if run.state is None:
        return None if execution.is_terminal else _not_begun(execution, waited, sight, run, file)
    if run.state in FINISHED_RUN:
        return None  # the control loops follow it, or finish the execution themselves
    failing = _failing(run, noted == cause.TASK_FAILING)
    if any(_is_at_work(each, sight) and each not in failing for each in run.tasks):
        return None
    if run.paused:
        follows = execution.is_terminal or execution.status in (*MAY_START, S.ROLLING_BACK)
        return None if follows else _paused(run.idle)
    return _idle(run, sight, failing, file)


def _not_begun(
    execution: ExecutionSummary, waited: float, sight: AirflowSight, run: RunSight, file: str
) -> Problem | None:
    """The DAG, or its run, is missing; a run that has been deleted is followed by the reconciler."""
    if waited <= PARSE_SECONDS or execution.run_ref is not None or execution.status is not S.VALIDATING:
        return None
    if run.known:
        if run.paused:
            return _paused(waited)
        return _scheduler_down(sight) or Problem(
            cause.NOT_SCHEDULED, f"Airflow has the DAG and has made no run of it for {waited:.0f} s", waited
        )
    return _not_parsed(f"Airflow has no DAG of this upgrade after {waited:.0f} s", waited, sight, file)


def _not_parsed(said: str, seconds: float, sight: AirflowSight, file: str) -> Problem:
    if sight.dag_processor.is_down:
        why = f"Airflow's DAG processor does not run ({sight.dag_processor}): nothing reads the upgrade's DAG"
        return Problem(cause.DAG_PROCESSOR_DOWN, why, min(sight.dag_processor.silent, seconds))
    error = next((text for name, text in sight.import_errors.items() if name.endswith(file)), None)
    why = f"its file {file} cannot be imported: {error}" if error else f"it has not read its file {file}"
    return Problem(cause.DAG_NOT_PARSED, f"{said}: {why}", seconds)


def _paused(seconds: float) -> Problem:
    return Problem(cause.DAG_PAUSED, "the DAG is paused in Airflow, and this status has no pause: unpause it", seconds)


def _is_at_work(task: TaskSight, sight: AirflowSight) -> bool:
    """Whether a process works on the task, or a person is asked; a silent one only after Airflow's limit."""
    match task.state:
        case "running":
            return task.seconds <= HEARTBEATS_MISSED * sight.heartbeat
        case "deferred":
            return not sight.triggerer.is_down
    return task.state == "awaiting_input"


def _failing(run: RunSight, noted: bool) -> list[TaskSight]:
    """The tasks that fail again and again; once ``noted``, also while the next try waits or has just begun."""
    return [each for each in run.tasks if _fails(each, noted)]


def _fails(task: TaskSight, noted: bool) -> bool:
    if task.state == "up_for_retry":
        return task.tries >= FAILURES
    begins = task.state in (None, "scheduled", "queued") or task.ran < SETTLED_SECONDS
    return noted and task.tries > FAILURES and begins and task.state != "awaiting_input"


def _idle(run: RunSight, sight: AirflowSight, failing: Sequence[TaskSight], file: str) -> Problem | None:
    """Nobody works: the first cause in the order in which they have to be removed."""
    by_state: dict[str | None, list[TaskSight]] = {}
    for each in run.tasks:
        by_state.setdefault(each.state, []).append(each)
    if "deferred" in by_state and sight.triggerer.is_down:
        said = f"Airflow's triggerer does not run ({sight.triggerer}): nobody works on {_names(by_state['deferred'])}"
        return Problem(cause.TRIGGERER_DOWN, said, sight.triggerer.silent)
    if (down := _scheduler_down(sight)) is not None:
        return down
    if "running" in by_state and not failing:
        return _lost(by_state["running"])
    if not run.known and run.idle > NEXT_TASK_SECONDS:
        return _not_parsed("Airflow has the DAG of this upgrade no longer, and begins no task", run.idle, sight, file)
    if failing:
        return _fails_again(failing[0])
    return _waits(by_state, run, sight)


def _scheduler_down(sight: AirflowSight) -> Problem | None:
    if not sight.scheduler.is_down:
        return None
    said = f"Airflow's scheduler does not run ({sight.scheduler}): no task begins"
    return Problem(cause.SCHEDULER_DOWN, said, sight.scheduler.silent)


def _lost(tasks: Sequence[TaskSight]) -> Problem:
    silent = max(each.seconds for each in tasks)
    said = f"no heartbeat of {_names(tasks)} for {silent:.0f} s: its process has died; Airflow will try it again"
    return Problem(cause.TASK_LOST, said, silent)


def _fails_again(task: TaskSight) -> Problem:
    failures = task.tries if task.state == "up_for_retry" else task.tries - 1
    why = f": {task.reason}" if task.reason else ""
    return Problem(cause.TASK_FAILING, f"task {task.task_id} has failed {failures} times{why}; see its log")


def _waits(by_state: Mapping[str | None, Sequence[TaskSight]], run: RunSight, sight: AirflowSight) -> Problem | None:
    """Tasks wait for a worker, for a slot, or for the scheduler."""
    if queued := [each for each in by_state.get("queued", ()) if each.seconds > WORKER_SECONDS]:
        said = f"{_names(queued)}: queued for {queued[0].seconds:.0f} s, and no worker has begun it"
        return Problem(cause.NO_WORKER, said, queued[0].seconds)
    if waiting := [each for each in by_state.get("scheduled", ()) if each.seconds > SLOT_SECONDS]:
        said = f"{_names(waiting)}: no slot for {waiting[0].seconds:.0f} s: {_why_no_slot(waiting[0], sight)}"
        return Problem(cause.NO_POOL_SLOT, said, waiting[0].seconds)
    if by_state.keys() <= {None} and run.idle > NEXT_TASK_SECONDS:
        said = f"Airflow's scheduler is alive and has begun no task of this upgrade for {run.idle:.0f} s"
        return Problem(cause.NOT_SCHEDULED, said, run.idle)
    return None


def _why_no_slot(task: TaskSight, sight: AirflowSight) -> str:
    pool = sight.pools.get(task.pool)
    if pool is None:
        return f"there is no pool {task.pool}"
    if pool.taken >= pool.slots:
        return f"{pool.taken} of {pool.slots:.0f} slots of pool {task.pool} are taken"
    return f"pool {task.pool} has room, so [core] parallelism or the executor's places are used up by other DAGs' tasks"


def _names(tasks: Sequence[TaskSight]) -> str:
    names = sorted(each.task_id for each in tasks)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
