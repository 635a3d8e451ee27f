"""Stopping the stack: in which order, by which signal, and how long each component gets."""

import contextlib
import signal
from collections.abc import Collection, Iterator

from local.airflow.settings import API_SERVER, DAG_PROCESSOR, SCHEDULER, TRIGGERER
from local.postgres.server import STOP_SIGNAL
from local.stack.components import AGENT, KAFKA, POSTGRES
from local.supervisor.processes import Processes

# Components that do work come first, then those they need; each with the seconds it gets before it is killed. The
# scheduler waits for running tasks; the triggerer sometimes waits 10 s for a child that has already ended.
_STOPPING: tuple[dict[str, float], ...] = (
    {SCHEDULER: 10, TRIGGERER: 4, DAG_PROCESSOR: 4},
    {API_SERVER: 5},
    {AGENT: 5, KAFKA: 5},
    {POSTGRES: 15},
)
_SIGNALS = {POSTGRES: STOP_SIGNAL}


def stop_in_order(processes: Processes, names: Collection[str]) -> None:
    """Stop these components with all their child processes."""
    with _uninterrupted():
        for group in _STOPPING:
            processes.stop({name: group[name] for name in group if name in names}, _SIGNALS)


def stop_after_interruption(processes: Processes, names: Collection[str]) -> None:
    """Run the stop again if an interruption comes before interruptions are ignored, so that everything is stopped."""
    while True:
        try:
            return stop_in_order(processes, names)
        except KeyboardInterrupt:
            continue


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore a second Ctrl-C while cleaning up after the first; cleaning up takes seconds and has deadlines."""
    with contextlib.ExitStack() as restored:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            with contextlib.suppress(ValueError):  # not the main thread: it gets no signals
                restored.callback(signal.signal, number, signal.signal(number, signal.SIG_IGN))
        yield
