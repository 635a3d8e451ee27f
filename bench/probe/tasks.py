"""One line for each task process: what each of its phases has used, what it asked for and imported."""

import atexit
import functools
import sys
from collections.abc import Callable
from itertools import islice
from typing import Any

from bench.probe import calls
from bench.probe.meter import Spent, write_line
from bench.probe.supervisors import Fork, current_fork

BEGIN, ASSIGNED, DAG, PREPARE, WORK, REPORT = PHASES = ("begin", "assigned", "DAG", "prepare", "work", "report")
"In this order: until the runner runs, knows its task, has read the DAG, begins the work, has done it, ends."


class _Task:
    """The task of this process."""

    def __init__(self, fork: Fork) -> None:
        self._fork = fork
        self._marks: dict[str, Spent] = {}
        self._counts = calls.so_far()
        self.names: dict[str, str] = {}

    def mark(self, phase: str) -> None:
        """Note that this phase is over."""
        self._marks[phase] = Spent.by_this_process()

    def write(self) -> None:
        """Write the line; before its fork a process has used nothing."""
        self.mark(REPORT)
        before, phases = Spent(0.0, 0, self._fork.before.wall), {}
        for phase, mark in self._marks.items():
            phases[phase], before = mark.since(before), mark
        # only the modules that came last: touching the name of one from before the fork copies its memory page
        imported = list(islice(reversed(sys.modules), max(0, len(sys.modules) - self._fork.modules)))
        counts = calls.so_far() - self._counts
        known = {"kind": "task", "ticket": self._fork.ticket, **self.names}
        write_line({**known, "phases": phases, "counts": counts, "imported": imported})


class _Current:
    task: _Task | None = None


def measure(runner: Any) -> None:
    """Measure Airflow's task runner from now on."""
    runner.main = _main(runner.main)
    runner.get_startup_details = _ends(ASSIGNED, runner.get_startup_details)
    runner.startup = _named(_ends(DAG, runner.startup))
    runner._run_execute_callable = _ends(WORK, _begins_after(PREPARE, runner._run_execute_callable))


def _main(original: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(original)
    def main() -> None:
        fork = current_fork()
        if fork is not None:
            task = _Current.task = _Task(fork)
            task.mark(BEGIN)
            atexit.register(task.write)  # Airflow has cleared what was registered before the fork: this runs last
        original()

    return main


def _ends(phase: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def ending(*args: Any, **more: Any) -> Any:
        try:
            return original(*args, **more)
        finally:
            if _Current.task:
                _Current.task.mark(phase)

    return ending


def _begins_after(phase: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def beginning(*args: Any, **more: Any) -> Any:
        if _Current.task:
            _Current.task.mark(phase)
        return original(*args, **more)

    return beginning


def _named(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def startup(msg: Any) -> Any:
        if _Current.task:
            _Current.task.names = {"dag": msg.ti.dag_id, "task": msg.ti.task_id}
        return original(msg)

    return startup
