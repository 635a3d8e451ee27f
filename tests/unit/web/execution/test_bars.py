"""The progress bar: its parts are all instances, each in one part."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.browser.screenshots.details import detail_of
from tests.browser.screenshots.stories import STORIES
from tests.unit.domain.builders import NOW, make_execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.progress import Progress, Tally, progress_of
from upgrade_orchestrator.web.view.bars import bar_parts

I = InstanceStatus  # noqa: E741 - as in the domain's tables


def sizes(progress: Progress) -> dict[str, int]:
    return {each.words: each.size for each in bar_parts(progress) if each.size}


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("pending", {}),
        ("running", {"completed": 7, "in flight": 3}),
        ("failed", {"completed": 7, "failed": 3}),
        ("rolling-back", {"rolled back": 3, "completed": 2, "failed": 2, "in flight": 3}),
        ("rolled-back", {"rolled back": 10}),
        ("completed", {"completed": 20}),
    ],
)
def test_bar_shows_what_is_done_and_what_is_rolled_back(story: str, expected: dict[str, int]) -> None:
    assert sizes(detail_of(STORIES[story]).view.progress) == expected


def test_rollback_of_everything_leaves_nothing_completed_in_the_bar() -> None:
    progress = detail_of(STORIES["rolled-back"]).view.progress
    assert (progress.percentage, sizes(progress)) == (0, {"rolled back": 10})


_ROWS = st.lists(st.tuples(st.sampled_from(I), st.none() | st.sampled_from(I), st.integers(1, 9)), max_size=12)


@given(rows=_ROWS)
def test_parts_of_any_rows_follow_each_other_and_never_exceed_the_bar(
    rows: list[tuple[InstanceStatus, InstanceStatus | None, int]],
) -> None:
    known = [(status, None if status is I.PENDING else revert, number) for status, revert, number in rows]
    execution = replace(make_execution(ExecutionStatus.ROLLING_BACK), total_instances=99)
    progress = progress_of(execution, Tally.of(known, 1, 1), 60, NOW)
    parts, end = bar_parts(progress), 0
    for each in parts:
        assert (each.start, each.size >= 0) == (end, True)
        end += each.size
    assert end <= progress.total
