"""The steps of an upgrade: which are done, which is the present one, and where it ended."""

from dataclasses import replace

import pytest

from tests.browser.screenshots.details import detail_of
from tests.browser.screenshots.stories import STORIES
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Phase
from upgrade_orchestrator.web.view.execution.steps import steps_of

I, S = InstanceStatus, ExecutionStatus  # noqa: E741 - as in the domain's tables


def said(name: str) -> list[tuple[str, str]]:
    return [(each.name, each.style.words) for each in steps_of(detail_of(STORIES[name]))]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("pending", ["Checks: to come", "Batches 1 to 4 (0 ended): to come", "Verification: to come"]),
        ("running", ["Checks: done", "Batches 1 to 4 (1 ended): now", "Verification: to come"]),
        ("completed", ["Checks: done", "Batches 1 to 4 (4 ended): done", "Verification: done"]),
        ("failed", ["Checks: done", "Batches 1 to 4 (2 ended): ended here", "Verification: not reached"]),
        (
            "rolling-back",
            ["Checks: done", "Batches 1 to 4 (2 ended): ended here", "Verification: not reached", "Rollback: now"],
        ),
        (
            "rolled-back",
            ["Checks: done", "Batches 1 to 4 (2 ended): ended here", "Verification: not reached", "Rollback: done"],
        ),
        (
            "promotion",
            [
                *("Checks: done", "Canary: done", "Monitoring and promotion: now"),
                *("Batches 2 to 5 (0 ended): to come", "Verification: to come"),
            ],
        ),
        (
            "approval",
            [
                *("Checks: done", "Stage 1: done", "Approval and stage 2: now"),
                *("Approval and stage 3: to come", "Verification: to come"),
            ],
        ),
    ],
)
def test_steps_say_where_the_upgrade_is(story: str, expected: list[str]) -> None:
    assert [f"{name}: {words}" for name, words in said(story)] == expected


def test_upgrade_that_ended_in_its_checks_has_reached_no_batch() -> None:
    failed = replace(STORIES["failed"], states=[I.PENDING] * 4, errors={})
    assert [each.style.words for each in steps_of(detail_of(failed))] == ["ended here", "not reached", "not reached"]


def test_rollback_that_failed_is_where_it_ended() -> None:
    ended = replace(STORIES["rolling-back"], status=S.FAILED)
    assert steps_of(detail_of(ended))[-1].style.words == "ended here"


@pytest.mark.parametrize(
    ("phase", "present"),
    [
        (Phase.CHECK, "New pool"),
        (Phase.SWITCH, "Switch traffic"),
        (Phase.SOAK, "Soak"),
        (Phase.RETIRE, "Retire"),
        (Phase.DONE, "Verification"),
    ],
)
def test_new_pool_is_checked_switched_to_and_soaked(phase: Phase, present: str) -> None:
    story = replace(STORIES["running"], request={"strategy": Strategy.BLUE_GREEN})
    detail = detail_of(story)
    detail = replace(detail, batches=[replace(each, phase=phase) for each in detail.batches])
    assert [each.name for each in steps_of(detail) if each.style.words == "now"] == [present]


def test_many_stages_are_one_step() -> None:
    staged = replace(STORIES["approval"], request={"strategy": Strategy.STAGED, "batch_size": 2})
    assert [each.name for each in steps_of(detail_of(staged))][1] == "Stages 1 to 10 (2 ended)"
