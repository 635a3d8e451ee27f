"""The effect of instance failures on the execution (specification section 4, ``currentFailures``)."""

import pytest

from tests.unit.domain.builders import NOW, make_execution, make_instance, make_request, name
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.lifecycle.failures import record_failures, threshold_reached

I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best
S = ExecutionStatus


def failed(count: int, attempts: int = 1) -> list[Instance]:
    return [make_instance(name(index), I.FAILED, attempts=attempts) for index in range(count)]


def running(failures: int = 0, status: ExecutionStatus = S.IN_PROGRESS) -> Execution:
    return make_execution(status, request=make_request(failure_threshold=3), current_failures=failures)


@pytest.mark.parametrize(("failures", "reached"), [(2, False), (3, True), (4, True)])
def test_threshold_is_reached_at_exactly_its_number_of_failures(failures: int, reached: bool) -> None:
    assert threshold_reached(running(failures)) is reached


def test_failures_below_the_threshold_are_counted_and_the_upgrade_continues() -> None:
    execution, events = record_failures(running(), failed(2), NOW)
    assert (execution.current_failures, execution.status, events) == (2, S.IN_PROGRESS, [])


def test_failures_at_the_threshold_fail_the_execution_with_the_reason() -> None:
    execution, events = record_failures(running(1), failed(2), NOW)
    assert (execution.current_failures, execution.status) == (3, S.FAILED)
    assert execution.status_reason == "3 failures, failureThreshold is 3"
    assert [data_of(event)["to"] for event in events] == ["FAILED"]


def test_instance_that_fails_its_second_try_is_not_counted_again() -> None:
    assert record_failures(running(2), failed(2, attempts=2), NOW) == (running(2), [])


def test_instances_that_did_not_fail_are_not_counted() -> None:
    assert record_failures(running(2), [make_instance(status=I.COMPLETED, attempts=1)], NOW) == (running(2), [])


@pytest.mark.parametrize("status", [S.CANARY_RUNNING, S.PAUSED, S.CANCELLED, S.ROLLING_BACK])
def test_failures_outside_in_progress_are_counted_but_do_not_end_the_execution(status: ExecutionStatus) -> None:
    execution, events = record_failures(running(2, status), failed(1), NOW)
    assert (execution.current_failures, execution.status, events) == (3, status, [])


def test_failures_at_the_threshold_roll_back_where_that_is_enabled() -> None:
    request = make_request(failure_threshold=3, auto_rollback_enabled=True)
    execution, events = record_failures(make_execution(S.IN_PROGRESS, request=request), failed(3), NOW)
    assert execution.status is S.ROLLING_BACK
    assert execution.rollback.reason == "3 failures, failureThreshold is 3"
    assert execution.rollback.initiated_by == "system"
    assert [event.what.value for event in events] == ["status-changed", "rollback-started"]
