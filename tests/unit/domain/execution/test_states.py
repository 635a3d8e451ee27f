"""The execution's lifecycle against the table of specification section 3, written out here a second time on purpose."""

from itertools import product

import pytest

from tests.unit.domain.builders import NOW, OPERATOR, make_execution
from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.execution import advance
from upgrade_orchestrator.domain.execution.states import (
    MAY_START,
    TERMINAL,
    TRANSITIONS,
    ExecutionStatus,
    is_terminal,
    sources_of,
)

ALLOWED = {
    "PENDING": "VALIDATING CANCELLED",
    "VALIDATING": "IN_PROGRESS CANARY_RUNNING FAILED CANCELLED",
    "IN_PROGRESS": "PAUSED COMPLETED FAILED ROLLING_BACK CANCELLED",
    "CANARY_RUNNING": "CANARY_MONITORING PAUSED FAILED CANCELLED",
    "CANARY_MONITORING": "IN_PROGRESS ROLLING_BACK CANCELLED",
    "PAUSED": "IN_PROGRESS CANARY_RUNNING CANCELLED",
    "ROLLING_BACK": "ROLLED_BACK FAILED CANCELLED",
    "ROLLED_BACK": "",
    "COMPLETED": "",
    "FAILED": "",
    "CANCELLED": "",
}
ENDS = {"ROLLED_BACK", "COMPLETED", "FAILED", "CANCELLED"}
PAIRS = list(product(ExecutionStatus, ExecutionStatus))
ARROWS = [f"{old} => {new}" for old, new in PAIRS]


def test_statuses_are_those_of_the_specification() -> None:
    assert [status.value for status in ExecutionStatus] == list(ALLOWED)
    assert set(TRANSITIONS) == set(ExecutionStatus)


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=ARROWS)
def test_execution_advances_exactly_where_the_specification_says(old: ExecutionStatus, new: ExecutionStatus) -> None:
    execution = make_execution(old)
    if new.value in ALLOWED[old].split():
        assert advance(execution, new, "because", OPERATOR, NOW)[0].status is new
        return
    with pytest.raises(InvalidState) as refusal:
        advance(execution, new, "because", OPERATOR, NOW)
    assert refusal.value.extra["currentStatus"] == old.value
    assert refusal.value.extra["allowedFrom"] == [each for each in ALLOWED if new.value in ALLOWED[each].split()]


@pytest.mark.parametrize("status", ExecutionStatus)
def test_terminal_statuses_are_the_four_without_a_transition(status: ExecutionStatus) -> None:
    assert is_terminal(status) is (status.value in ENDS)
    assert (status in TERMINAL) is (status.value in ENDS)
    assert make_execution(status).is_terminal is (status.value in ENDS)


def reachable(start: ExecutionStatus) -> set[ExecutionStatus]:
    seen, ahead = {start}, [start]
    while ahead:
        new = TRANSITIONS[ahead.pop()] - seen
        seen |= new
        ahead += new
    return seen


def test_every_status_is_reachable_from_pending() -> None:
    assert reachable(ExecutionStatus.PENDING) == set(ExecutionStatus)


@pytest.mark.parametrize("status", [status for status in ExecutionStatus if status.value not in ENDS])
def test_every_unfinished_status_can_reach_a_terminal_one(status: ExecutionStatus) -> None:
    assert TERMINAL & reachable(status)
    assert ExecutionStatus.CANCELLED in TRANSITIONS[status]


def test_instances_may_be_started_in_two_statuses_only() -> None:
    assert {status.value for status in MAY_START} == {"IN_PROGRESS", "CANARY_RUNNING"}


def test_sources_of_a_status_are_in_lifecycle_order() -> None:
    assert sources_of(ExecutionStatus.ROLLING_BACK) == [ExecutionStatus.IN_PROGRESS, ExecutionStatus.CANARY_MONITORING]
    assert sources_of(ExecutionStatus.PENDING) == []
