"""Looks at real files and storages, each in a process of its own that can be killed."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from upgrade_orchestrator.adapters.backups import places, storage
from upgrade_orchestrator.adapters.backups.look import CHUNK
from upgrade_orchestrator.adapters.backups.storage import SIZES, BackupStorage
from upgrade_orchestrator.domain.checks.checks import StoredObject
from upgrade_orchestrator.domain.checks.locations import Roots

EVERYTHING = BackupStorage(Roots(("file:///", "s3://", "gs://", "abfs://", "gopher://")))
MINUTES_TO_READ = 1 << 38
SCRIPT = Path(storage._SCRIPT).read_text()


@pytest.fixture
def hole(tmp_path: Path) -> Path:
    """A file that takes minutes to read and no room."""
    path = tmp_path / "backup"
    path.touch()
    os.truncate(path, MINUTES_TO_READ)
    return path


@pytest.fixture
def only_here(tmp_path: Path) -> BackupStorage:
    (tmp_path / "root").mkdir()
    return BackupStorage(Roots(((tmp_path / "root").as_uri(),)))


def _children() -> list[str]:
    """The command lines of our looks."""
    listed = subprocess.run(["ps", "-axww", "-o", "stat=,command="], capture_output=True, text=True, check=True)
    lines = listed.stdout.splitlines()
    return [each for each in lines if storage._SCRIPT in each and not each.startswith("Z")]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
async def test_size_and_checksum_are_read_from_objects_of_any_size(tmp_path: Path, size: int) -> None:
    content = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)
    path = tmp_path / "backup of ü"
    path.write_bytes(content[:size])
    expected = StoredObject(size, hashlib.sha256(content[:size]).hexdigest())
    assert await EVERYTHING(path.as_uri()) == await EVERYTHING(f"file://{path}") == expected


async def test_content_is_not_read_when_only_the_size_is_requested(hole: Path) -> None:
    assert await EVERYTHING(hole.as_uri(), whole=False) == StoredObject(MINUTES_TO_READ, None)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("location", ["file:///no/such/backup", "gopher://nowhere/backup", "s3://no-such-bucket/b"])
async def test_unreadable_object_is_an_error_and_never_empty(location: str, whole: bool) -> None:
    with pytest.raises(OSError) as refusal:
        await EVERYTHING(location, whole=whole)
    assert str(refusal.value)


@pytest.mark.parametrize("scheme", ["s3", "gs", "abfs"])
async def test_storage_without_its_provider_installed_is_refused_with_the_remedy(scheme: str) -> None:
    with pytest.raises(OSError, match=f"no {scheme}:// here: install Airflow's provider"):
        await EVERYTHING(f"{scheme}://bucket/backup")


async def test_connection_that_a_location_names_and_that_is_not_defined_is_named() -> None:
    with pytest.raises(OSError, match="the Airflow connection no_such_connection is not defined"):
        await EVERYTHING("s3://no_such_connection@bucket/backup")


async def test_connection_that_a_location_names_is_handed_to_the_process_that_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defined = '{"conn_type": "aws", "password": "a@b/c", "extra": {"region": "x"}}'
    monkeypatch.setenv("AIRFLOW_CONN_AWS_BACKUPS", defined)
    (given,) = (await storage._connection("s3://aws_backups@bucket/key")).items()
    monkeypatch.setenv("AIRFLOW_CONN_AGAIN", given[1])
    from airflow.sdk import BaseHook

    read = BaseHook.get_connection("again")
    assert (given[0], read.conn_type, read.password) == ("AIRFLOW_CONN_AWS_BACKUPS", "aws", "a@b/c")
    assert read.extra_dejson == {"region": "x"}


# fault 33
@pytest.mark.parametrize("whole", [True, False])
async def test_only_regular_files_are_read(tmp_path: Path, whole: bool) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="it is not a regular file"):
            await asyncio.wait_for(EVERYTHING(path.as_uri(), whole=whole), 20)


# fault 47
async def test_location_outside_of_the_roots_is_not_read(only_here: BackupStorage, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    inside = (tmp_path / "root").as_uri()
    outside = ["file:///proc/self/environ", (tmp_path / "secret").as_uri(), f"{inside}/../secret"]
    for location in [*outside, f"{inside}/%2e%2e/secret", f"{inside}-evil/secret", "s3://bucket/key"]:
        with pytest.raises(ValueError, match="the location must"):
            await only_here(location)


# fault 47
@pytest.mark.parametrize("target", ["../secret", "/proc/self/environ"])
async def test_link_that_leads_out_of_the_roots_is_not_read(
    only_here: BackupStorage, tmp_path: Path, target: str
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "root" / "link").symlink_to(target)
    with pytest.raises(OSError, match="it is a link that leads out of the folders of"):
        await only_here((tmp_path / "root" / "link").as_uri())


async def test_link_within_the_roots_is_read_and_a_root_may_be_a_link_itself(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "b").write_bytes(b"backup")
    (tmp_path / "real" / "latest").symlink_to("b")
    (tmp_path / "root").symlink_to("real")
    reads = BackupStorage(Roots(((tmp_path / "root").as_uri(),)))
    assert (await reads((tmp_path / "root" / "latest").as_uri())).size_bytes == 6


# fault 33
async def test_look_is_killed_when_its_caller_is_cancelled(hole: Path) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await EVERYTHING(hole.as_uri())
    assert _children() == []


def test_look_works_in_the_loop_of_a_thread(tmp_path: Path) -> None:
    """As in the triggerer."""
    (tmp_path / "b").write_bytes(b"backup")
    found: list[StoredObject] = []

    def in_thread() -> None:
        found.append(asyncio.run(EVERYTHING((tmp_path / "b").as_uri())))

    thread = Thread(target=in_thread)
    thread.start()
    thread.join(20)
    assert [each.size_bytes for each in found] == [6]


# fault 33
async def test_look_ends_with_its_parent(hole: Path) -> None:
    code = f"""if True:
        import asyncio, os
        from upgrade_orchestrator.adapters.backups.storage import BackupStorage
        from upgrade_orchestrator.domain.checks.locations import Roots
        async def main():
            look = asyncio.create_task(BackupStorage(Roots(("file:///",)))({hole.as_uri()!r}))
            await asyncio.sleep(1)
            os.kill(os.getpid(), 9)
        asyncio.run(main())
    """
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await parent.wait() == -9
    deadline = time.monotonic() + 20
    while _children():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_two_looks_at_the_same_object_are_one_and_each_may_leave(hole: Path) -> None:
    one, two = (asyncio.create_task(EVERYTHING(hole.as_uri())) for _ in range(2))
    deadline = time.monotonic() + 20
    while not _children():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    assert (len(_children()), two.done()) == (1, False)
    two.cancel()
    await asyncio.gather(two, return_exceptions=True)
    assert _children() == []


# fault 33
async def test_look_that_finds_no_place_is_refused_and_others_go_on_when_one_is_free(
    tmp_path: Path, hole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "READS", 1)
    monkeypatch.setattr(storage, "READ_WAITS_SECONDS", 0.3)
    storage._loops.pop(asyncio.get_running_loop(), None)
    (tmp_path / "small").write_bytes(b"small")
    hangs = asyncio.create_task(EVERYTHING(hole.as_uri()))
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="1 looks at storages are under way in this process, at most that many at once"):
        await EVERYTHING((tmp_path / "small").as_uri())
    assert (
        await EVERYTHING((tmp_path / "small").as_uri(), whole=False)
    ).size_bytes == 5  # sizes have places of their own
    hangs.cancel()
    await asyncio.gather(hangs, return_exceptions=True)
    assert (await EVERYTHING((tmp_path / "small").as_uri())).size_bytes == 5


# fault 33
async def test_hanging_storage_leaves_the_threads_of_the_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "hang.py"
    script.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(storage, "_SCRIPT", str(script))
    looks = [asyncio.create_task(EVERYTHING(f"file:///{each}", whole=False)) for each in range(SIZES + 6)]
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "answered"), 30) == "answered"
    for each in looks:
        each.cancel()
    await asyncio.gather(*looks, return_exceptions=True)


# fault 46
async def test_progress_of_a_long_look_is_logged(
    hole: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    script = tmp_path / "eager.py"
    script.write_text(SCRIPT.replace("REPORT_SECONDS = 10.0", "REPORT_SECONDS = 0.05"))
    monkeypatch.setattr(storage, "_SCRIPT", str(script))
    caplog.set_level("INFO", storage.__name__)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await EVERYTHING(hole.as_uri())
    assert "MiB read so far" in caplog.text


async def test_process_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "dies.py"
    script.write_text("import os; os._exit(3)")
    monkeypatch.setattr(storage, "_SCRIPT", str(script))
    with pytest.raises(OSError, match=r"ended without a result \(exit code 3\)"):
        await EVERYTHING("file:///b")


async def test_place_of_a_process_that_cannot_be_killed_stays_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "KILL_SECONDS", 0.05)
    monkeypatch.setattr(asyncio.subprocess.Process, "kill", lambda self: None)  # as one that hangs in the kernel
    few = places.Places(1, 0.1)
    async with few.process("sleep", "1") as process:
        pass
    with pytest.raises(OSError, match="does a storage hang"):
        async with few.process("true"):
            pass
    await process.wait()
    async with few.process("true"):
        pass
