"""By the end of the whole end-to-end suite, every type of event has been published at least once (section 10)."""

from pathlib import Path

import pytest

from local.airflow.settings import UPGRADES_DATABASE
from local.stack.stack import Stack
from tests.e2e.steps import wait_for
from tests.event_rows import types_in
from upgrade_orchestrator.domain.execution.events import EventType


@pytest.mark.timeout(900)
def test_every_event_type_is_published_by_the_whole_suite(stack: Stack, request: pytest.FixtureRequest) -> None:
    modules = set(Path(__file__).parents[1].rglob("test_*.py"))
    if not modules <= {item.path for item in request.session.items}:
        pytest.skip("only a part of the end-to-end tests was asked for")
    wanted = {each.value for each in EventType}
    with stack.postgres().connect(UPGRADES_DATABASE) as connection:
        wait_for("every type of event", lambda: types_in(connection) == wanted, seconds=800)
