"""The end of the run's stack."""

import psutil
import pytest

from local.components import COMPONENTS
from local.stack import Stack
from tests.shared_stack import forget_stack


@pytest.mark.alone
def test_down_leaves_no_process_and_repeats(stack: Stack) -> None:
    """Whoever comes after it all the same starts the stack again."""
    before = stack.process_ids()
    assert len(before) > len(COMPONENTS)
    forget_stack()
    stack.down()
    assert {pid for pid in before if _runs(pid)} == set()
    stack.down()
    assert stack.running() == []


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
