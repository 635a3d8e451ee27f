"""Available actions for every status and permission: a command is listed exactly when it would be accepted."""

import itertools
from dataclasses import replace

import pytest

from tests.unit.domain.builders import NOW, make_execution
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.attention import TRIGGERER_DOWN, Attention
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Command
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.lifecycle.revert import refusal_of
from upgrade_orchestrator.domain.operations.available_actions import REQUIRES_REASON, available_actions
from upgrade_orchestrator.domain.operations.permissions import PERMISSION_OF, Permission

S, C, P = ExecutionStatus, Command, Permission
WAITS = Approval(execution_id="e-1", stage=2, plan_hash="0" * 64, requested_at=NOW)
ALL = frozenset(Permission)
SETS = [frozenset(each) for size in range(len(P) + 1) for each in itertools.combinations(P, size)]


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("awaits", [None, WAITS], ids=["nothing waits", "a stage waits"])
def test_available_actions_are_those_that_status_and_permissions_allow(
    status: ExecutionStatus, awaits: Approval | None
) -> None:
    for permissions in SETS:
        found = {each.command for each in available_actions(make_execution(status), awaits, permissions, "anna")}
        assert found == {
            command
            for command in C
            if status in ALLOWED_FROM[command]
            and PERMISSION_OF[command] in permissions
            and (awaits is not None or command not in (C.APPROVE, C.REJECT))
        }


@pytest.mark.parametrize("status", S)
def test_reader_has_no_available_actions(status: ExecutionStatus) -> None:
    assert available_actions(make_execution(status), WAITS, {P.READ}, "victor") == []


@pytest.mark.parametrize(
    ("status", "first"),
    [
        (S.PENDING, C.START),
        (S.VALIDATING, None),
        (S.IN_PROGRESS, C.PAUSE),
        (S.CANARY_RUNNING, C.PAUSE),
        (S.PAUSED, C.RESUME),
        (S.ROLLING_BACK, None),
        (S.FAILED, C.RETRY),
        (S.CANCELLED, C.RETRY),
        (S.COMPLETED, None),
        (S.ROLLED_BACK, None),
    ],
)
def test_recommended_action_is_one_and_comes_first(status: ExecutionStatus, first: Command | None) -> None:
    found = available_actions(make_execution(status), None, ALL, "olga")
    assert [each.command for each in found if each.recommended] == ([first] if first else [])
    assert first is None or found[0].command is first


@pytest.mark.parametrize(("healthy", "first"), [(True, C.PROMOTE), (False, C.ROLLBACK), (None, None)])
def test_recommended_action_for_canaries_follows_their_health(healthy: bool | None, first: Command | None) -> None:
    execution = make_execution(S.CANARY_MONITORING, canary=Canary(healthy=healthy))
    found = available_actions(execution, None, ALL, "olga")
    assert [each.command for each in found if each.recommended] == ([first] if first else [])
    assert [each.needs_force for each in found if each.command is C.PROMOTE] == [healthy is False]


@pytest.mark.parametrize(("healthy", "first"), [(True, []), (False, [C.ROLLBACK]), (None, [])])
def test_promotion_is_not_recommended_while_nobody_looks_at_the_canaries(
    healthy: bool | None, first: list[Command]
) -> None:
    attention = Attention(TRIGGERER_DOWN, NOW, "no heartbeat for 60 s", 3)
    execution = make_execution(S.CANARY_MONITORING, canary=Canary(healthy=healthy), attention=attention)
    found = available_actions(execution, None, ALL, "olga")
    assert [each.command for each in found if each.recommended] == first
    assert C.PROMOTE in [each.command for each in found]


def test_pending_approval_comes_before_all_other_actions() -> None:
    found = available_actions(make_execution(S.IN_PROGRESS), WAITS, ALL, "anna")
    assert (found[0].command, found[0].recommended, found[0].denied_because) == (C.APPROVE, True, None)


@pytest.mark.parametrize(
    ("caller", "four_eyes", "denied_because"), [("olga", True, True), ("olga", False, False), ("anna", True, False)]
)
def test_creator_gets_the_reason_why_own_stages_cannot_be_approved_and_may_reject_them(
    caller: str, four_eyes: bool, denied_because: bool
) -> None:
    found = {
        each.command: each for each in available_actions(make_execution(S.IN_PROGRESS), WAITS, ALL, caller, four_eyes)
    }
    assert (found[C.APPROVE].denied_because is not None) is denied_because
    assert [each for each, offer in found.items() if offer.recommended] == [C.PAUSE if denied_because else C.APPROVE]
    assert found[C.REJECT].denied_because is None


def test_action_requires_a_reason_where_the_audit_needs_one() -> None:
    asked = {
        each.command
        for status in S
        for each in available_actions(make_execution(status), WAITS, ALL, "anna")
        if each.requires_reason
    }
    assert asked == REQUIRES_REASON == {C.CANCEL, C.ROLLBACK, C.APPROVE, C.REJECT, C.REVERT, C.RELEASE}


def test_retry_and_revert_are_the_only_available_actions_after_the_end() -> None:
    for status in TERMINAL:
        settled = make_execution(status, settled_at=NOW)
        assert {each.command for each in available_actions(settled, None, ALL, "olga")} <= {C.RETRY, C.REVERT}


def test_revert_says_why_it_is_not_possible_and_where_to_look() -> None:
    done = make_execution(S.COMPLETED, settled_at=NOW)
    (open_,) = available_actions(done, None, ALL, "olga")
    (barred,) = available_actions(done, None, ALL, "olga", True, refusal_of(done, "e-2"))
    assert (open_.command, open_.denied_because, open_.see) == (C.REVERT, None, None)
    assert barred.denied_because == (
        "A newer upgrade has changed the deployment since, and only the newest is reverted: e-2."
    )
    assert (barred.see, barred.recommended) == ("e-2", False)


def test_release_is_available_to_an_administrator_until_an_ended_execution_is_settled() -> None:
    for status in TERMINAL:
        ended = make_execution(status)
        assert C.RELEASE in {each.command for each in available_actions(ended, None, ALL, "olga")}
        assert C.RELEASE not in {each.command for each in available_actions(ended, None, ALL - {P.ADMINISTER}, "olga")}


def test_available_actions_follow_the_current_execution() -> None:
    running = make_execution(S.IN_PROGRESS)
    assert available_actions(running, None, ALL, "olga") != available_actions(
        replace(running, status=S.PAUSED), None, ALL, "olga"
    )
