"""Reads of real files through Airflow's object storage paths."""

import asyncio
import hashlib
import time
import tracemalloc
from pathlib import Path
from threading import Event

import pytest

from upgrade_orchestrator.adapters import backups
from upgrade_orchestrator.adapters.backups import CHUNK, read_object
from upgrade_orchestrator.domain.checks.checks import StoredObject


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
async def test_size_and_checksum_are_read_from_objects_of_any_size(tmp_path: Path, size: int) -> None:
    content = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)
    path = tmp_path / "backup of ü"
    path.write_bytes(content[:size])
    expected = StoredObject(size, hashlib.sha256(content[:size]).hexdigest())
    assert await read_object(path.as_uri()) == await read_object(f"file://{path}") == expected


async def test_memory_does_not_grow_with_the_size_of_the_object(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.touch()
    with path.open("r+b") as file:
        file.truncate(size := 256 << 20)
    await read_object(path.as_uri(), whole=False)  # so that first imports do not count
    tracemalloc.start()
    try:
        found = await read_object(path.as_uri())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.size_bytes, most < 8 * CHUNK) == (size, True), most


async def test_content_is_not_read_when_only_the_size_is_requested(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.touch()
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    assert await read_object(path.as_uri(), whole=False) == StoredObject(1 << 40, None)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "location",
    ["file:///no/such/backup", "gopher://nowhere/backup", "s3://no-such-bucket-of-ours/backup", "nonsense://"],
)
async def test_unreadable_object_is_an_error_and_never_empty(location: str, whole: bool) -> None:
    with pytest.raises((OSError, ValueError)) as refusal:
        await read_object(location, whole=whole)
    assert str(refusal.value)


async def test_hanging_storage_does_not_block_reads_from_other_storages(monkeypatch: pytest.MonkeyPatch) -> None:
    released = Event()

    def hang(*_: object) -> StoredObject:
        released.wait()
        return StoredObject(0, None)

    monkeypatch.setattr(backups, "_look", hang)
    more_than_asyncio_has = [asyncio.create_task(read_object("file:///a")) for _ in range(64)]
    try:
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "answered"), 30) == "answered"
    finally:
        released.set()
    assert await asyncio.gather(*more_than_asyncio_has) == [StoredObject(0, None)] * 64


@pytest.mark.parametrize("scheme", ["s3", "gs", "abfs"])
async def test_storage_without_its_provider_installed_is_refused_with_the_remedy(scheme: str) -> None:
    with pytest.raises(OSError, match=f"no {scheme}:// here: install Airflow's provider"):
        await read_object(f"{scheme}://bucket/backup")


async def test_folder_is_refused_as_a_backup(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        await read_object(tmp_path.as_uri())


async def test_read_ends_when_its_caller_is_cancelled(tmp_path: Path) -> None:
    """A process waits for its threads, so reading on would keep a worker long after the time-out."""
    path = tmp_path / "backup"
    path.touch()
    with path.open("r+b") as file:
        file.truncate(1 << 38)  # a hole; minutes to read
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await read_object(path.as_uri())
    began = time.monotonic()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert time.monotonic() - began < 10
