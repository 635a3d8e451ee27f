"""What holds for the whole suite: how it is spread over workers, and the folder in which workers share a stack."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.scheduling import Lanes, place_of
from tests.shared_stack import ROOT, SHARED_FOLDER, end_part, keep_logs, remove_stack, take_part

KEPT_LOGS = ROOT / ".local" / "logs-of-failed-tests"


def pytest_configure(config: pytest.Config) -> None:
    """The controller, or the only process, makes the folder and takes it away again."""
    gc.disable()  # nothing of what is collected goes before the end
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
    """What the stack wrote ends with it: where a test failed, it is kept for whoever looks for the reason."""
    if session.testsfailed and not hasattr(session.config, "workerinput"):
        keep_logs(Path(os.environ[SHARED_FOLDER]), KEPT_LOGS)


def pytest_collection_finish() -> None:
    """Thousands of tests and Airflow's modules stay to the end: looking through them again and again took a sixth."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes:
    """Only called with `-n`."""
    return Lanes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within a place as collected."""
    items.sort(key=lambda item: place_of(item.nodeid.split("::")[0]))
