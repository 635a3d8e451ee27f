"""Forward and back: the same work, seen from two ways."""

from dataclasses import replace

import pytest

from tests.unit.domain.builders import NOW, after, make_instance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move
from upgrade_orchestrator.domain.plan.direction import ROLLBACK_BATCH, Direction

I, S = InstanceStatus, ExecutionStatus  # noqa: E741
FORWARD, BACKWARD = Direction.FORWARD, Direction.BACKWARD


def _row(status: InstanceStatus = I.COMPLETED, **fields: object) -> Instance:
    values: dict[str, object] = {"attempts": 1, "batch": 2, "started_at": NOW, "step_started_at": NOW}
    return make_instance("i-01", status, **(values | fields))


def _back(row: Instance, *steps: InstanceStatus) -> Instance:
    """The row after its job has taken these steps, each written and read again as a runner does."""
    for seconds, step in enumerate(steps, start=1):
        row = BACKWARD.row(row, move(BACKWARD.job(row), step, after(seconds)))
    return row


@pytest.mark.parametrize("status", list(S))
def test_each_direction_starts_only_in_its_own_statuses(status: ExecutionStatus) -> None:
    assert FORWARD.may_start(status) is (status in (S.IN_PROGRESS, S.CANARY_RUNNING))
    assert BACKWARD.may_start(status) is (status is S.ROLLING_BACK)


@pytest.mark.parametrize("status", list(S))
def test_pause_withdraws_nothing_and_every_other_stop_does(status: ExecutionStatus) -> None:
    assert FORWARD.withdrawn(status) is (status not in (S.IN_PROGRESS, S.CANARY_RUNNING, S.PAUSED))
    assert BACKWARD.withdrawn(status) is (status is not S.ROLLING_BACK)


def test_forward_job_is_the_row_itself() -> None:
    row = _row()
    assert FORWARD.job(row) is row
    assert FORWARD.row(_row(I.UPGRADING), row) is row


def test_backward_job_goes_to_the_instances_own_previous_version() -> None:
    job = BACKWARD.job(_row(error="old trouble", accepted_at=NOW, healthy_since=NOW, from_version="3.5.9"))
    assert (job.status, job.batch, job.attempts) == (I.PENDING, ROLLBACK_BATCH, 0)
    assert (job.from_version, job.to_version) == ("3.7.0", "3.5.9")
    assert (job.step_started_at, job.accepted_at, job.healthy_since, job.error) == (None, None, None, None)


def test_row_keeps_where_it_was_while_it_goes_back() -> None:
    row = _back(_row(), I.DRAINING)
    assert (row.status, row.revert, row.revert_attempts, row.attempts) == (I.COMPLETED, I.DRAINING, 1, 1)
    assert (row.from_version, row.to_version, row.batch) == ("3.6.0", "3.7.0", 2)
    assert row.in_flight


@pytest.mark.parametrize("status", [I.COMPLETED, I.HEALTH_CHECKING, I.UPGRADING, I.FAILED])
def test_touched_row_goes_all_the_way_back(status: InstanceStatus) -> None:
    row = _back(_row(status), I.DRAINING, I.UPGRADING, I.HEALTH_CHECKING, I.COMPLETED)
    assert (row.status, row.revert) == (I.ROLLED_BACK, I.COMPLETED)
    assert row.completed_at == after(4)
    assert not row.in_flight


def test_way_back_that_fails_is_tried_once_more_and_leaves_the_row_where_it_was() -> None:
    row = _back(_row(), I.DRAINING, I.UPGRADING, I.FAILED)
    assert (row.status, row.revert, BACKWARD.job(row).may_retry) == (I.COMPLETED, I.FAILED, True)
    row = _back(row, I.DRAINING, I.FAILED)
    assert (row.revert_attempts, BACKWARD.job(row).may_retry) == (2, False)


def test_written_job_reads_back_as_the_same_job() -> None:
    job = replace(move(BACKWARD.job(_row()), I.DRAINING, after(1)), accepted_at=after(2), healthy=False, error="e")
    assert BACKWARD.job(BACKWARD.row(_row(), job)) == replace(job, revert_attempts=1)


def test_way_back_withdrawn_before_it_touched_the_instance_leaves_no_trace_of_it() -> None:
    row = _back(_row(), I.DRAINING, I.PENDING)
    assert (row.status, row.revert) == (I.COMPLETED, None)


def test_rolled_back_row_is_not_rolled_back_again() -> None:
    row = _back(_row(), I.DRAINING, I.UPGRADING, I.HEALTH_CHECKING, I.COMPLETED)
    assert BACKWARD.row(row, BACKWARD.job(row)).status is I.ROLLED_BACK


def test_backward_jobs_are_the_touched_ones_newest_first() -> None:
    rows = [
        make_instance("old", I.COMPLETED, started_at=after(1)),
        make_instance("new", I.FAILED, started_at=after(9)),
        make_instance("untouched", I.PENDING),
        make_instance("drained again", I.DRAINING, started_at=after(5), attempts=2),
        make_instance("draining", I.DRAINING, started_at=after(7), attempts=1),
    ]
    assert [each.instance_id for each in BACKWARD.jobs(rows, S.ROLLING_BACK)] == ["new", "drained again", "old"]


def test_rollback_takes_over_what_is_being_upgraded() -> None:
    rows = [_row(I.UPGRADING), _row(I.HEALTH_CHECKING), _row(I.DRAINING), _row(I.PENDING), _row(I.COMPLETED)]
    assert [each.status for each in FORWARD.jobs(rows, S.ROLLING_BACK)] == [I.DRAINING, I.PENDING, I.COMPLETED]
    assert FORWARD.jobs(rows, S.CANCELLED) == rows


def test_forward_leaves_alone_what_is_on_its_way_back() -> None:
    assert FORWARD.jobs([_back(_row(), I.DRAINING)], S.ROLLING_BACK) == []
