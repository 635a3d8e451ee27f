"""The approval of a stage: who may decide what and when, and the state of a stage."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.domain.builders import NOW, after, make_execution, planned
from upgrade_orchestrator.domain.approval.approval import (
    Answer,
    Approval,
    StageState,
    answer,
    ask,
    decidable,
    decide,
    discard_answer,
    needs_approval,
    require_stage,
    state_of_stage,
    waiting,
)
from upgrade_orchestrator.domain.errors import Forbidden, InvalidState, NotFound
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.commands import Actor, Decision, Source
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.batch import Batch

S = ExecutionStatus
YES, NO = Decision.APPROVED, Decision.REJECTED
ANNA, OLGA = Actor("anna", Source.UI), Actor("olga")
STAGED = planned(6, strategy=Strategy.STAGED, batch_size=2)
BUSY, DONE = Batch(1, "STAGE"), Batch(1, "STAGE", completed_at=NOW)
GIVEN = Answer(YES, "anna", "7", after(5), "looks well")


def _asked(**fields: Any) -> Approval:
    approval, _ = ask(_running(), 2, NOW)
    return replace(approval, **fields)


def _running(status: ExecutionStatus = S.IN_PROGRESS) -> Execution:
    return make_execution(status, created_by="olga")


def _decidable(approvals: list[Approval], wanted: Decision = YES, actor: Actor = ANNA, **more: Any) -> Approval:
    usual: dict[str, Any] = {"execution": _running(), "stage": 2, "four_eyes": True}
    return decidable(approvals=approvals, wanted=wanted, actor=actor, **(usual | more))


@pytest.mark.parametrize(("number", "needs"), [(0, False), (1, False), (2, True), (3, True)])
def test_every_stage_but_the_first_needs_an_approval(number: int, needs: bool) -> None:
    assert needs_approval(STAGED, number) is needs


@pytest.mark.parametrize("strategy", [each for each in Strategy if each is not Strategy.STAGED])
def test_other_strategies_need_no_approval_and_have_no_stages(strategy: Strategy) -> None:
    plan = planned(6, strategy=strategy, batch_size=2)
    assert not needs_approval(plan, 2)
    with pytest.raises(NotFound):
        require_stage(plan, "e-1", 1)


@pytest.mark.parametrize("stage", [0, 4])
def test_stage_beyond_the_plan_is_not_found(stage: int) -> None:
    require_stage(STAGED, "e-1", 3)
    with pytest.raises(NotFound, match=f"no stage {stage}"):
        require_stage(STAGED, "e-1", stage)


def test_approval_request_and_its_event_carry_the_plan_hash() -> None:
    approval, event = ask(_running(), 2, NOW)
    assert (approval.plan_hash, approval.requested_at, approval.decision) == ("0" * 64, NOW, None)
    assert (event.what, data_of(event)) == (EventType.APPROVAL_REQUESTED, {"stage": 2, "planHash": "0" * 64})


@pytest.mark.parametrize(
    ("status", "before", "fields", "state"),
    [
        (S.IN_PROGRESS, BUSY, None, StageState.EARLY),
        (S.IN_PROGRESS, DONE, None, StageState.ASKED),
        (S.PAUSED, DONE, {}, StageState.ASKED),
        (S.IN_PROGRESS, DONE, {"answer": YES}, StageState.ANSWERED),
        (S.IN_PROGRESS, DONE, {"decision": YES}, StageState.APPROVED),
        (S.PAUSED, DONE, {"decision": YES}, StageState.APPROVED),
        (S.IN_PROGRESS, DONE, {"decision": YES, "plan_hash": "f" * 64}, StageState.ASKED),
        (S.ROLLING_BACK, DONE, {"decision": NO}, StageState.OVER),
        (S.CANCELLED, DONE, {}, StageState.OVER),
        (S.FAILED, BUSY, None, StageState.OVER),
        (S.CANCELLED, DONE, {"decision": YES}, StageState.OVER),
    ],
)
def test_stage_state_follows_from_its_approval(
    status: ExecutionStatus, before: Batch, fields: dict[str, Any] | None, state: StageState
) -> None:
    approval = None if fields is None else _asked(**fields)
    assert state_of_stage(_running(status), approval, before) is state


def test_first_answer_waits_to_be_checked_and_a_second_changes_nothing() -> None:
    kept = answer(_asked(refused="olga: four eyes", answered_at=after(1)), GIVEN)
    assert (kept.answer, kept.answered_by, kept.answered_by_id) == (YES, "anna", "7")
    assert (kept.answer_reason, kept.answered_at, kept.refused, kept.decision) == ("looks well", after(5), None, None)
    assert answer(kept, Answer(NO, "bert", "8", after(6))) == kept


def test_answer_after_the_decision_changes_nothing() -> None:
    decided = _asked(decision=NO)
    assert answer(decided, GIVEN) == decided


def test_refused_answer_reopens_the_approval_with_the_reason() -> None:
    asked = _asked()
    refused = discard_answer(answer(asked, GIVEN), "lacks the permission")
    assert refused == replace(asked, refused="anna: lacks the permission", answered_at=after(5))


def test_refused_answer_is_ignored_when_repeated_and_the_next_one_counts() -> None:
    refused = discard_answer(answer(_asked(), GIVEN), "lacks the permission")
    rounded = replace(GIVEN, at=GIVEN.at + timedelta(microseconds=1))
    assert answer(refused, GIVEN) == answer(refused, rounded) == refused
    assert answer(refused, replace(GIVEN, at=after(6))).answer is YES


@pytest.mark.parametrize("wanted", [YES, NO])
@pytest.mark.parametrize("status", [each for each in S if each is not S.IN_PROGRESS])
def test_stage_cannot_be_decided_in_another_status(status: ExecutionStatus, wanted: Decision) -> None:
    with pytest.raises(InvalidState) as refusal:
        _decidable([_asked()], wanted, execution=_running(status))
    assert refusal.value.extra == {"currentStatus": status.value, "allowedFrom": ["IN_PROGRESS"]}


def test_waiting_stage_may_be_decided() -> None:
    assert _decidable([_asked()], YES) == _decidable([_asked()], NO) == _asked()


@pytest.mark.parametrize(
    ("stage", "approvals", "detail"),
    [
        (1, [], "stage 1 does not wait for an approval, and no other stage does"),
        (3, [_asked()], "stage 3 does not wait for an approval; stage 2 waits for one"),
        (2, [_asked(decision=YES, decided_by="bert")], "stage 2 was APPROVED by bert already, and no other stage does"),
    ],
)
def test_decision_on_a_stage_that_does_not_wait_is_refused_naming_the_waiting_one(
    stage: int, approvals: list[Approval], detail: str
) -> None:
    with pytest.raises(InvalidState) as refusal:
        _decidable(approvals, stage=stage)
    assert (refusal.value.detail, refusal.value.code) == (detail, "INVALID_STATE")


def test_approval_of_another_plan_cannot_be_decided() -> None:
    with pytest.raises(InvalidState, match="another plan"):
        _decidable([_asked(plan_hash="f" * 64)])


def test_creator_may_not_approve_and_any_other_user_may() -> None:
    with pytest.raises(Forbidden, match="four eyes: olga created"):
        _decidable([_asked()], YES, OLGA)
    assert _decidable([_asked()], YES, ANNA) == _asked()


def test_creator_may_reject_and_may_approve_when_four_eyes_is_off() -> None:
    assert _decidable([_asked()], NO, OLGA) == _asked()
    assert _decidable([_asked()], YES, OLGA, four_eyes=False) == _asked()


def test_decision_records_user_time_reason_and_plan() -> None:
    decided, event = decide(_asked(), YES, "looks well", ANNA, after(9))
    assert (decided.decision, decided.decided_by, decided.decided_at) == (YES, "anna", after(9))
    assert (decided.source, decided.reason) == (Source.UI, "looks well")
    assert event.what is EventType.APPROVAL_DECIDED
    assert data_of(event) == {
        "stage": 2,
        "decision": "APPROVED",
        "decidedBy": "anna",
        "source": "UI",
        "reason": "looks well",
        "planHash": "0" * 64,
    }


def test_waiting_approval_is_the_undecided_one() -> None:
    third = _asked(stage=3)
    assert waiting([_asked(decision=YES), third]) == third
    assert waiting([_asked(decision=YES)]) is None
