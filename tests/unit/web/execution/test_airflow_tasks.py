"""The tasks of the DAG run on the page: what was not reached is grey, and says so once the upgrade has ended."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.browser.screenshots.details import detail_of
from tests.browser.screenshots.stories import STORIES
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.web.view.execution.airflow_tasks import AirflowView, airflow_of

S = ExecutionStatus


def view(status: ExecutionStatus, tasks: Mapping[str, str | None]) -> AirflowView:
    detail = detail_of(replace(STORIES["running"], status=status))
    shown = airflow_of(replace(detail, run=RunView("7", "running", tasks=tasks, name="r")))
    assert shown is not None
    return shown


TASKS = {"admit": "success", "batch_001.upgrade": "running", "batch_002.upgrade": None, "verify": "upstream_failed"}


def test_tasks_to_come_are_grey_and_say_not_yet() -> None:
    groups = {each.name: each for each in view(S.IN_PROGRESS, TASKS).groups}
    style = groups["batch_002"].style
    assert (style.tone, style.words, groups["batch_002"].means) == ("idle", "Not yet", "In progress")
    assert [(each.words, each.css) for each in groups["batch_002"].tasks] == [("not yet", "none")]


def test_tasks_that_were_not_reached_are_grey_and_say_so() -> None:
    groups = {each.name: each for each in view(S.FAILED, TASKS).groups}
    assert [(each.words, each.css) for each in groups["batch_002"].tasks] == [("not reached", "none")]
    assert [(each.words, each.css) for each in groups["verify"].tasks] == [("upstream failed", "none")]
    assert {groups[each].style[:2] for each in ("batch_002", "verify")} == {("Not reached", "idle")}


def test_tasks_that_have_run_keep_their_colour_after_the_end() -> None:
    groups = {each.name: each for each in view(S.FAILED, TASKS).groups}
    assert [(each.words, each.css) for each in groups["admit"].tasks] == [("success", "success")]
    assert groups["admit"].style[:2] == ("Done", "good")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["success", "success"], ("Done", "good")),
        (["success", "skipped"], ("Done", "good")),
        (["success", None], ("Running", "busy")),
        (["success", "deferred"], ("Deferred", "busy")),
        (["success", "queued"], ("Waits to run", "busy")),
        (["success", "failed"], ("Failed", "bad")),
        (["awaiting_input", None], ("Waits for a person", "warn")),
        (["up_for_retry"], ("Tried again", "warn")),
        (["skipped", "skipped"], ("Skipped", "idle")),
        (["skipped", "upstream_failed"], ("Not reached", "idle")),
    ],
)
def test_group_says_what_has_come_of_its_tasks(states: list[str | None], expected: tuple[str, str]) -> None:
    tasks = {f"batch_001.{n}": state for n, state in enumerate(states)}
    (group,) = view(S.IN_PROGRESS, tasks).groups
    assert group.style[:2] == expected


def test_no_group_of_a_failed_upgrade_is_called_cancelled() -> None:
    groups = view(S.FAILED, TASKS | {"end": "failed"}).groups
    assert [each.style.words for each in groups if each.name == "end"] == ["Failed"]


def test_rollback_that_is_done_is_not_called_failed_although_its_last_task_makes_the_run_red() -> None:
    tasks = {"rollback.rolled_back": "failed", "rollback.confirm": "success", "rollback.revert": "success"}
    (group,) = view(S.ROLLED_BACK, tasks).groups
    assert group.style[:2] == ("Rolled back", "bad")
    assert [(each.name, each.words) for each in group.tasks] == [
        ("revert", "success"),
        ("confirm", "success"),
        ("rolled_back", "failed, so that the run is red"),
    ]


def test_rollback_that_failed_is_called_failed() -> None:
    tasks = {"rollback.revert": "success", "rollback.confirm": "failed", "rollback.rolled_back": "upstream_failed"}
    assert view(S.FAILED, tasks).groups[0].style[:2] == ("Failed", "bad")
