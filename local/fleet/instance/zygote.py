"""The helper that forks instance processes (standard library only, one thread, everything already imported).

Starting an instance is then a fork of a small process instead of an interpreter start. The agent speaks to it over file
descriptor 0, a socket, one JSON object a line:

    -> {"start": {"instance", "version", "mode"}}    <- {"pid", "port"} or {"error"}, in the order asked
    -> {"kill": pid}                                  <- {"exited": pid}, also when a process died by itself

Nothing outlives the agent: end of file on the socket ends the zygote, and end of file on the life pipe, whose
writing end only the zygote holds, ends the instances even when the zygote itself was killed.
"""

import gc
import json
import os
import selectors
import signal
import socket
from typing import Any, NoReturn

from local.fleet.instance.server import InstanceServer

HOST = "127.0.0.1"
_CHUNK = 65536


class Zygote:
    """Forks, kills and reaps instance processes as the agent asks."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._life_reader, self._life_writer = os.pipe()
        self._wake_reader, self._wake_writer = os.pipe()
        self._children: set[int] = set()
        self._unread = b""
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve the agent until it has ended."""
        self._listen_for_exits()
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        try:
            while self._turn():
                pass
        except OSError:
            pass  # the agent closed its end
        for pid in self._children:  # a process that is stopped (SIGSTOP) does not see the end of the life pipe
            os.kill(pid, signal.SIGKILL)

    def _listen_for_exits(self) -> None:
        os.set_blocking(self._wake_writer, False)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _turn(self) -> bool:
        for key, _ in self._selector.select():
            if key.fd == self._wake_reader:
                os.read(self._wake_reader, _CHUNK)
                self._reap()
            elif not self._read():
                return False
        return True

    def _read(self) -> bool:
        chunk = self._control.recv(_CHUNK)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))
        return bool(chunk)

    def _obey(self, order: dict[str, Any]) -> None:
        if "start" in order:
            self._answer(self._start(**order["start"]))
        elif order["kill"] in self._children:  # not reaped yet, so no other process can have this id
            os.kill(order["kill"], signal.SIGKILL)

    def _start(self, instance: str, version: str, mode: str) -> dict[str, Any]:
        try:
            listener = socket.create_server((HOST, 0), backlog=64)
            pid = os.fork()
        except OSError as error:
            return {"error": str(error)}
        if pid == 0:
            self._become(listener, instance, version, mode)
        self._children.add(pid)
        with listener:  # it has been listening since before the fork, so the port is answered from now on
            return {"pid": pid, "port": listener.getsockname()[1]}

    def _become(self, listener: socket.socket, instance: str, version: str, mode: str) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            self._control.close()
            for inherited in (self._life_writer, self._wake_reader, self._wake_writer):
                os.close(inherited)
            InstanceServer(listener, self._life_reader, instance, version, mode).run()
        finally:
            os._exit(0)

    def _reap(self) -> None:
        while self._children:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.discard(pid)
            self._answer({"exited": pid})

    def _answer(self, answer: dict[str, Any]) -> None:
        self._control.sendall(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    gc.disable()
    gc.freeze()  # memory pages of all that is imported stay shared with the children
    Zygote(socket.socket(fileno=0)).run()
