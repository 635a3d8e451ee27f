import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from local.errors import LocalError
from local.stack.stopping import stop_after_interruption
from local.supervisor.processes import Command, Processes
from local.supervisor.sessions import Leader

# Starts a child that starts a child; each writes its id and waits for ever.
_FAMILY = """
import os, subprocess, sys, time
depth, folder = int(sys.argv[1]), sys.argv[2]
open(f"{folder}/pid-{depth}", "w").write(str(os.getpid()))
if depth: subprocess.Popen([sys.executable, "-c", sys.argv[3], str(depth - 1), folder, sys.argv[3]])
os.rename(f"{folder}/pid-{depth}", f"{folder}/{depth}")
time.sleep(600)
"""
_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    own = Processes(tmp_path, tmp_path)
    yield own
    for name in own.names():
        own.kill(name)


def _python(name: str, code: str, *arguments: str) -> Command:
    return Command(name, [sys.executable, "-c", code, *arguments], os.environ, Path("/"))


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _family(processes: Processes, folder: Path) -> list[int]:
    processes.start(_python("family", _FAMILY, "2", str(folder), _FAMILY))
    paths = [folder / str(depth) for depth in (2, 1, 0)]
    _until(lambda: all(path.exists() for path in paths))
    return [int(path.read_text()) for path in paths]


def test_kill_ends_every_descendant(processes: Processes, tmp_path: Path) -> None:
    family = _family(processes, tmp_path)
    processes.kill("family")
    assert [pid for pid in family if _runs(pid)] == []


def test_kill_ends_the_orphans_when_the_first_process_was_killed(processes: Processes, tmp_path: Path) -> None:
    first, *orphans = _family(processes, tmp_path)
    os.kill(first, signal.SIGKILL)
    _until(lambda: not processes.is_alive("family"))
    assert all(_runs(pid) for pid in orphans)
    processes.kill("family")
    assert [pid for pid in orphans if _runs(pid)] == []


def test_running_component_is_seen_by_a_process_that_did_not_start_it(processes: Processes, tmp_path: Path) -> None:
    first, *_ = _family(processes, tmp_path)
    stranger = Processes(tmp_path, tmp_path)
    leader = stranger.leader("family")
    assert stranger.is_alive("family")
    assert leader is not None
    assert leader.pid == first


def test_kill_spares_a_process_that_reuses_the_recorded_id(processes: Processes, tmp_path: Path) -> None:
    processes.start(_python("other", _DEAF))
    other = processes.leader("other")
    assert other is not None
    recycled = replace(other, began=other.began - 100)
    (tmp_path / "old.json").write_text(json.dumps(asdict(recycled)))
    assert not processes.is_alive("old")
    processes.kill("old")
    assert processes.is_alive("other")


def test_kill_spares_everything_when_the_record_is_of_another_boot(processes: Processes, tmp_path: Path) -> None:
    processes.start(_python("other", _DEAF))
    other = processes.leader("other")
    assert other is not None
    (tmp_path / "old.json").write_text(json.dumps(asdict(replace(other, boot="before"))))
    processes.kill("old")
    assert processes.is_alive("other")


def test_stop_kills_a_component_that_ignores_the_signal(processes: Processes) -> None:
    processes.start(_python("deaf", _DEAF))
    _until(lambda: "deaf" in processes.last_lines("deaf"))
    processes.stop({"deaf": 0.3})
    assert not processes.is_alive("deaf")


def test_stop_lets_the_component_end_by_itself_when_it_handles_the_signal(processes: Processes) -> None:
    polite = "import signal, sys; print('here', flush=True); signal.sigwait({signal.SIGTERM}); print('bye', flush=True)"
    blocked = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}}); {polite}"
    processes.start(_python("polite", blocked))
    _until(lambda: "here" in processes.last_lines("polite"))
    processes.stop({"polite": 20})
    assert processes.last_lines("polite").endswith("bye")


def test_start_names_the_component_that_cannot_be_started(processes: Processes) -> None:
    with pytest.raises(LocalError, match="absent cannot be started"):
        processes.start(Command("absent", ["/no/such/program"], {}, Path("/")))


def test_start_does_nothing_when_the_component_runs(processes: Processes) -> None:
    processes.start(_python("one", _DEAF))
    before = processes.leader("one")
    processes.start(_python("one", _DEAF))
    assert processes.leader("one") == before


def test_leader_is_none_when_the_record_is_half_written(processes: Processes, tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text('{"pid": 1, "bo')
    assert processes.leader("torn") is None
    assert Leader.of(os.getpid()) is not None


def test_stop_is_repeated_when_an_interruption_arrives_before_interruptions_are_ignored(tmp_path: Path) -> None:
    asked: list[str] = []

    class InterruptedOnce(Processes):
        def stop(self, grace: Mapping[str, float], signals: Mapping[str, signal.Signals] | None = None) -> None:
            asked.extend(grace)
            if grace and asked == ["agent"]:
                raise KeyboardInterrupt

    stop_after_interruption(InterruptedOnce(tmp_path, tmp_path), ["agent", "postgres"])
    assert asked == ["agent", "agent", "postgres"]
