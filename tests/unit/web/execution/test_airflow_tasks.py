"""The tasks of the DAG run on the page: what was not reached is grey, and says so once the upgrade has ended."""

from collections.abc import Mapping
from dataclasses import replace

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


def test_tasks_to_come_are_grey_with_the_status_that_they_will_mean() -> None:
    groups = {each.name: each for each in view(S.IN_PROGRESS, TASKS).groups}
    style = groups["batch_002"].style
    assert style is not None
    assert (style.tone, style.words) == ("idle", "In progress")
    assert [(each.words, each.css) for each in groups["batch_002"].tasks] == [("not yet", "none")]


def test_tasks_that_were_not_reached_say_so_without_a_status() -> None:
    groups = {each.name: each for each in view(S.FAILED, TASKS).groups}
    assert [(each.words, each.css) for each in groups["batch_002"].tasks] == [("not reached", "none")]
    assert [(each.words, each.css) for each in groups["verify"].tasks] == [("upstream failed", "none")]
    assert (groups["batch_002"].style, groups["verify"].style) == (None, None)


def test_tasks_that_have_run_keep_their_colour_after_the_end() -> None:
    groups = {each.name: each for each in view(S.FAILED, TASKS).groups}
    assert [(each.words, each.css) for each in groups["admit"].tasks] == [("success", "success")]
    assert groups["admit"].style is not None
