"""Stopping the stack: in which order, by which signal, and how long each component gets."""

import contextlib
import signal
from collections.abc import Collection, Iterator

from local.airflow.settings import API_SERVER, DAG_PROCESSOR, SCHEDULER, TRIGGERER
from local.postgres.server import STOP_SIGNAL
from local.stack.components import AGENT, KAFKA, POSTGRES
from local.supervisor.processes import Processes

# Who works first, then whom the work needs; each with the seconds it gets before it is killed. The scheduler waits for
# running tasks; the triggerer now and then waits 10 s for a child that has already ended.
_STOPPING: tuple[dict[str, float], ...] = (
    {SCHEDULER: 10, TRIGGERER: 4, DAG_PROCESSOR: 4},
    {API_SERVER: 5},
    {AGENT: 5, KAFKA: 5},
    {POSTGRES: 15},
)
_SIGNALS = {POSTGRES: STOP_SIGNAL}


def stop_in_order(processes: Processes, names: Collection[str]) -> None:
    """Stop these components with all they started."""
    with _uninterrupted():
        for group in _STOPPING:
            processes.stop({name: group[name] for name in group if name in names}, _SIGNALS)


def stop_after_interruption(processes: Processes, names: Collection[str]) -> None:
    """The same; an interruption that comes again before it is ignored does not keep anything from being stopped."""
    while True:
        try:
            return stop_in_order(processes, names)
        except KeyboardInterrupt:
            continue


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C does not break off the cleaning up after the first; it takes seconds and has deadlines."""
    with contextlib.ExitStack() as restored:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            with contextlib.suppress(ValueError):  # another thread than the main one: it gets no signals
                restored.callback(signal.signal, number, signal.signal(number, signal.SIG_IGN))
        yield
