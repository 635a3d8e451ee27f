"""Where an upgrade's CPU time goes: task processes by their phases, and the stack's components.

It has a stack of its own, whose processes load bench/probe and write what they used to a file of its state folder.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.costs.lines import Processes, Trigger, read_lines
from bench.measure import PROJECT, Row
from bench.stack.clients import answered
from bench.stack.usage import component_pids, cpu_seconds
from bench.stack.world import ROOT, BenchStack, World
from local.airflow.settings import SCHEDULER
from local.stack.stack import Stack

MANY = 20
REST_SECONDS = 130.0
"A little longer than a turn in which Airflow reads all DAG files."
PHASES_ARE_SEEN = sys.platform == "linux"
"Elsewhere (macOS) each task starts in an interpreter of its own, and the CPU of ended children is not reported."
_PATIENCE_SECONDS = 60.0
_SETTLE_SECONDS = 2.0
"Airflow takes at least this long to clean up after ended processes; that time belongs to the upgrade."


class MeasuredStack(BenchStack):
    """The bench's stack, whose Python processes load the probe."""

    def env(self) -> dict[str, str]:
        """The bench's environment and the two variables that load the probe; unchanged where phases cannot be seen."""
        env = super().env()
        if not PHASES_ARE_SEEN:
            return env
        paths = [str(ROOT / "bench" / "probe"), env["PYTHONPATH"]]
        return env | {"PYTHONPATH": os.pathsep.join(paths), "BENCH_COSTS": str(lines_of(self))}


def lines_of(stack: Stack) -> Path:
    """The file that the probe writes."""
    return stack.layout.state / "costs.jsonl"


@dataclass(frozen=True)
class Run:
    """Several upgrades at once. CPU is in seconds of all of them together; at rest it is in seconds a second."""

    jobs: int
    seconds: float
    cpu: dict[str, float]
    "CPU seconds of each component, what it uses at rest included."
    processes: list[Processes]
    triggers: list[Trigger]

    def an_upgrade(self, component: str, at_rest: float) -> float:
        """CPU seconds that an upgrade adds to what the component uses at rest."""
        return (self.cpu[component] - at_rest * self.seconds) / self.jobs

    def of_processes(self) -> float:
        """CPU seconds of task processes and their supervisors for an upgrade; they are a part of the scheduler
        component's.
        """
        return sum(each.total.cpu for each in self.processes) / self.jobs

    def dump(self) -> dict[str, Any]:
        """The run as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Costs:
    """What each component uses at rest, in CPU seconds a second, and the runs."""

    rest: dict[str, float]
    runs: list[Run]

    def dump(self) -> dict[str, Any]:
        """The costs as JSON."""
        return {"restCpuSecondsPerSecond": self.rest, "runs": [each.dump() for each in self.runs]}


def measure_costs(world: World, repeat: int, progress: Callable[[str], None]) -> Costs:
    """Measure the stack at rest, then one upgrade alone ``repeat`` times as one run, then MANY at once."""
    progress(f"at rest for {REST_SECONDS:g} s")
    rest = _at_rest(world)
    progress(f"one upgrade alone, {repeat} times")
    alone = _together([_run(world, 1) for _ in range(repeat)])
    progress(f"{MANY} upgrades at once")
    return Costs(rest, [alone, _run(world, MANY)])


def _at_rest(world: World) -> dict[str, float]:
    before, began = _cpu(world), time.monotonic()
    time.sleep(REST_SECONDS)
    lasted, after = time.monotonic() - began, _cpu(world)
    return {name: (after[name] - before[name]) / lasted for name in after}


def _run(world: World, jobs: int) -> Run:
    row = Row(PROJECT, jobs=jobs)
    row.prepare(world)
    before, began = _cpu(world), time.monotonic()
    timing = row.run(world)()
    dags = {answered(world.registry.get(f"/upgrades/{each}"))["dagId"] for each in timing.runs}
    processes, triggers = _lines(world, dags)
    seconds, after = time.monotonic() - began, _cpu(world)
    return Run(jobs, seconds, {name: after[name] - before[name] for name in after}, processes, triggers)


def _lines(world: World, dags: set[str]) -> tuple[list[Processes], list[Trigger]]:
    """The probe's lines for these DAGs, once every supervisor has written its own: only then are ended children
    counted.
    """
    time.sleep(_SETTLE_SECONDS)
    if not PHASES_ARE_SEEN:
        return [], []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := read_lines(lines_of(world.stack), dags)) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(
                "the probe in the stack's processes has written nothing: did the stack start without it?"
            )
        time.sleep(_SETTLE_SECONDS)
    return found


def _together(runs: list[Run]) -> Run:
    """Add up runs made one after the other as if they were one run of as many jobs."""
    return Run(
        jobs=sum(each.jobs for each in runs),
        seconds=sum(each.seconds for each in runs),
        cpu={name: sum(each.cpu[name] for each in runs) for name in runs[0].cpu},
        processes=[one for each in runs for one in each.processes],
        triggers=[one for each in runs for one in each.triggers],
    )


def _cpu(world: World) -> dict[str, float]:
    return {name: cpu_seconds(component_pids(world.stack, name)) for name in world.stack.wanted()}


def scheduler_itself(run: Run, at_rest: float) -> float:
    """CPU seconds that an upgrade adds to the scheduler without its workers' tasks: its loop and the idle workers."""
    return run.an_upgrade(SCHEDULER, at_rest) - run.of_processes()
