"""Reads a backup in place, through Airflow's object storage paths: file://, s3://, gs:// and others."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event, Thread
from typing import Any
from urllib.parse import unquote

from upgrade_orchestrator.domain.checks.checks import StoredObject

CHUNK = 1 << 20

_PROVIDERS = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
}
"The provider that must be installed for each scheme."


async def read_object(location: str, *, whole: bool = True) -> StoredObject:
    """Size and SHA-256 of the object, streamed in a thread, so that its size does not matter.

    A ``file:`` location is a URI: ``%20`` means a space. With ``whole=False`` only the size is read and the SHA-256 is
    None. Cancelling the caller stops the reading.

    :raises OSError: the object is missing or cannot be read.
    :raises ValueError: the location cannot be parsed.
    """
    cancelled = Event()
    try:
        return await _in_a_thread(partial(_look, location, whole, cancelled))
    finally:
        cancelled.set()


async def _in_a_thread(call: Callable[[], StoredObject]) -> StoredObject:
    """Run ``call`` in a daemon thread, so that a storage that hangs does not exhaust the process's thread pool.

    The process does not wait for it at exit either.
    """
    result: Future[StoredObject] = Future()
    result.set_running_or_notify_cancel()  # a waiter that is cancelled cannot cancel it

    def run() -> None:
        try:
            result.set_result(call())
        except Exception as error:
            result.set_exception(error)

    Thread(target=run, name="read-object", daemon=True).start()
    return await asyncio.wrap_future(result)


def _look(location: str, whole: bool, cancelled: Event) -> StoredObject:
    from airflow.sdk import ObjectStoragePath

    _require_provider(location.partition("://")[0])
    try:
        path = ObjectStoragePath(unquote(location) if location.startswith("file:") else location)
        return _read(path, cancelled) if whole else StoredObject(int(path.stat().st_size), None)
    except (OSError, ValueError):
        raise
    except Exception as error:  # each storage raises its own errors, for example for missing credentials
        raise OSError(f"{type(error).__name__}: {error}") from error


def _require_provider(scheme: str) -> None:
    from airflow.sdk.io import has_fs

    if scheme in _PROVIDERS and not has_fs(scheme):
        raise OSError(f"no {scheme}:// here: install Airflow's provider {_PROVIDERS[scheme]} in every component")


def _read(path: Any, cancelled: Event) -> StoredObject:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while not cancelled.is_set() and (chunk := stream.read(CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    return StoredObject(size, digest.hexdigest())
