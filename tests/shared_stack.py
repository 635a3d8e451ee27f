"""The one local stack of a run: started by the first worker that needs it, ended by the run's first process."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from local.airflow.settings import SCHEDULER_IDLE_SECONDS
from local.errors import LocalError
from local.layout import Layout
from local.ports import free_port, is_busy
from local.stack.stack import DEFAULT_PORT, Stack
from upgrade_orchestrator.settings import variable_of

SHARED_FOLDER = "UPGRADES_TEST_SHARED"
"The environment variable that names the folder all workers of a run share."
ROOT = Path(__file__).resolve().parents[1]
NOTICES = "notices"
_PRESENT: list[TextIO] = []
"Held by this process while it has tests to run."
_CLAIMS: list[TextIO] = []
"Held until this process ends."
FOREIGN = ("KAFKA_BOOTSTRAP_SERVERS", "DEMO")
_inside: list[bool] = []
"Not empty while this process uses the stack; the value is whether it is alone."


def shared_folder() -> Path:
    """The folder that the workers of this run share."""
    return Path(os.environ[SHARED_FOLDER])


def environment(state: Path) -> dict[str, str]:
    """The environment of the stack in that state folder: its notifiers write to a file, its scheduler pauses longer."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    notices = {"AIRFLOW__UPGRADES__NOTIFIERS": "tests.dags.notifiers:ALL", "NOTICES_FILE": str(state / NOTICES)}
    notices[variable_of("backup_roots")] = "file:///"
    return kept | notices | {SCHEDULER_IDLE_SECONDS: "1"}


def running_stack(prepare: Callable[[Stack], None]) -> Stack:
    """The run's stack, on the seed's own port when that is free.

    The first worker to ask starts and prepares it, the others wait. A stack that did not start is not tried again: all
    workers that need it fail at once.
    """
    folder = shared_folder()
    with _locked(folder / "stack.lock", fcntl.LOCK_EX):
        port, failed = folder / "stack.port", folder / "stack.failed"
        if failed.exists():
            raise LocalError(failed.read_text(encoding="utf-8"))
        if not port.exists():
            _start(folder, port, failed, prepare)
        return _stack(folder, int(port.read_text(encoding="utf-8")))


def _start(folder: Path, port: Path, failed: Path, prepare: Callable[[Stack], None]) -> None:
    number = DEFAULT_PORT if _claim_default_port() and not is_busy(DEFAULT_PORT) else free_port()
    try:
        stack = _stack(folder, number)
        stack.up()
        prepare(stack)
    except BaseException as error:
        failed.write_text(f"the stack did not start: {error}", encoding="utf-8")
        raise
    port.write_text(str(number), encoding="utf-8")


def _claim_default_port() -> bool:
    """Whether no other run has the port: until its API server listens, the port still looks free to another run."""
    try:
        claim = (Path(tempfile.gettempdir()) / f"upgrades-tests-{DEFAULT_PORT}.lock").open("a")
        _CLAIMS.append(claim)
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _stack(folder: Path, port: int) -> Stack:
    state = folder / "state"
    return Stack(ROOT, port, state, environment(state))


def keep_logs(folder: Path, kept: Path) -> None:
    """Copy the logs of that folder's stack, including its tasks'; they replace those that were kept before."""
    layout = Layout(ROOT, folder / "state")
    shutil.rmtree(kept, ignore_errors=True)
    for name, logs in (("components", layout.logs), ("tasks", layout.airflow_home / "logs")):
        if logs.exists():
            shutil.copytree(logs, kept / name, symlinks=True)


def remove_stack(folder: Path) -> None:
    """End the stack of that folder, if one was ever started, and delete its state."""
    if (folder / "state").exists():
        _stack(folder, DEFAULT_PORT).remove()


def take_part() -> None:
    """This process has tests to run, until `end_part`."""
    held = (shared_folder() / "present.lock").open("a")
    fcntl.flock(held, fcntl.LOCK_SH)
    _PRESENT.append(held)


def end_part() -> None:
    """This process has nothing more to run or to clean up."""
    _PRESENT.pop().close()


def wait_until_the_others_have_ended() -> None:
    """Wait for all other processes, including their clean-up."""
    fcntl.flock(_PRESENT[0], fcntl.LOCK_EX)


@contextmanager
def in_use(alone: bool = False) -> Iterator[None]:
    """Use the stack beside others; ``alone``: once they have finished, and before they go on.

    A process that waits to be alone holds the gate, so that no new one enters before it. Those inside finish first.
    """
    if _inside:
        yield
        return
    folder = shared_folder()
    gate, use = folder / "gate.lock", folder / "use.lock"
    with _locked(gate, fcntl.LOCK_EX):
        held = use.open("a")
        fcntl.flock(held, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    with held:
        _inside.append(alone)
        try:
            yield
        finally:
            _inside.pop()


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    """Held until released, or until the process ends."""
    with path.open("a") as lock:
        fcntl.flock(lock, how)
        yield
