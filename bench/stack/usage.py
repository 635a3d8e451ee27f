"""What the processes use: CPU seconds with those of ended children, and memory.

CPU: user and system time of every living process plus what it collected from ended children, so that a task's process
counts after its end too (on Linux; macOS does not report ended children, so CPU is too little there). Memory: PSS
where there is /proc/PID/smaps_rollup, so that pages shared by forked workers count once; else RSS.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from local.stack.components import AGENT
from local.stack.stack import Stack

Pids = Callable[[], set[int]]
_SAMPLE_SECONDS = 0.5


def stack_pids(stack: Stack) -> set[int]:
    """Airflow's four components, PostgreSQL and Kafka with all they started, but not the fleets' agent."""
    return set().union(*(component_pids(stack, name) for name in stack.wanted() if name != AGENT))


def component_pids(stack: Stack, name: str) -> set[int]:
    """One component with all it started."""
    leader = stack.leader(name)
    return leader.members() if leader else set()


def cpu_seconds(pids: set[int]) -> float:
    """CPU seconds that they have used since they began."""
    return sum(map(_cpu, pids))


def memory_bytes(pids: set[int]) -> int:
    """Bytes of memory in all: PSS, or RSS where there is no PSS."""
    return sum(map(_memory, pids))


@dataclass
class Peak:
    """The highest memory seen and the first, in bytes."""

    before: int
    highest: int = field(default=0)

    @property
    def added(self) -> int:
        """Bytes more than at first, at the peak."""
        return max(0, self.highest - self.before)


@contextmanager
def watched_memory(pids: Pids) -> Iterator[Peak]:
    """Sample memory twice a second while the block runs; reading it costs CPU, so nothing else is measured
    meanwhile.
    """
    peak, ended = Peak(memory_bytes(pids())), threading.Event()

    def sample() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            peak.highest = max(peak.highest, memory_bytes(pids()))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        peak.highest = max(peak.highest, memory_bytes(pids()))


def _cpu(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    ended: float = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)


def _memory(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return 0  # it is ending
    except FileNotFoundError:
        return _rss(pid)
    except OSError:
        return 0  # it has ended


def _rss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
