"""Reads a backup where it is, through Airflow's object storage paths: file://, s3://, gs:// and others."""

from __future__ import annotations

import asyncio
import hashlib

from include.upgrades.domain.checks import StoredObject

CHUNK = 1 << 20


async def read_object(location: str) -> StoredObject:
    """Size and SHA-256 of the object, streamed in a thread, so that its size does not matter.

    :raises OSError: it is not there or cannot be read; :raises ValueError: the location is not understood.
    """
    return await asyncio.to_thread(_read, location)


def _read(location: str) -> StoredObject:
    from airflow.sdk import ObjectStoragePath

    digest, size = hashlib.sha256(), 0
    with ObjectStoragePath(location).open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return StoredObject(size, digest.hexdigest())
