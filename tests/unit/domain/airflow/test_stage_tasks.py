"""How an answer that Airflow stores is read."""

from typing import Any

import pytest

from tests.unit.domain.builders import NOW
from upgrade_orchestrator.domain.airflow.stage_tasks import answer_given, approve_task
from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.execution.commands import Decision

ANNA = {"id": "7", "name": "anna"}


@pytest.mark.parametrize(("stage", "task"), [(2, "stage_02.approve"), (117, "stage_117.approve")])
def test_approval_task_is_named_after_its_stage(stage: int, task: str) -> None:
    assert approve_task(stage) == task


@pytest.mark.parametrize(("options", "choice"), [(["Approve"], Decision.APPROVED), (["Reject"], Decision.REJECTED)])
def test_answer_in_the_ui_has_user_time_and_reason(options: list[str], choice: Decision) -> None:
    assert answer_given(ANNA, NOW, options, {"reason": "looks well"}) == Answer(choice, "anna", "7", NOW, "looks well")


@pytest.mark.parametrize("options", [None, [], ["Approve", "Reject"], ["approve"]])
def test_only_the_approve_option_approves(options: list[str] | None) -> None:
    given = answer_given(ANNA, NOW, options, None)
    assert given is not None
    assert given.choice is Decision.REJECTED


@pytest.mark.parametrize("user", [None, {}])
def test_answer_without_a_user_is_ignored(user: dict[str, str] | None) -> None:
    assert answer_given(user, NOW, ["Approve"], {}) is None


@pytest.mark.parametrize(
    ("form", "reason"),
    [(None, None), ({}, None), ({"reason": None}, None), ({"reason": ""}, None), ({"reason": 7}, "7")]
    + [({"reason": "a\x00b"}, "ab"), ({"reason": "x" * 2000}, "x" * 1000)],
)
def test_reason_is_cleaned_and_shortened_to_be_stored(form: dict[str, Any] | None, reason: str | None) -> None:
    given = answer_given(ANNA, NOW, ["Approve"], form)
    assert given is not None
    assert given.reason == reason
