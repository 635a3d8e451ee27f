"""The batches and tiles of a page: what is counted in which direction, and what the next batch waits for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.browser.screenshots.details import Story, ago, detail_of
from tests.browser.screenshots.stories import STORIES
from tests.unit.domain.builders import NOW, after, make_instance
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.web.view.execution.batches import BatchOfTiles, Waiting, batches_of
from upgrade_orchestrator.web.view.execution.tiles import style_of_tile, versions_of

I, S = InstanceStatus, ExecutionStatus  # noqa: E741 - as in the domain's tables


def shown(story: Story | str, **row: Any) -> list[BatchOfTiles]:
    """The batches of a story; ``row`` changes the first batch that has not ended."""
    detail = detail_of(STORIES[story] if isinstance(story, str) else story)
    return batches_of(_with(detail, row), ago(15))


def _with(detail: ExecutionDetail, row: dict[str, Any]) -> ExecutionDetail:
    number = next((each.number for each in detail.batches if each.completed_at is None), 0)
    rows = [replace(each, **row) if each.number == number else each for each in detail.batches]
    return replace(detail, batches=rows)


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("running", ["5 of 5 completed", "2 of 5 completed", "0 of 5 completed", "0 of 5 completed"]),
        ("failed", ["5 of 5 completed", "2 of 5 completed, 3 failed", "not reached", "not reached"]),
        ("rolling-back", ["1 of 5 rolled back", "2 of 5 rolled back, 1 failed", *["nothing to roll back"] * 2]),
        ("rolled-back", ["5 of 5 rolled back", "5 of 5 rolled back", *["nothing to roll back"] * 2]),
        ("one-by-one", [""] * 12),
    ],
)
def test_batch_counts_in_the_direction_of_the_upgrade(story: str, expected: Sequence[str]) -> None:
    assert [each.counted for each in shown(story)] == expected


@pytest.mark.parametrize(
    ("story", "number", "expected"),
    [
        ("promotion", 2, Waiting("waiting for promotion", ago(15))),
        ("unhealthy-canary", 2, Waiting("waiting for promotion", ago(15))),
        ("approval", 2, Waiting("waiting for an approval", ago(9))),
        ("paused", 3, Waiting("paused", ago(7))),
    ],
)
def test_next_batch_says_what_it_waits_for_and_since_when(story: str, number: int, expected: Waiting) -> None:
    assert {each.number: each.waiting for each in shown(story) if each.waiting} == {number: expected}


@pytest.mark.parametrize("story", ["pending", "running", "failed", "rolling-back", "rolled-back", "completed"])
def test_no_batch_waits_while_one_is_worked_on_or_none_is_to_come(story: str) -> None:
    assert not [each for each in shown(story) if each.waiting]


BETWEEN = replace(STORIES["running"], states=[I.COMPLETED] * 10 + [I.PENDING] * 10)


def test_batch_that_is_not_due_yet_says_when_it_starts() -> None:
    assert shown(BETWEEN, due_at=after(50))[2].waiting == Waiting("starts", until=after(50))


def test_batch_that_is_due_says_that_airflow_has_to_run_its_task() -> None:
    assert shown(BETWEEN, due_at=ago(1))[2].waiting == Waiting("waiting for Airflow to run its task", ago(1))


def test_batch_without_budget_says_so_and_since_when() -> None:
    (waits,) = [each.waiting for each in shown("running", blocked_seconds=90.0) if each.waiting]
    assert waits == Waiting("waiting for budget, other instances are unavailable,", ago(1.5))


def test_batch_that_cannot_reach_the_fleet_points_to_what_needs_attention() -> None:
    held = replace(STORIES["running"], fields={"attention": Attention("FLEET_UNREACHABLE", NOW, "no answer", 9)})
    (waits,) = [each.waiting for each in shown(held, blocked_seconds=60.0) if each.waiting]
    assert waits == Waiting("held up, see what needs attention,", ago(1))


def test_batches_of_one_to_four_stand_side_by_side() -> None:
    assert {each.size for each in shown("one-by-one")} == {"of-1"}
    assert [each.size for each in shown("promotion")] == ["of-2", "wide", "wide", "wide", "of-3"]


def test_batch_says_how_long_it_took_once_it_has_ended() -> None:
    first, second, *_ = shown("running")
    assert first.lasted is not None
    assert (first.lasted.total_seconds(), second.lasted) == (82, None)


@pytest.mark.parametrize(
    ("instance", "ended", "words", "tone", "versions"),
    [
        (make_instance(status=I.PENDING), False, "Pending", "idle", "3.6.0"),
        (make_instance(status=I.PENDING), True, "Not reached", "idle", "3.6.0"),
        (make_instance(status=I.UPGRADING), False, "Upgrading", "busy", "3.6.0 → 3.7.0"),
        (make_instance(status=I.COMPLETED), False, "Completed", "good", "3.7.0"),
        (make_instance(status=I.COMPLETED, revert=I.UPGRADING), False, "Rolling back", "back", "3.7.0 → 3.6.0"),
        (make_instance(status=I.FAILED, revert=I.DRAINING), False, "Rolling back", "back", "3.7.0 → 3.6.0"),
        (make_instance(status=I.COMPLETED, revert=I.FAILED), True, "Rollback failed", "bad", "3.7.0"),
        (make_instance(status=I.ROLLED_BACK, revert=I.COMPLETED), True, "Rolled back", "back", "3.6.0"),
        (make_instance(status=I.COMPLETED, revert=I.UPGRADING, gone=True), True, "Completed, gone", "warn", "3.7.0"),
    ],
)
def test_tile_says_in_which_direction_the_instance_goes(
    instance: Instance, ended: bool, words: str, tone: str, versions: str
) -> None:
    style = style_of_tile(instance, ended)
    assert (style.words, style.tone, versions_of(instance)) == (words, tone, versions)
