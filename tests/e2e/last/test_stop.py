"""The last test stops the stack of the whole suite, so that no other test has to start it again."""

import pytest

from local.stack.components import COMPONENTS
from local.stack.stack import Stack
from local.supervisor.sessions import is_gone
from tests.e2e.conftest import assert_events_match_schemas


@pytest.mark.last
def test_down_leaves_no_process_and_may_be_repeated(stack: Stack) -> None:
    assert_events_match_schemas(stack)
    before = stack.process_ids()
    assert len(before) > len(COMPONENTS)
    stack.down()
    assert [pid for pid in before if not is_gone(pid)] == []
    stack.down()
    assert stack.running() == []
