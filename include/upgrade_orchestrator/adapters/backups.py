"""Reads a backup where it is, through Airflow's object storage paths: file://, s3://, gs:// and others."""

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
"Where Airflow gets a storage from: a scheme that is not there is the provider's that is not installed."


async def read_object(location: str, *, whole: bool = True) -> StoredObject:
    """Size and SHA-256 of the object, streamed in a thread, so that its size does not matter.

    A ``file:`` location is a URI: ``%20`` in it is a space. Without ``whole`` only its size is asked for, and there is
    no SHA-256. Whoever stops waiting stops the reading.

    :raises OSError: it is not there or cannot be read; :raises ValueError: the location is not understood.
    """
    unwanted = Event()
    try:
        return await _in_a_thread(partial(_look, location, whole, unwanted))
    finally:
        unwanted.set()


async def _in_a_thread(call: Callable[[], StoredObject]) -> StoredObject:
    """A thread of its own: a storage that hangs holds none of those that others in this process wait for.

    Nor does the process wait for it at its end.
    """
    answer: Future[StoredObject] = Future()
    answer.set_running_or_notify_cancel()  # whoever stops waiting cannot take it away from the thread

    def run() -> None:
        try:
            answer.set_result(call())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=run, name="read-object", daemon=True).start()
    return await asyncio.wrap_future(answer)


def _look(location: str, whole: bool, unwanted: Event) -> StoredObject:
    from airflow.sdk import ObjectStoragePath

    _require_provider(location.partition("://")[0])
    try:
        path = ObjectStoragePath(unquote(location) if location.startswith("file:") else location)
        return _read(path, unwanted) if whole else StoredObject(int(path.stat().st_size), None)
    except (OSError, ValueError):
        raise
    except Exception as error:  # each storage has errors of its own: no credentials, a provider that is not installed
        raise OSError(f"{type(error).__name__}: {error}") from error


def _require_provider(scheme: str) -> None:
    from airflow.sdk.io import has_fs

    if scheme in _PROVIDERS and not has_fs(scheme):
        raise OSError(f"no {scheme}:// here: install Airflow's provider {_PROVIDERS[scheme]} in every component")


def _read(path: Any, unwanted: Event) -> StoredObject:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while not unwanted.is_set() and (chunk := stream.read(CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    return StoredObject(size, digest.hexdigest())
