"""Which task works on a batch."""

import pytest

from upgrade_orchestrator.domain.airflow.batch_tasks import first_batches, task_of_batch
from upgrade_orchestrator.domain.plan.plan import BatchKind

RUN = ["validate.health_endpoints", "canary.deploy", "batch_1002.upgrade", "batch_002.upgrade", "batch_102.upgrade"]


def test_first_batches_are_those_of_the_batch_groups_in_order() -> None:
    assert first_batches(RUN) == [2, 102, 1002]
    assert first_batches(["batch_x.upgrade", "batches", "end"]) == []


@pytest.mark.parametrize(
    ("number", "task"),
    [(2, "batch_002"), (101, "batch_002"), (102, "batch_102"), (1001, "batch_102"), (1002, "batch_1002")],
)
def test_task_of_a_batch_is_that_of_the_group_in_which_it_is(number: int, task: str) -> None:
    assert task_of_batch(BatchKind.BATCH, number, first_batches(RUN)) == f"{task}.upgrade"


def test_task_of_a_batch_without_a_run_is_that_of_its_own_group() -> None:
    assert task_of_batch(BatchKind.BATCH, 7) == "batch_007.upgrade"
    assert task_of_batch(BatchKind.ALL, 1) == "batch_001.upgrade"


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        (BatchKind.CANARY, "canary.deploy"),
        (BatchKind.GREEN, "green.provision"),
        (BatchKind.STAGE, "stage_01.upgrade"),
    ],
)
def test_other_kinds_have_tasks_of_their_own(kind: BatchKind, task: str) -> None:
    assert task_of_batch(kind, 1, first_batches(RUN)) == task
