"""Instances of the demo fleet without operating-system processes, and journals without files."""

import asyncio
import io
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.fleet.instance.process import Nursery, Process
from local.fleet.instance.server import Behaviour
from local.fleet.state.journal import Journal
from local.fleet.state.journals import Journals

_pids = itertools.count(1)


class SimulatedProcess(Process):
    """Behaves like local.fleet.instance.server, on the clock of the event loop."""

    def __init__(self, fleet: str, instance: str, version: str, mode: str) -> None:
        super().__init__(fleet, instance, pid=next(_pids), port=0)
        self.version = version
        self._behaviour = Behaviour(mode, _now())

    async def ask(self) -> dict[str, Any] | None:
        """Its health; None once it has ended."""
        if self.gone.is_set():
            return None
        return {"healthy": self._behaviour.is_healthy(_now()), "version": self.version, "instance": self.instance}

    async def set_mode(self, mode: str) -> None:
        """Set the mode at once."""
        self._behaviour = Behaviour(mode, _now())


class SimulatedNursery(Nursery):
    """Starts and stops such instances; as with a process, a killed one ends a moment later."""

    def __init__(self, on_exit: Callable[[Process], None], on_lost: Callable[[], None]) -> None:
        super().__init__(on_exit, on_lost)
        self._on_exit = on_exit

    async def open(self) -> None:
        """There is nothing to start."""

    async def close(self) -> None:
        """There is nothing to stop."""

    async def start(self, fleet: str, instance: str, version: str, mode: str) -> Process:
        """Always succeeds."""
        return SimulatedProcess(fleet, instance, version, mode)

    def kill(self, process: Process) -> None:
        """End it soon."""
        asyncio.get_running_loop().call_soon(self._end, process)

    async def stop(self, process: Process) -> None:
        """End it now."""
        self._end(process)

    def _end(self, process: Process) -> None:
        if not process.gone.is_set():
            process.gone.set()
            self._on_exit(process)


class JournalsInMemory(Journals):
    """Journals that end with the test; their lines are dated by ``now``."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def names(self) -> list[str]:
        """There is nothing to restore."""
        return []

    def open(self, name: str) -> Journal:
        """A new journal."""
        return Journal(io.BytesIO(), self._now)

    def remove(self, name: str) -> None:
        """Nothing is stored."""


def _now() -> float:
    return asyncio.get_running_loop().time()
