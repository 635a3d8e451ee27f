"""Instances of the demo fleet that are no processes of the operating system, and journals that are no files."""

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
    """Answers as local.fleet.instance.server does, on the clock of the event loop."""

    def __init__(self, fleet: str, instance: str, version: str, mode: str) -> None:
        super().__init__(fleet, instance, pid=next(_pids), port=0)
        self.version = version
        self._behaviour = Behaviour(mode, _now())

    async def ask(self) -> dict[str, Any] | None:
        """Nothing once it is gone."""
        if self.gone.is_set():
            return None
        return {"healthy": self._behaviour.is_healthy(_now()), "version": self.version, "instance": self.instance}

    async def set_mode(self, mode: str) -> None:
        """At once."""
        self._behaviour = Behaviour(mode, _now())


class SimulatedNursery(Nursery):
    """Starts and stops those; like a process, one that is killed is gone a moment later."""

    def __init__(self, on_exit: Callable[[Process], None], on_lost: Callable[[], None]) -> None:
        super().__init__(on_exit, on_lost)
        self._tell = on_exit

    async def open(self) -> None:
        """There is nothing to start."""

    async def close(self) -> None:
        """There is nothing to end."""

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
            self._tell(process)


class JournalsInMemory(Journals):
    """They end with the test; their lines are dated by ``now``."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def names(self) -> list[str]:
        """There is nothing to bring back."""
        return []

    def open(self, name: str) -> Journal:
        """A new one."""
        return Journal(io.BytesIO(), self._now)

    def remove(self, name: str) -> None:
        """Nobody keeps it."""


def _now() -> float:
    return asyncio.get_running_loop().time()
