"""Requests to an instance process over HTTP, as cheap as the event loop allows."""

import asyncio
import json
import socket
from typing import Any

TIMEOUT_SECONDS = 0.8  # an instance that hangs must be noticed within a second


async def ask(port: int, method: str = "GET", path: str = "/health") -> dict[str, Any] | None:
    """The JSON answer of the process on `port` ({} when it has no body), or None when it does not answer in time."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            answer = await _exchange(port, f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        body: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2] or b"{}")
    except (OSError, ValueError):  # TimeoutError is an OSError
        return None
    return body


async def _exchange(port: int, request: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, request)
        answer = b""
        while chunk := await loop.sock_recv(connection, 4096):
            answer += chunk
    if not answer:
        raise ConnectionError("closed without an answer")
    return answer
