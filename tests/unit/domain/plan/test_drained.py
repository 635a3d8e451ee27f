"""Which instances an ended upgrade may have left drained, and how its status reason names them."""

from dataclasses import replace

import pytest

from tests.unit.domain.builders import NOW, after, make_execution, make_fleet, make_instance, make_request
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.domain.plan.drained import (
    is_overdue,
    naming_drained,
    out_of_service,
    possibly_drained,
    seconds_left,
)

I = InstanceStatus  # noqa: E741
FAILED = make_execution(ExecutionStatus.FAILED, status_reason="no budget left")


@pytest.mark.parametrize("status", sorted(I))
def test_only_a_failed_instance_may_be_left_drained(status: InstanceStatus) -> None:
    assert len(possibly_drained(FAILED, [make_instance("i-01", status)], [])) == (status is I.FAILED)


def test_failed_rollback_row_may_be_left_drained() -> None:
    back = make_instance("i-01", I.FAILED, batch=ROLLBACK_BATCH, attempts=2)
    assert possibly_drained(FAILED, [make_instance("i-01", I.COMPLETED, revert=I.FAILED)], [back]) == [back]


@pytest.mark.parametrize("status", [I.FAILED, I.COMPLETED])
def test_undrained_instance_is_not_left_drained(status: InstanceStatus) -> None:
    back = make_instance("i-01", I.COMPLETED, batch=ROLLBACK_BATCH)
    assert possibly_drained(FAILED, [make_instance("i-01", status, revert=I.COMPLETED)], [back]) == []


def test_blue_green_leaves_no_serving_instance_drained() -> None:
    by_pools = replace(FAILED, request=make_request(strategy=Strategy.BLUE_GREEN))
    assert possibly_drained(by_pools, [make_instance("i-01", I.FAILED)], []) == []


@pytest.mark.parametrize("status", ["RUNNING", "DRAINING", "DRAINED", "UPGRADING", "STOPPED"])
def test_out_of_service_instances_are_those_that_the_fleet_shows_as_drained(status: str) -> None:
    fleet = make_fleet(FleetInstance("i-01", "3.6.0", status, healthy=False))
    left = out_of_service([make_instance("i-01", I.FAILED), make_instance("i-02", I.FAILED)], fleet)
    assert left == ({"i-01": status} if status in ("DRAINING", "DRAINED") else {})


def test_fleet_is_overdue_once_its_time_out_since_the_end_is_over() -> None:
    timeout = FAILED.request.health_check_timeout_seconds
    ended = replace(FAILED, completed_at=after(5))
    assert (seconds_left(ended, after(5)), seconds_left(ended, after(7))) == (timeout, timeout - 2)
    assert [is_overdue(ended, after(5 + timeout + late)) for late in (0, 1)] == [False, True]
    assert [is_overdue(ended, after(5 + timeout + late), grace=5) for late in (5, 6)] == [False, True]


def test_fleet_of_an_execution_that_has_not_ended_is_never_overdue() -> None:
    running = replace(FAILED, completed_at=None)
    assert (seconds_left(running, NOW), is_overdue(running, after(9e6))) == (None, False)


def test_reason_names_drained_instances_once() -> None:
    named = naming_drained(FAILED, {"i-02": "DRAINED", "i-01": "DRAINING"})
    assert named.status_reason == "no budget left; out of service: i-01 is DRAINING, i-02 is DRAINED"
    assert naming_drained(named, {"i-02": "DRAINED", "i-01": "DRAINING"}) == named
