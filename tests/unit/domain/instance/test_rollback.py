"""Which instances a rollback reverts, and in which order (specification section 4)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.builders import after, make_instance, name
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.rollback import reverted as _reverted
from upgrade_orchestrator.domain.instance.rollback import rows_of_rollback, to_revert

I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best


def begun(index: int, seconds: float | None, status: InstanceStatus = I.COMPLETED, batch: int = 1) -> Instance:
    started = None if seconds is None else after(seconds)
    attempts = 0 if seconds is None else 1
    return make_instance(name(index), status, batch=batch, position=index, started_at=started, attempts=attempts)


def reverted(rows: list[Instance]) -> tuple[str, ...]:
    return tuple(each.instance_id for each in to_revert(rows))


def after_rollback(row: Instance, back: Instance) -> Instance:
    return _reverted(row, back, after(9))


@pytest.mark.parametrize("status", [I.COMPLETED, I.HEALTH_CHECKING, I.UPGRADING, I.FAILED])
def test_rollback_reverts_touched_instance(status: InstanceStatus) -> None:
    assert reverted([begun(0, 1, status)]) == ("i-00",)


@pytest.mark.parametrize("status", [I.PENDING, I.DRAINING, I.ROLLED_BACK])
def test_rollback_does_not_change_an_untouched_instance(status: InstanceStatus) -> None:
    assert reverted([begun(0, 1, status)]) == ()


def test_rollback_reverts_instance_draining_for_its_second_try() -> None:
    """Its first try may have left it at the target version: undrained only, it would stay there."""
    second = make_instance("i-00", I.DRAINING, attempts=2, started_at=after(1))
    assert reverted([second]) == ("i-00",)


def test_rollback_is_newest_first_by_the_start_of_the_work() -> None:
    """Within a batch an unhealthy instance may have been begun before a healthy one in front of it."""
    instances = [begun(0, 30), begun(1, 10), begun(2, 20), begun(3, 90, batch=2)]
    assert reverted(instances) == ("i-03", "i-00", "i-02", "i-01")


def test_rollback_falls_back_on_the_plans_order_when_begun_together() -> None:
    instances = [begun(0, 10), begun(1, 10), begun(2, 10, batch=2)]
    assert reverted(instances) == ("i-02", "i-01", "i-00")


@given(st.lists(st.tuples(st.sampled_from(I), st.integers(0, 50)), max_size=20))
def test_rollback_includes_every_touched_instance_once_and_no_other(rows: list[tuple[InstanceStatus, int]]) -> None:
    instances = [begun(index, seconds, status) for index, (status, seconds) in enumerate(rows)]
    touched = {"COMPLETED", "HEALTH_CHECKING", "UPGRADING", "FAILED"}
    assert sorted(reverted(instances)) == sorted(e.instance_id for e in instances if e.status.value in touched)


def test_rollback_puts_an_instance_whose_start_is_unknown_last() -> None:
    assert reverted([begun(0, None), begun(1, 5)]) == ("i-01", "i-00")


def test_rollback_row_targets_the_instances_own_previous_version() -> None:
    rows = [begun(0, 1), begun(1, 2, I.FAILED), begun(2, 3, I.PENDING)]
    made = rows_of_rollback(rows, known=())
    assert [(each.instance_id, each.position) for each in made] == [("i-01", 0), ("i-00", 1)]
    assert {(each.batch, each.status, each.from_version, each.to_version) for each in made} == {
        (ROLLBACK_BATCH, I.PENDING, "3.7.0", "3.6.0")
    }


def test_instance_with_a_rollback_row_gets_no_second_one() -> None:
    rows = [begun(0, 1), begun(1, 2)]
    assert [each.instance_id for each in rows_of_rollback(rows, known={"i-01"})] == ["i-00"]


@pytest.mark.parametrize("status", [I.DRAINING, I.UPGRADING, I.HEALTH_CHECKING, I.FAILED])
def test_instance_keeps_its_status_until_its_rollback_is_completed(status: InstanceStatus) -> None:
    back = make_instance("i-00", status, batch=ROLLBACK_BATCH, healthy=False, error="e")
    row = after_rollback(begun(0, 1, I.UPGRADING), back)
    assert (row.status, row.revert, row.healthy, row.error) == (I.UPGRADING, status, False, "e")


def test_instance_is_rolled_back_once_its_rollback_is_completed() -> None:
    row = after_rollback(begun(0, 1), make_instance("i-00", I.COMPLETED, batch=ROLLBACK_BATCH, healthy=True))
    assert (row.status, row.revert, row.completed_at, row.healthy) == (I.ROLLED_BACK, I.COMPLETED, after(9), True)


def test_instance_whose_rollback_was_withdrawn_keeps_its_status() -> None:
    row = after_rollback(begun(0, 1), make_instance("i-00", I.PENDING, batch=ROLLBACK_BATCH))
    assert (row.status, row.revert) == (I.COMPLETED, None)


def test_instance_whose_previous_version_is_unknown_gets_no_rollback_row() -> None:
    rows = [replace(begun(0, 1), from_version=None), begun(1, 2)]
    assert [each.instance_id for each in rows_of_rollback(rows, known=())] == ["i-01"]
    assert reverted(rows) == ("i-01",)
