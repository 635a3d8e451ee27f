"""What the steps between two pools write: counters, status, rows and events."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.domain.builders import NOW, make_execution, make_instance, make_request
from upgrade_orchestrator.domain.blue_green.actions import (
    Change,
    GiveUp,
    GoalReached,
    MarkRolledBack,
    RecordUnhealthy,
    SaveBatch,
)
from upgrade_orchestrator.domain.blue_green.changes import record_cutover, record_revert
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
BATCH = Batch(1, "GREEN")
UP = [make_instance("i-00", I.COMPLETED, attempts=1, healthy=True), make_instance("i-01", I.COMPLETED, attempts=1)]
ILL = RecordUnhealthy(BATCH, {"i-00": "g-00: out of memory"})


def execution(status: ExecutionStatus = S.IN_PROGRESS, **fields: Any) -> Execution:
    return make_execution(status, request=make_request(**({"failure_threshold": 2} | fields)))


def test_unhealthy_instance_counts_as_one_failure_and_its_row_keeps_the_error() -> None:
    first = record_cutover(ILL, execution(), UP, NOW)
    assert (first.execution.current_failures, first.execution.status) == (1, S.IN_PROGRESS)
    (row,) = first.rows
    assert (row.healthy, row.error, row.last_health_at) == (False, "g-00: out of memory", NOW)
    again = record_cutover(ILL, first.execution, [row, UP[1]], NOW)
    assert (again.execution.current_failures, again.events) == (1, [])
    well = record_cutover(SaveBatch(replace(BATCH, phase=Phase.RETIRE)), again.execution, [row, UP[1]], NOW)
    assert [(each.healthy, each.error) for each in well.rows] == [(True, "g-00: out of memory")]


def test_instance_that_had_its_second_try_is_not_counted_again() -> None:
    rows = [replace(UP[0], attempts=2)]
    assert record_cutover(ILL, execution(), rows, NOW).execution.current_failures == 0


@pytest.mark.parametrize(("back", "status", "phase"), [(False, S.FAILED, "SOAK"), (True, S.ROLLING_BACK, None)])
def test_failures_at_the_threshold_end_the_soak(back: bool, status: ExecutionStatus, phase: str | None) -> None:
    found = record_cutover(ILL, execution(failure_threshold=1, auto_rollback_enabled=back), UP, NOW).execution
    assert (found.status, found.failure_phase) == (status, phase)
    assert "g-00: out of memory" in found.status_reason


def test_soak_without_time_left_ends_even_below_the_threshold() -> None:
    found = record_cutover(replace(ILL, too_late="no time left"), execution(), UP, NOW).execution
    assert (found.status, found.failure_phase, found.status_reason) == (S.FAILED, "SOAK", "no time left")


@pytest.mark.parametrize(
    ("phase", "back", "status"),
    [("CHECK", False, S.FAILED), ("CHECK", True, S.ROLLING_BACK), ("RETIRE", True, S.FAILED)],
)
def test_given_up_cutover_rolls_back_where_enabled_unless_the_new_pool_has_soaked(
    phase: str, back: bool, status: ExecutionStatus
) -> None:
    found = record_cutover(GiveUp(phase, "why"), execution(auto_rollback_enabled=back), UP, NOW)
    assert found.execution.status is status
    assert found.execution.failure_phase == (phase if status is S.FAILED else None)
    assert found.events


def test_rows_become_rolled_back_unless_no_upgrade_was_ordered_for_them() -> None:
    rows = [
        make_instance("i-00", I.COMPLETED, attempts=1),
        make_instance("i-01", I.UPGRADING, attempts=1),
        make_instance("i-02", I.DRAINING, attempts=1),
        make_instance("i-03", I.DRAINING, attempts=2),
        make_instance("i-04"),
        make_instance("i-05", I.ROLLED_BACK, attempts=1),
    ]
    found = record_revert(MarkRolledBack({"i-00": False}), execution(S.ROLLING_BACK), rows, NOW)
    assert {each.instance_id: each.status for each in found.rows} == {
        "i-00": I.ROLLED_BACK,
        "i-01": I.ROLLED_BACK,
        "i-02": I.PENDING,
        "i-03": I.ROLLED_BACK,
    }
    assert [each.healthy for each in found.rows][:2] == [False, True]
    assert not any(each.in_flight for each in found.rows)
    assert len(found.events) == 5  # one each, and the progress


def test_rollback_given_up_leaves_every_touched_row_with_the_reason_and_nothing_in_flight() -> None:
    rows = [*UP, make_instance("i-02", I.UPGRADING), make_instance("i-03")]
    found = record_revert(GiveUp("ROLLBACK", "blue did not come up"), execution(S.ROLLING_BACK), rows, NOW)
    assert {each.instance_id for each in found.rows} == {"i-00", "i-01", "i-02"}
    assert {(each.revert, each.error, each.in_flight) for each in found.rows} == {
        (I.FAILED, "blue did not come up", False)
    }


def test_given_up_end_of_a_cancelled_upgrade_fails_only_instances_in_flight() -> None:
    rows = [*UP, make_instance("i-02", I.UPGRADING)]
    found = record_revert(GiveUp("ROLLBACK", "no answer"), execution(S.CANCELLED), rows, NOW)
    assert [(each.instance_id, each.status, each.error) for each in found.rows] == [("i-02", I.FAILED, "no answer")]


def test_reached_goal_writes_no_change() -> None:
    assert record_cutover(GoalReached(), execution(), UP, NOW) == Change(execution())
    assert record_revert(GoalReached(), execution(), UP, NOW) == Change(execution())
