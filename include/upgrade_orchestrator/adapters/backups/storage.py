"""Reads a backup in place (port ``ReadObject``): a file directly, an object through Airflow's object storage paths."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from upgrade_orchestrator.adapters.backups.places import Places
from upgrade_orchestrator.domain.checks.checks import StoredObject
from upgrade_orchestrator.domain.checks.locations import FILE, Roots, path_of

log = logging.getLogger(__name__)

READS, SIZES = 4, 8
"Processes that read whole backups, and that look at sizes only, at the same time for each event loop."
READ_WAITS_SECONDS, SIZE_WAITS_SECONDS = 600.0, 20.0
"How long a look waits for a place."
_SCRIPT = str(Path(__file__).with_name("look.py"))
_WITHOUT_LIBRARIES = ("-I", "-S")


@dataclass(slots=True)
class _Look:
    """A look that is under way, and how many wait for it."""

    task: asyncio.Task[StoredObject]
    waiters: int = 0


class _Loop:
    """What one event loop has under way."""

    def __init__(self) -> None:
        self.looks: dict[tuple[str, bool], _Look] = {}
        self.places = {True: Places(READS, READ_WAITS_SECONDS), False: Places(SIZES, SIZE_WAITS_SECONDS)}


_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class BackupStorage:
    """Reads only what is below ``roots``, once all links are followed."""

    roots: Roots

    async def __call__(self, location: str, *, whole: bool = True) -> StoredObject:
        """Size and SHA-256 of the object; with ``whole=False`` only the size, and the SHA-256 is None.

        Looks at the same object at the same time are one. Cancelling the last caller kills the process.

        :raises OSError: the object is missing or cannot be read, or too many looks are under way.
        :raises ValueError: the location is not below the roots.
        """
        if (why := self.roots.problem(location)) is not None:
            raise ValueError(f"the location {why}")
        loop = _loops.setdefault(asyncio.get_running_loop(), _Loop())
        look = loop.looks.get((location, whole))
        if look is None or look.task.done():
            look = loop.looks[location, whole] = _Look(asyncio.create_task(self._read(loop, location, whole)))
        return await _wait_for(loop, (location, whole), look)

    async def _read(self, loop: _Loop, location: str, whole: bool) -> StoredObject:
        is_file = location.startswith(FILE)
        job = self._file(location) if is_file else await _object(location)
        options = _WITHOUT_LIBRARIES if is_file else ()
        async with loop.places[whole].process(sys.executable, *options, _SCRIPT) as process:
            return await _answer(process, json.dumps(job | {"whole": whole}), location)

    def _file(self, location: str) -> dict[str, Any]:
        return {"path": path_of(location), "folders": list(self.roots.folders)}


async def _wait_for(loop: _Loop, key: tuple[str, bool], look: _Look) -> StoredObject:
    look.waiters += 1
    try:
        return await asyncio.shield(look.task)
    finally:
        look.waiters -= 1
        if look.waiters == 0:
            if loop.looks.get(key) is look:
                del loop.looks[key]
            look.task.cancel()
            await asyncio.gather(look.task, return_exceptions=True)


async def _answer(process: Process, job: str, location: str) -> StoredObject:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{job}\n".encode())
    async for line in process.stdout:
        answer = json.loads(line)
        if "error" in answer:
            raise OSError(answer["error"])
        if "size" in answer:
            return StoredObject(answer["size"], answer["sha256"])
        log.info("%s: %d MiB read so far", location, answer["read"] >> 20)
    raise OSError(f"the process that reads it ended without a result (exit code {await process.wait()})")


async def _object(location: str) -> dict[str, Any]:
    """Only this process can ask Airflow for the connection: a task's own process has no way to."""
    return {"location": location, "modules": sys.path, "environment": await _connection(location)}


async def _connection(location: str) -> dict[str, str]:
    """The connection that the location names (``s3://conn_id@bucket/key``), as Airflow reads it from an environment."""
    conn_id, named, _ = location.partition("://")[2].partition("/")[0].partition("@")
    if not named:
        return {}
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowException

    try:
        connection = await BaseHook.aget_connection(conn_id)
    except AirflowException as error:
        raise OSError(f"the Airflow connection {conn_id} is not defined") from error
    return {f"AIRFLOW_CONN_{conn_id.upper()}": _as_json(connection)}


def _as_json(connection: Any) -> str:
    names = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")
    return json.dumps({name: value for name in names if (value := getattr(connection, name, None)) is not None})
