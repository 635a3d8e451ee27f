"""The progress of an execution and its estimated end."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.unit.domain.builders import NOW, after, make_execution, make_instance, name
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.progress import Progress, Tally, progress_of

I, S = InstanceStatus, ExecutionStatus  # noqa: E741
RUNNING = make_execution(S.IN_PROGRESS, started_at=NOW)


def _rows(completed: int, total: int = 20) -> list[Instance]:
    return [make_instance(name(each), I.COMPLETED if each < completed else I.PENDING) for each in range(total)]


def _tally(rows: list[Instance]) -> Tally:
    """As the database groups them."""
    groups = Counter((each.status, each.revert) for each in rows)
    return Tally.of([(*group, count) for group, count in groups.items()], 2, 3)


def _progress(completed: int, seconds: float, **fields: object) -> Progress:
    execution = replace(RUNNING, **fields)  # type: ignore[arg-type]
    return progress_of(execution, _tally(_rows(completed)), 600, after(seconds))


def test_every_status_is_counted_once() -> None:
    statuses = [*I, I.COMPLETED]
    rows = [make_instance(name(each), status) for each, status in enumerate(statuses)]
    found = progress_of(RUNNING, _tally(rows), 0, NOW)
    assert (found.total, found.pending, found.in_flight, found.completed, found.failed, found.rolled_back) == (
        8,
        1,
        3,
        2,
        1,
        1,
    )
    assert found.percentage == 25


def test_instance_in_a_rollback_is_in_flight() -> None:
    rows = [make_instance("a", I.COMPLETED, revert=I.UPGRADING), make_instance("b", I.COMPLETED)]
    assert progress_of(RUNNING, _tally(rows), 0, NOW).in_flight == 1


@pytest.mark.parametrize(("completed", "percentage"), [(0, 0), (1, 5), (19, 95), (20, 100)])
def test_percentage_is_of_completed_instances(completed: int, percentage: int) -> None:
    assert _progress(completed, 1).percentage == percentage


def test_percentage_is_rounded_down_so_that_100_means_all_instances() -> None:
    assert progress_of(RUNNING, _tally(_rows(199, 200)), 0, NOW).percentage == 99


def test_progress_of_an_empty_plan_is_no_division_by_zero() -> None:
    assert progress_of(RUNNING, _tally([]), 0, NOW).percentage == 0


def test_progress_shows_the_counted_batches() -> None:
    found = progress_of(RUNNING, _tally(_rows(0)), 0, NOW)
    assert (found.current_batch, found.total_batches) == (2, 3)


def test_estimate_follows_the_plan_until_a_tenth_is_done() -> None:
    assert _progress(1, 50).estimated_completion_at == after(600)
    assert _progress(1, 700).estimated_completion_at == after(600)  # late: that can be seen, and by how much


def test_estimate_is_unknown_while_something_keeps_the_upgrade_from_going_on() -> None:
    stuck = replace(RUNNING, attention=Attention("TRIGGERER_DOWN", NOW, "no heartbeat", 3))
    for completed, seconds in ((1, 50), (1, 700), (10, 100)):
        assert progress_of(stuck, _tally(_rows(completed)), 600, after(seconds)).estimated_completion_at is None


def test_estimate_then_follows_the_pace_so_far() -> None:
    assert _progress(10, 100).estimated_completion_at == after(200)
    assert _progress(20, 100).estimated_completion_at == after(100)


def test_estimate_leaves_pauses_out_of_the_pace() -> None:
    assert _progress(10, 150, paused_seconds=50.0).estimated_completion_at == after(250)
    assert _progress(1, 50, paused_seconds=30.0).estimated_completion_at == after(630)


@pytest.mark.parametrize(
    "fields", [{"started_at": None}, {"paused_at": NOW}, {"status": S.COMPLETED}, {"status": S.CANCELLED}]
)
def test_estimate_is_none_before_the_start_in_a_pause_and_after_the_end(fields: dict[str, object]) -> None:
    assert _progress(10, 100, **fields).estimated_completion_at is None
