"""Nothing waits for ever for a database whose host has gone silent: limits of every connection.

PostgreSQL ends statements and waits for locks that take too long. For what it cannot answer any more there are the
kernel's limits (keep-alives, unacknowledged data) and, where something in between still acknowledges, our own
(``AnsweringConnection``). Whatever the extra of the Airflow connection says about one of them, counts instead.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import socket
from collections.abc import Mapping
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10.0
"A statement, waits for locks included."
LOCK_SECONDS = 8.0
"A wait for a lock: less than a statement may take, so that the error says what it was."
IDLE_IN_TRANSACTION_SECONDS = 60.0
"After that PostgreSQL takes the process behind an open transaction for dead, and releases its locks."
GRACE_SECONDS = 2.0
"How much longer than a statement may take an answer is waited for."
_TCP: Mapping[str, int] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
_OPTION = re.compile(r"\bstatement_timeout\s*=\s*'?(\d+)\s*(ms|s|min)?\b")
_UNITS = {"": 0.001, "ms": 0.001, "s": 1.0, "min": 60.0}


def connection_arguments(url: str, *options: str) -> dict[str, Any]:
    """Arguments of libpq for connections to ``url``, which set what the URL does not; ``options`` as of ``-c``."""
    given = make_url(url).query
    missing = {"connect_timeout": CONNECT_SECONDS, **_TCP}
    arguments: dict[str, Any] = {name: value for name, value in missing.items() if name not in given}
    own = given.get("options", "")
    said = [*(f"-c {each}" for each in options), own if isinstance(own, str) else " ".join(own)]
    return arguments | {"options": " ".join(filter(None, said))}  # of an option that is there twice the last counts


def server_limits() -> tuple[str, ...]:
    """What PostgreSQL itself ends, as ``options`` of a connection."""
    limits = {
        "statement_timeout": STATEMENT_SECONDS,
        "lock_timeout": LOCK_SECONDS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_SECONDS,
    }
    return tuple(f"{name}={seconds * 1000:.0f}" for name, seconds in limits.items())


def answer_seconds(options: str) -> float | None:
    """How long an answer is waited for on a connection with those options; None: for ever, as its owner wants it."""
    found = _OPTION.findall(options)
    if not found:
        return None
    number, unit = found[-1]
    return int(number) * _UNITS[unit] + GRACE_SECONDS if int(number) else None


class AnsweringConnection(psycopg.AsyncConnection[Any]):
    """A connection that counts as lost when an answer takes longer than ``answer_seconds``.

    Its socket is shut down then, and the statement fails as when PostgreSQL closes it. Cancelling the statement instead
    would wait for the server again.
    """

    answer_seconds: float | None = None

    async def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Every exchange with the server."""
        if self.answer_seconds is None:
            return await super().wait(gen, *args, **kwargs)
        self._watch(self.answer_seconds)
        try:
            return await super().wait(gen, *args, **kwargs)
        finally:
            self._timer.cancel()

    def _watch(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._give_up, seconds)

    def _give_up(self, seconds: float) -> None:
        if self.closed:
            return
        descriptor = self.pgconn.socket
        if _has_answer(descriptor):  # only this process was slow to read it
            self._watch(seconds)
            return
        with socket.socket(fileno=os.dup(descriptor)) as silent:
            silent.shutdown(socket.SHUT_RDWR)


def _has_answer(descriptor: int) -> bool:
    readable = select.poll()
    readable.register(descriptor, select.POLLIN)
    return bool(readable.poll(0))


async def open_answering(seconds: float | None, *args: Any, **kwargs: Any) -> AnsweringConnection:
    """Connect; each later answer has to come within ``seconds``."""
    connection = await AnsweringConnection.connect(*args, **kwargs)
    connection.answer_seconds = seconds
    return connection
