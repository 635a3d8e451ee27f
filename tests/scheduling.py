"""Which tests pytest-xdist keeps together in one worker, and which begin first.

Most of the suite's time is waiting, so there are more workers than cores. A module stays in one worker, which keeps its
fixtures. The modules of a lane share an expensive server, or must not run at the same time, and stay together too.
Tests that each have a tenant of their own on the one stack go to any free worker.
"""

from functools import cache
from pathlib import PurePosixPath

from xdist.scheduler.loadscope import LoadScopeScheduling

LANES = {
    "tests/e2e/alone": "alone",
    "tests/integration/kafka": "kafka",
    "tests/integration/local": "local",
    "tests/integration/web/api_server": "api_server",
    "tests/e2e/demo": "demo",
    "tests/e2e/last": "last",
}
"Folders whose modules stay together, and the lane's name."

SIDE_BY_SIDE = "tests/e2e/crowd"
"Where every test may run beside every other."

ORDER = (
    "tests/e2e/alone",
    "tests/integration/kafka",
    "tests/integration/local",
    "tests/integration/web/api_server",
    "tests/integration/adoption",
    "tests/integration",
    "tests/dags",
    "tests/unit",
    "tests/architecture",
    "tests/e2e/demo",
    "tests/e2e/pages",
    "tests/e2e/test_schemathesis.py",
    "tests/e2e/crowd/test_upgrade_request.py",
    "tests/e2e/crowd",
    "tests/e2e/last",
)
"""Folders in the order in which they begin.

Tests that need the stack for themselves come first, while the other workers have tests that need no stack; those that
go to any free worker come last, so that all workers end at about the same time.
"""


class Lanes(LoadScopeScheduling):
    """Gives each idle worker the next lane, module or test."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """What the test stays together with: its lane, its module, or nothing but itself."""
    module = nodeid.split("::")[0]
    if is_below(module, SIDE_BY_SIDE):
        return nodeid
    return next((lane for folder, lane in LANES.items() if is_below(module, folder)), module)


def position_of(module: str) -> int:
    """The module's position in the order, from 0."""
    return next((position for position, folder in enumerate(ORDER) if is_below(module, folder)), len(ORDER))


@cache
def is_below(module: str, folder: str) -> bool:
    """Whether the module is in the folder or below it."""
    return PurePosixPath(module).is_relative_to(folder)
