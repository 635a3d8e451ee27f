"""One line for each task that a supervisor has run, from the fork to the end of the task's process."""

import os
import sys
from dataclasses import dataclass, field
from typing import Any

from bench.probe import calls
from bench.probe.meter import Spent, write_line


@dataclass
class Fork:
    """The fork of a task's process, as its supervisor and then the new process see it."""

    ticket: str
    before: Spent = field(default_factory=Spent.by_this_process)
    after: Spent = field(default_factory=Spent.by_this_process)
    modules: int = 0
    "How many modules the process found imported. Names would not do: holding them would write to their memory pages."


class _Current:
    fork: Fork | None = None
    "The fork of the task that this process supervises or is."
    number = 0


def current_fork() -> Fork | None:
    """The fork of the task that this process runs."""
    return _Current.fork


def measure(supervisor: Any) -> None:
    """Measure Airflow's task supervisor from now on."""
    original = supervisor.supervise_task

    def supervise_task(*, ti: Any, **more: Any) -> Any:
        _Current.number += 1
        fork = _Current.fork = Fork(f"{os.getpid()}-{_Current.number}")
        before, children, counted = fork.before, Spent.by_ended_children(), calls.so_far()
        try:
            return original(ti=ti, **more)
        finally:
            _Current.fork = None
            write_line(
                {
                    "kind": "supervisor",
                    "ticket": fork.ticket,
                    "dag": ti.dag_id,
                    "task": ti.task_id,
                    "self": Spent.by_this_process().since(before),
                    "until fork": fork.before.since(before),
                    "fork": fork.after.since(fork.before),
                    "child": Spent.by_ended_children().since(children),
                    "counts": calls.so_far() - counted,
                }
            )

    supervisor.supervise_task = supervise_task
    os.register_at_fork(before=_note_before, after_in_parent=_note_after, after_in_child=_note_child)


def _note_before() -> None:
    if _Current.fork:
        _Current.fork.before = Spent.by_this_process()


def _note_after() -> None:
    if _Current.fork:
        _Current.fork.after = Spent.by_this_process()


def _note_child() -> None:
    if _Current.fork:
        _Current.fork.modules = len(sys.modules)
