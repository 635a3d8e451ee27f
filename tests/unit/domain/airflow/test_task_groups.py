"""The status of a task group follows from the same rule as the reconciler's."""

import pytest

from upgrade_orchestrator.domain.airflow.task_groups import task_groups
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus
CANARY = (
    *("validate.health_endpoints", "validate.dependency_check", "admit", "canary.deploy", "canary.monitor"),
    *("batch_002.upgrade", "batch_010.upgrade", "verify", "outcome", "complete", "rollback.revert"),
    *("rollback.confirm", "end"),
)


def test_task_groups_are_listed_in_the_order_in_which_they_run() -> None:
    found = task_groups(dict.fromkeys(reversed(CANARY)))
    assert [each.name for each in found] == [
        *("validate", "admit", "canary", "batch_002", "batch_010", "verify", "outcome", "complete", "rollback", "end")
    ]
    assert set(found[0].tasks) == {"validate.health_endpoints", "validate.dependency_check"}


def test_groups_with_more_digits_are_listed_by_their_number() -> None:
    names = ["stage_09", "stage_10", "stage_11", "stage_100"]
    assert [each.name for each in task_groups({f"{name}.upgrade": None for name in reversed(names)})] == names
    names = ["batch_001", "batch_950", "batch_1001", "batch_10000"]
    assert [each.name for each in task_groups({f"{name}.upgrade": None for name in reversed(names)})] == names


@pytest.mark.parametrize(
    ("group", "means"),
    [
        ("validate", S.VALIDATING),
        ("canary", S.CANARY_RUNNING),
        ("batch_002", S.IN_PROGRESS),
        ("verify", S.IN_PROGRESS),
        ("complete", S.COMPLETED),
        ("rollback", S.ROLLING_BACK),
        ("end", S.CANCELLED),
    ],
)
def test_task_group_shows_the_status_of_its_step(group: str, means: ExecutionStatus) -> None:
    assert {each.name: each.means for each in task_groups(dict.fromkeys(CANARY))}[group] is means


def test_task_states_do_not_change_the_status_that_a_group_shows() -> None:
    failed = dict.fromkeys(CANARY, "failed")
    found = task_groups(failed)
    assert found[2].tasks == {"canary.deploy": "failed", "canary.monitor": "failed"}
    assert [each.means for each in found] == [each.means for each in task_groups(dict.fromkeys(CANARY))]


def test_unknown_task_is_listed_after_the_known_ones() -> None:
    assert [each.name for each in task_groups({"surprise": None, "end": None})] == ["end", "surprise"]


def test_run_without_tasks_has_no_groups() -> None:
    assert task_groups({}) == []
