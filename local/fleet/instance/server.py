"""What an instance process does: it answers HTTP about itself, and ends with the life pipe (standard library only).

GET / or /health        200 or 503 {"healthy", "version", "instance"}
PUT /mode/<mode>        204; mode is ok, unhealthy, or flaps:<seconds> (unhealthy and healthy in turn, so long each)
"""

import json
import selectors
import socket
import time

OK = "ok"
UNHEALTHY = "unhealthy"
FLAPS = "flaps"
_REASONS = {200: "OK", 204: "No Content", 404: "Not Found", 503: "Service Unavailable"}
_MAX_REQUEST = 8192


class Behaviour:
    """How a health endpoint behaves in a mode, from `now` on (seconds, monotonic)."""

    def __init__(self, mode: str, now: float) -> None:
        self._mode, _, seconds = mode.partition(":")
        self._turn_seconds = float(seconds or 1)
        self._since = now

    def is_healthy(self, now: float) -> bool:
        """Whether it reports healthy at that time."""
        if self._mode == FLAPS:
            return int((now - self._since) / self._turn_seconds) % 2 == 1
        return self._mode == OK


class InstanceServer:
    """One instance at one version; `mode` says how its health endpoint behaves."""

    def __init__(self, listener: socket.socket, life: int, instance: str, version: str, mode: str) -> None:
        self._listener = listener
        self._life = life
        self._about = {"version": version, "instance": instance}
        self._behaviour = Behaviour(mode, time.monotonic())
        self._selector = selectors.DefaultSelector()
        self._unread: dict[socket.socket, bytes] = {}

    def run(self) -> None:
        """Serve until the life pipe is closed."""
        self._listener.setblocking(False)
        self._selector.register(self._life, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._life:
                    return
                self._serve(key.fileobj)

    def _serve(self, ready: object) -> None:
        assert isinstance(ready, socket.socket)
        try:
            if ready is self._listener:
                self._accept()
            else:
                self._read(ready)
        except OSError:
            if ready is not self._listener:
                self._drop(ready)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        self._unread[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        chunk = connection.recv(_MAX_REQUEST)
        request = self._unread[connection] + chunk
        self._unread[connection] = request
        if b"\r\n\r\n" in request:
            connection.send(self._answer(request))
            self._drop(connection)
        elif not chunk or len(request) > _MAX_REQUEST:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._unread.pop(connection, None)
        self._selector.unregister(connection)
        connection.close()

    def _answer(self, request: bytes) -> bytes:
        method, path, *_ = request.split(b" ", 2)
        if method == b"PUT" and path.startswith(b"/mode/"):
            self._behaviour = Behaviour(path.decode().removeprefix("/mode/"), time.monotonic())
            return _response(204, b"")
        if method == b"GET" and path in (b"/", b"/health"):
            healthy = self._behaviour.is_healthy(time.monotonic())
            return _response(200 if healthy else 503, json.dumps({"healthy": healthy, **self._about}).encode())
        return _response(404, b"{}")


def _response(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
