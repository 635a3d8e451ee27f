"""Set-up of the whole suite: how it is spread over workers, and the folder in which workers share a stack."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.scheduling import Lanes, position_of
from tests.shared_stack import ROOT, SHARED_FOLDER, end_part, keep_logs, remove_stack, take_part

KEPT_LOGS = ROOT / ".local" / "logs-of-failed-tests"


def pytest_configure(config: pytest.Config) -> None:
    """The controller, or the only process, creates the folder and removes it again."""
    gc.disable()  # collected objects are kept until the end
    config.option.loadscopereorder = False  # the order is ours
    if SHARED_FOLDER not in os.environ:
        os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="upgrades-tests-")
        config.add_cleanup(_end_what_was_shared)
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        take_part()
        config.add_cleanup(end_part)


def _end_what_was_shared() -> None:
    folder = Path(os.environ.pop(SHARED_FOLDER))
    remove_stack(folder)
    shutil.rmtree(folder, ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the stack's logs when a test failed; everything else that it wrote is removed with it."""
    if session.testsfailed and not hasattr(session.config, "workerinput"):
        keep_logs(Path(os.environ[SHARED_FOLDER]), KEPT_LOGS)


def pytest_collection_finish() -> None:
    """Exempt what is loaded so far from garbage collection, which took a sixth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes:
    """Called only with `-n`."""
    return Lanes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by `position_of`; within one position the order is that of the collection."""
    items.sort(key=lambda item: position_of(item.nodeid.split("::")[0]))
