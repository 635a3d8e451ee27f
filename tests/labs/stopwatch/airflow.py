"""Airflow breaks at one moment: what a look at it shows from then on, for each cause that the control loops name."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.scripted import ScriptedRuns
from upgrade_orchestrator.domain.airflow.stuck import AirflowSight, Component, Pool, RunSight, TaskSight
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.service.control.attention import AttentionWatch
from upgrade_orchestrator.service.control.loops import ATTENTION_SECONDS

ALIVE, LIMIT = Component(2, 30), 30.0
"A component with a heartbeat every few seconds, and Airflow's own limit."
NEXT, DEFERRED = TaskSight("batch_002", None), TaskSight("batch_001", "deferred")
LONGEST = 300.0


@dataclass(frozen=True)
class AirflowFault:
    """``look`` is what Airflow shows at that age of the fault; ``validating``: before the upgrade's first task."""

    code: str
    look: Callable[[float], AirflowSight | RunSight | TaskSight]
    validating: bool = False


def _silent(age: float) -> Component:
    return Component(age, LIMIT)


def _run(task: TaskSight) -> dict[str, RunSight]:
    return {"": RunSight("running", tasks=[task, NEXT])}


def _retried(age: float) -> TaskSight:
    """A task whose second try has just failed, and whose tries fail after a second, with Airflow's growing delays."""
    begun, tries, delay = 0.0, 2, 4.0
    while True:
        if age < begun + delay:
            return TaskSight("batch_001", "up_for_retry", age - begun, tries=tries)
        if age < begun + delay + 1:
            return TaskSight("batch_001", "running", 0.0, ran=age - begun - delay, tries=tries + 1)
        begun, tries, delay = begun + delay + 1, tries + 1, min(60.0, delay * 2)


FAULTS: Sequence[AirflowFault] = (
    AirflowFault("DAG_NOT_PARSED", lambda age: RunSight(known=False), validating=True),
    AirflowFault("DAG_PROCESSOR_DOWN", lambda age: AirflowSight(ALIVE, ALIVE, _silent(age)), validating=True),
    AirflowFault("DAG_PAUSED", lambda age: RunSight("running", paused=True, tasks=[NEXT]), validating=True),
    AirflowFault("SCHEDULER_DOWN", lambda age: AirflowSight(_silent(age), ALIVE, ALIVE, runs=_run(NEXT))),
    AirflowFault("TRIGGERER_DOWN", lambda age: AirflowSight(ALIVE, _silent(age), ALIVE, runs=_run(DEFERRED))),
    AirflowFault("NOT_SCHEDULED", lambda age: RunSight("running", idle=age, tasks=[NEXT])),
    AirflowFault("NO_POOL_SLOT", lambda age: TaskSight("batch_001", "scheduled", age)),
    AirflowFault("NO_WORKER", lambda age: TaskSight("batch_001", "queued", age)),
    AirflowFault("TASK_LOST", lambda age: TaskSight("batch_001", "running", age)),
    AirflowFault("TASK_FAILING", _retried),
)


@dataclass
class BreakingAirflow(ScriptedRuns):
    """Port ``AirflowRuns``: well until ``broken_at``, then as the fault shows."""

    fault: AirflowFault
    dag_id: str
    broken_at: float

    def __post_init__(self) -> None:
        super().__init__()

    async def look(self, dag_ids: Sequence[str]) -> AirflowSight:
        found = self.fault.look(_now() - self.broken_at)
        well = AirflowSight(ALIVE, ALIVE, ALIVE)
        sight = found if isinstance(found, AirflowSight) else well
        run = sight.runs.get("", RunSight(known=False))
        if isinstance(found, TaskSight):
            run = RunSight("running", tasks=[found, NEXT])
        elif isinstance(found, RunSight):
            run = found
        return replace(sight, runs={self.dag_id: run}, pools={"default_pool": Pool(128, 128)})


async def time_to_name(make_lab: MakeLab, fault: AirflowFault) -> float:
    """Seconds from the fault until the execution's row names it, with the control loop's gaps between the looks."""
    lab: MemoryLab = await make_lab(size=4)
    execution_id = (await lab.validating()).id if fault.validating else await lab.admitted()
    began = _now()
    lab = lab.with_ports(runs=BreakingAirflow(fault, dag_id_of(execution_id), began))
    watch = AttentionWatch()
    while _now() - began < LONGEST:
        await watch.look(lab.world.ports)
        found = (await lab.execution(execution_id)).attention
        if found is not None and found.code == fault.code:  # before that, what it causes may be named
            return _now() - began
        await asyncio.sleep(ATTENTION_SECONDS)
    raise AssertionError(f"nothing names it: {fault.code}")


def _now() -> float:
    return asyncio.get_running_loop().time()
