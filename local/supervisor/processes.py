"""The stack's processes: each started in a session of its own, recorded, found again, and stopped with its children."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.errors import LocalError
from local.files import read_or_none
from local.supervisor.account import Account
from local.supervisor.sessions import Leader, is_gone

_POLL_SECONDS = 0.05
_KILL_SECONDS = 10


@dataclass(frozen=True)
class Command:
    """How to start a component, and the signal that asks it to end."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    account: Account = field(default_factory=Account)
    stop_signal: signal.Signals = signal.SIGTERM


class Processes:
    """The components by name. What runs is read from `.local/run`, so any process may ask and stop."""

    def __init__(self, run: Path, logs: Path) -> None:
        self._run, self._logs = run, logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, command: Command) -> None:
        """Start the component unless it runs; the rest of an earlier one is ended first."""
        if self.is_alive(command.name):
            return
        self.kill(command.name)
        record = os.open(self._record(command.name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self._children[command.name] = self._spawn(command, record)
        except OSError as error:
            raise LocalError(f"{command.name} cannot be started: {error}") from None
        finally:
            os.close(record)

    def is_alive(self, name: str) -> bool:
        """Whether the component's first process runs."""
        self._reap(name)
        leader = self.leader(name)
        return leader is not None and leader.is_alive()

    def leader(self, name: str) -> Leader | None:
        """The component's first process as recorded, dead or alive; None when it was never started or was stopped."""
        try:
            return Leader(**json.loads(read_or_none(self._record(name)) or ""))
        except (ValueError, TypeError):
            return None

    def names(self) -> list[str]:
        """Every component that has a record."""
        return sorted(path.stem for path in self._run.glob("*.json"))

    def stop(self, grace: Mapping[str, float], signals: Mapping[str, signal.Signals] | None = None) -> None:
        """Ask all of them to end at once (by SIGTERM unless named); kill what is left of each after its seconds."""
        for name in grace:
            self._signal(name, (signals or {}).get(name, signal.SIGTERM))
        began = time.monotonic()
        for name, seconds in sorted(grace.items(), key=lambda item: item[1]):
            self._wait_gone(name, began + seconds)
            self.kill(name)

    def kill(self, name: str) -> None:
        """Kill (-9) the component with every process of its session and every descendant, and remove its record."""
        leader = self.leader(name)
        deadline = time.monotonic() + _KILL_SECONDS
        left: set[int] = set()
        while leader and (left := {pid for pid in left if not is_gone(pid)} | leader.members()):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise LocalError(f"{name}: process {min(left)} does not end")
            time.sleep(_POLL_SECONDS)
            self._reap(name)
        self._record(name).unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """The log file for the component's output."""
        return self._logs / f"{name}.log"

    def last_lines(self, name: str, count: int = 15) -> str:
        """The end of the component's log."""
        return "\n".join((read_or_none(self.log(name)) or "").splitlines()[-count:])

    def _spawn(self, command: Command, record: int) -> subprocess.Popen[bytes]:
        def note_self() -> None:
            # The child writes the record itself, so that a parent killed at any point leaves no process unrecorded.
            os.write(record, json.dumps(asdict(_myself())).encode())

        with self._new_log(command.name) as log:
            return subprocess.Popen(
                list(command.argv),
                cwd=command.cwd,
                env=dict(command.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=note_self,
                **command.account.as_options(),
            )

    def _new_log(self, name: str) -> contextlib.AbstractContextManager[int]:
        path = self.log(name)
        with contextlib.suppress(FileNotFoundError):
            path.replace(path.with_suffix(".log.1"))
        return _opened(path)

    def _signal(self, name: str, number: signal.Signals) -> None:
        leader = self.leader(name)
        if leader and leader.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(leader.pid, number)

    def _wait_gone(self, name: str, deadline: float) -> None:
        leader = self.leader(name)
        while leader and leader.members() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            self._reap(name)

    def _reap(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None and child.poll() is not None:
            del self._children[name]

    def _record(self, name: str) -> Path:
        return self._run / f"{name}.json"


def _myself() -> Leader:
    leader = Leader.of(os.getpid())
    assert leader is not None
    return leader


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
