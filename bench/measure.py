"""Measures one row: several repetitions for time and CPU, as many more for memory; medians."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.jobs.bare_airflow import run_bare
from bench.jobs.job import ReadTiming, Timing, ideal_seconds
from bench.jobs.plain import run_plain
from bench.jobs.project import run_project
from bench.stack.usage import component_pids, cpu_seconds, stack_pids, watched_memory
from bench.stack.world import World, tenant_names
from local.stack.components import AGENT

PROJECT, PLAIN, BARE = "this project", "asyncio + httpx", "bare Airflow DAG"


@dataclass(frozen=True)
class Row:
    """What is measured: who does how many reference jobs at once, with which delay, beside how many other
    executions.
    """

    who: str
    jobs: int = 1
    delay: int = 0
    others: int = 0

    @property
    def ideal(self) -> float:
        """The ideal time in seconds; jobs side by side need no more than one."""
        return ideal_seconds(self.delay)

    def run(self, world: World) -> ReadTiming:
        """Run it once, from fleets at the old version."""
        tenants = tenant_names(self.jobs)
        if self.who == BARE:
            return run_bare(world, self.jobs, self.delay)
        return (run_project if self.who == PROJECT else run_plain)(world, tenants, self.delay)

    def prepare(self, world: World) -> None:
        """Prepare the fleets, which is not measured."""
        if self.who != BARE:
            world.reset(tenant_names(self.jobs))

    def pids(self, world: World) -> Callable[[], set[int]]:
        """The processes whose CPU and memory count: the stack's, or for the plain job this one."""
        return (lambda: {os.getpid()}) if self.who == PLAIN else (lambda: stack_pids(world.stack))


@dataclass(frozen=True)
class Repetition:
    """One run: its times, CPU seconds of the processes that do the job and of the agent."""

    timing: Timing
    cpu: float
    agent_cpu: float


@dataclass(frozen=True)
class Result:
    """A row's repetitions, and the memory in bytes that was added at the peak: the median of the runs that watched
    it.
    """

    row: Row
    repetitions: list[Repetition]
    memory_added: int | None = None

    def median(self, of: Callable[[Repetition], float | None]) -> float | None:
        """The median of one figure; None when no repetition has it."""
        values = [value for each in self.repetitions if (value := of(each)) is not None]
        return statistics.median(values) if values else None

    @property
    def wall(self) -> float:
        """The median in seconds."""
        return statistics.median(each.timing.wall for each in self.repetitions)

    @property
    def cpu(self) -> float:
        """The median in CPU seconds."""
        return statistics.median(each.cpu for each in self.repetitions)

    def dump(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "row": asdict(self.row) | {"idealSeconds": self.row.ideal},
            "wallSeconds": self.wall,
            "overheadSeconds": self.wall - self.row.ideal,
            "runEndSeconds": self.median(lambda each: each.timing.run_end),
            "firstTaskSeconds": self.median(lambda each: each.timing.first_task),
            "firstDrainSeconds": self.median(lambda each: each.timing.first_drain),
            "cpuSeconds": self.cpu,
            "agentCpuSeconds": self.median(lambda each: each.agent_cpu),
            "memoryAddedBytes": self.memory_added,
            "repetitions": [asdict(each) for each in self.repetitions],
        }


def measure(world: World, row: Row, repeat: int) -> Result:
    """Measure all repetitions of one row, and as many more that are watched for memory."""
    timed = measure_time(world, row, repeat)
    return replace(timed, memory_added=round(statistics.median(_memory_added(world, row) for _ in range(repeat))))


def measure_time(world: World, row: Row, repeat: int) -> Result:
    """Measure all repetitions of one row without memory."""
    return Result(row, [_repeat(world, row) for _ in range(repeat)])


def idle_cpu(world: World, seconds: float = 10.0) -> float:
    """CPU seconds a second that the stack uses while there are no requests."""
    (found,) = idle_cpus([world], seconds)
    return found


def idle_cpus(worlds: Sequence[World], seconds: float) -> list[float]:
    """The same for several stacks in the same seconds."""
    before = [cpu_seconds(stack_pids(each.stack)) for each in worlds]
    time.sleep(seconds)
    after = [cpu_seconds(stack_pids(each.stack)) for each in worlds]
    return [(then - now) / seconds for now, then in zip(before, after, strict=True)]


def _memory_added(world: World, row: Row) -> int:
    row.prepare(world)
    with watched_memory(row.pids(world)) as peak:
        row.run(world)
    return peak.added


def _repeat(world: World, row: Row) -> Repetition:
    row.prepare(world)
    pids = row.pids(world)
    before, agent_before = cpu_seconds(pids()), cpu_seconds(component_pids(world.stack, AGENT))
    read_timing = row.run(world)
    used = cpu_seconds(pids()) - before
    agent_used = cpu_seconds(component_pids(world.stack, AGENT)) - agent_before
    return Repetition(read_timing(), used, agent_used)
