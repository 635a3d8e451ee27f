"""Reads a backup where it is, through Airflow's object storage paths: file://, s3://, gs:// and others."""

from __future__ import annotations

import asyncio
import hashlib
from threading import Event
from typing import Any
from urllib.parse import unquote

from include.upgrades.domain.checks import StoredObject

CHUNK = 1 << 20


async def read_object(location: str, *, whole: bool = True) -> StoredObject:
    """Size and SHA-256 of the object, streamed in a thread, so that its size does not matter.

    A ``file:`` location is a URI: ``%20`` in it is a space. Without ``whole`` only its size is asked for, and there is
    no SHA-256. Whoever stops waiting stops the reading.

    :raises OSError: it is not there or cannot be read; :raises ValueError: the location is not understood.
    """
    unwanted = Event()
    try:
        return await asyncio.to_thread(_look, location, whole, unwanted)
    finally:
        unwanted.set()  # a process waits for its threads before it ends


def _look(location: str, whole: bool, unwanted: Event) -> StoredObject:
    from airflow.sdk import ObjectStoragePath

    try:
        path = ObjectStoragePath(unquote(location) if location.startswith("file:") else location)
        return _read(path, unwanted) if whole else StoredObject(int(path.stat().st_size), None)
    except (OSError, ValueError):
        raise
    except Exception as error:  # each storage has errors of its own: no credentials, a provider that is not installed
        raise OSError(f"{type(error).__name__}: {error}") from error


def _read(path: Any, unwanted: Event) -> StoredObject:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while not unwanted.is_set() and (chunk := stream.read(CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    return StoredObject(size, digest.hexdigest())
