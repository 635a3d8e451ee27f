"""The agent's access to the operating-system processes of instances, through the zygote."""

import asyncio
import json
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.fleet.instance import probe

_ROOT = Path(__file__).resolve().parents[3]
_CLOSE_SECONDS = 1.0


class StartFailedError(Exception):
    """The operating system refused a new process."""


@dataclass(eq=False, slots=True)
class Process:
    """One running process of one instance; `gone` is set once it has ended."""

    fleet: str
    instance: str
    pid: int
    port: int
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> dict[str, Any] | None:
        """The process's own health; None when it does not answer in time."""
        return await probe.ask(self.port)

    async def set_mode(self, mode: str) -> None:
        """Set how the process's health endpoint behaves from now on; one that does not answer is left alone."""
        await probe.ask(self.port, "PUT", f"/mode/{mode}")


class Nursery:
    """Starts and stops processes; calls `on_exit` for each that ended, for whatever reason."""

    def __init__(self, on_exit: Callable[[Process], None], on_lost: Callable[[], None]) -> None:
        self._on_exit = on_exit
        self._on_lost = on_lost
        self._asked: deque[tuple[str, str, asyncio.Future[Process]]] = deque()
        self._alive: dict[int, Process] = {}

    async def open(self) -> None:
        """Start the zygote."""
        ours, theirs = socket.socketpair()
        with theirs:  # only the zygote may hold its end, or it would not notice that ours is closed
            self._zygote = subprocess.Popen(  # noqa: ASYNC220 - once, at start
                [sys.executable, "-S", "-m", "local.fleet.instance.zygote"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=_ROOT,
                start_new_session=True,  # Ctrl-C in a terminal is handled by the agent alone
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """End the zygote and every process."""
        self._listening.cancel()
        self._writer.close()
        try:
            await asyncio.to_thread(self._zygote.wait, _CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._zygote.kill()

    async def start(self, fleet: str, instance: str, version: str, mode: str) -> Process:
        """Start a process that answers at `version`.

        :raises StartFailedError: it does not start.
        """
        started = asyncio.get_running_loop().create_future()
        self._asked.append((fleet, instance, started))
        self._send({"start": {"instance": instance, "version": version, "mode": mode}})
        try:
            return await asyncio.shield(started)
        except asyncio.CancelledError:
            started.add_done_callback(
                self._discard
            )  # the caller was cancelled: without this, the process would be left behind
            raise

    def kill(self, process: Process) -> None:
        """End the process now; `gone` is set when it has ended."""
        self._send({"kill": process.pid})

    async def stop(self, process: Process) -> None:
        """End the process and wait until it has ended. Instances keep nothing, so no clean-up is needed."""
        self.kill(process)
        await process.gone.wait()

    def _discard(self, started: asyncio.Future[Process]) -> None:
        if not started.cancelled() and started.exception() is None:
            self.kill(started.result())

    def _send(self, order: dict[str, Any]) -> None:
        self._writer.write(json.dumps(order).encode() + b"\n")

    async def _listen(self) -> None:
        while line := await self._reader.readline():
            self._hear(json.loads(line))
        self._on_lost()

    def _hear(self, answer: dict[str, Any]) -> None:
        if "exited" in answer:
            process = self._alive.pop(answer["exited"])
            process.gone.set()
            self._on_exit(process)
            return
        fleet, instance, started = self._asked.popleft()
        if "error" in answer:
            started.set_exception(StartFailedError(answer["error"]))
            return
        process = Process(fleet, instance, answer["pid"], answer["port"])
        self._alive[process.pid] = process
        started.set_result(process)
