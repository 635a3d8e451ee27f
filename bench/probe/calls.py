"""Counts connections and statements to the product's database, and HTTP requests, in this process."""

import functools
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

CONNECTIONS, STATEMENTS, REQUESTS = "connections", "statements", "requests"
_DATABASE = "upgrades"
_of_process: Counter[str] = Counter()
_of_context: ContextVar[Counter[str] | None] = ContextVar("tally", default=None)


def so_far() -> Counter[str]:
    """What this process has done outside of contexts that have a tally of their own."""
    return Counter(_of_process)


def count_apart() -> Counter[str]:
    """Begin a tally of its own for this context (an asyncio task with all that it starts)."""
    tally: Counter[str] = Counter()
    _of_context.set(tally)
    return tally


def count_statements(psycopg: Any) -> None:
    """Count each call of `execute` and `executemany` as one statement, and connections once they are open."""
    _before(psycopg.BaseConnection, "__init__", lambda connection, pgconn: _note(CONNECTIONS, pgconn.db.decode()))
    for kind in (psycopg.Cursor, psycopg.AsyncCursor):
        for name in ("execute", "executemany"):
            _before(kind, name, lambda cursor, *_: _note(STATEMENTS, cursor.connection.info.dbname))


def count_fleet_requests(aiohttp: Any) -> None:
    """Count each HTTP request of the product's client."""
    _before(aiohttp.ClientSession, "_request", lambda *_: _note(REQUESTS, _DATABASE))


def count_airflow_requests(httpx: Any) -> None:
    """Count each HTTP request of Airflow's client."""
    _before(httpx.HTTPTransport, "handle_request", lambda *_: _note(REQUESTS, _DATABASE))
    _before(httpx.AsyncHTTPTransport, "handle_async_request", lambda *_: _note(REQUESTS, _DATABASE))


def _note(what: str, database: str) -> None:
    if database == _DATABASE:
        tally = _of_context.get()
        (_of_process if tally is None else tally)[what] += 1


def _before(kind: Any, name: str, note: Callable[..., None]) -> None:
    """Wrap a method so that ``note`` sees the positional arguments of every call."""
    original = getattr(kind, name)

    @functools.wraps(original)
    def noting(*args: Any, **more: Any) -> Any:
        note(*args)
        return original(*args, **more)

    setattr(kind, name, noting)
