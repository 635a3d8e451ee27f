"""The whole suite's stack is stopped, as its last test: nobody has to start it again."""

import psutil
import pytest

from local.components import COMPONENTS
from local.stack import Stack
from tests.e2e.conftest import hold_to_the_book


@pytest.mark.last
def test_down_leaves_no_process_and_repeats(stack: Stack) -> None:
    hold_to_the_book(stack)
    before = stack.process_ids()
    assert len(before) > len(COMPONENTS)
    stack.down()
    assert {pid for pid in before if _runs(pid)} == set()
    stack.down()
    assert stack.running() == []


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
