"""The impact that is shown before a command is given: exact numbers, from the plan and the rows."""

import pytest

from tests.unit.domain.builders import NOW, make_execution, make_instance, make_request, name, planned
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.commands import Command
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.operations.impact import ImpactInput, impact_of

S, N, C = ExecutionStatus, InstanceStatus, Command


def rows(*counts: tuple[InstanceStatus, int]) -> list[Instance]:
    statuses = [status for status, count in counts for _ in range(count)]
    return [make_instance(name(index), status) for index, status in enumerate(statuses)]


TWENTY = rows((N.COMPLETED, 5), (N.UPGRADING, 1), (N.PENDING, 14))


def impact(
    command: Command,
    instances: list[Instance] = TWENTY,
    waits: bool = False,
    strategy: Strategy = Strategy.ROLLING,
    **of: object,
) -> str:
    request = make_request(strategy=strategy, auto_rollback_enabled=bool(of.pop("auto", False)))
    execution = make_execution(S.IN_PROGRESS, request=request, **of)
    approval = Approval(execution_id="e-1", stage=2, plan_hash="0" * 64, requested_at=NOW) if waits else None
    return " ".join(impact_of(command, ImpactInput(execution, planned(20, strategy=strategy), instances, approval)))


def test_impact_of_pause_counts_running_finishing_and_waiting_instances() -> None:
    assert impact(C.PAUSE).startswith(
        "5 of 20 instances run 3.7.0 and stay there. 1 in flight finishes. 14 are not begun until you resume."
    )


def test_impact_of_cancel_states_that_versions_stay_mixed() -> None:
    text = impact(C.CANCEL, rows((N.COMPLETED, 1), (N.DRAINING, 2), (N.FAILED, 1), (N.PENDING, 16)))
    assert text.startswith(
        "1 of 20 instances runs 3.7.0 and stays there."
        " 2 in flight finish; draining instances are put back into service. 16 are not begun and will not be."
        " 1 instance failed"
    )
    assert "mixed versions" in text


def test_impact_of_cancel_states_that_no_instance_was_touched() -> None:
    assert impact(C.CANCEL, rows((N.PENDING, 20))) == (
        "Nothing was touched: all 20 instances stay on the versions that they run."
    )


def test_impact_of_rollback_counts_reverted_and_untouched_instances() -> None:
    text = impact(C.ROLLBACK, rows((N.COMPLETED, 5), (N.HEALTH_CHECKING, 1), (N.FAILED, 2), (N.PENDING, 12)))
    assert text.startswith("8 of 20 instances go back to the version that each ran before, newest first")
    assert "(1 HEALTH_CHECKING, 5 COMPLETED, 2 FAILED). 12 instances are not touched." in text


def test_impact_of_rollback_counts_instances_of_unknown_version_as_not_reverted() -> None:
    known = rows((N.COMPLETED, 5), (N.PENDING, 12))
    unknown = [make_instance(f"u-{each}", N.FAILED, from_version=None) for each in range(2)]
    text = impact(C.ROLLBACK, [*known, *unknown, make_instance("u-9", from_version=None)])
    assert text.startswith("5 of 20 instances go back to the version that each ran before, newest first (5 COMPLETED).")
    assert "2 instances, of which the version before is unknown, stay as they are: the rollback will be FAILED." in text
    assert "13 instances are not touched." in text


def test_impact_of_rollback_counts_what_was_only_draining_as_put_back_on_an_unknown_version_too() -> None:
    text = impact(C.ROLLBACK, [make_instance("u", N.DRAINING, from_version=None, attempts=1)])
    assert text.startswith("1 of 1 instance goes back")
    assert "unknown" not in text


def test_impact_of_rollback_to_the_old_pool_counts_instances_of_unknown_version_as_reverted() -> None:
    unknown = [make_instance(f"u-{each}", N.COMPLETED, from_version=None) for each in range(2)]
    text = impact(C.ROLLBACK, unknown, strategy=Strategy.BLUE_GREEN)
    assert text.startswith("2 of 2 instances go back")
    assert "FAILED" not in text


def test_impact_of_rollback_with_known_versions_says_nothing_of_unknown_ones() -> None:
    assert "unknown" not in impact(C.ROLLBACK, TWENTY)


def test_impact_of_rollback_counts_gone_instances_as_not_reverted() -> None:
    text = impact(C.ROLLBACK, [*rows((N.COMPLETED, 1), (N.PENDING, 1)), make_instance("g", N.FAILED, gone=True)])
    assert text.startswith("1 of 3 instances goes back")
    assert "1 instance is not touched. 1 instance is gone from the fleet." in text


def test_impact_of_rollback_without_touched_instances_states_that_it_ends_at_once() -> None:
    assert "ROLLED_BACK at once" in impact(C.ROLLBACK, rows((N.PENDING, 20)))


def test_impact_of_start_names_the_canaries() -> None:
    text = impact(C.START, rows((N.PENDING, 20)), strategy=Strategy.CANARY)
    assert "20 instances go to 3.7.0" in text
    assert "The 2 canaries first: i-00, i-01." in text


@pytest.mark.parametrize(("healthy", "words"), [(True, "polled once more first"), (False, "NOT healthy")])
def test_impact_of_promotion_states_the_health_of_the_canaries(healthy: bool, words: str) -> None:
    text = impact(
        C.PROMOTE, rows((N.COMPLETED, 2), (N.PENDING, 18)), strategy=Strategy.CANARY, canary=Canary(healthy=healthy)
    )
    assert text.startswith("18 instances that still run the old version are upgraded to 3.7.0 in 4 batches")
    assert words in text


def test_impact_of_approval_names_the_stage_and_its_instances() -> None:
    text = impact(C.APPROVE, rows((N.COMPLETED, 5), (N.PENDING, 15)), waits=True, strategy=Strategy.STAGED)
    assert text.startswith("Stage 2 of 4 begins: 5 instances go to 3.7.0.")
    assert "5 of 20 instances completed, 0 failed" in text


@pytest.mark.parametrize(("auto", "words"), [(True, "is rolled back"), (False, "is cancelled")])
def test_impact_of_rejection_states_whether_it_rolls_back_or_cancels(auto: bool, words: str) -> None:
    assert words in impact(C.REJECT, waits=True, strategy=Strategy.STAGED, auto=auto)


def test_impact_of_resume_counts_the_remaining_instances() -> None:
    assert "14 instances are still to be upgraded" in impact(C.RESUME)


def test_impact_of_retry_counts_instances_that_did_not_complete() -> None:
    assert "what did not complete: 15 instances" in impact(C.RETRY)


@pytest.mark.parametrize(
    ("strategy", "how"),
    [
        (Strategy.CANARY, "in batches of 5"),
        (Strategy.RECREATE, "all at once"),
        (Strategy.BLUE_GREEN, "with a second pool and one switch"),
    ],
)
def test_impact_of_revert_names_the_versions_and_how_it_goes(strategy: Strategy, how: str) -> None:
    text = impact(C.REVERT, rows((N.COMPLETED, 11), (N.FAILED, 1), (N.PENDING, 8)), strategy=strategy)
    assert f"12 of 20 instances go back from 3.7.0 to 3.6.0, {how}" in text
    assert "8 instances are on the version before." in text


def test_impact_of_revert_names_what_goes_elsewhere_and_what_stays() -> None:
    there = [make_instance(name(each), N.COMPLETED) for each in range(3)]
    other = make_instance(name(3), N.COMPLETED, from_version="3.5.0")
    unknown = make_instance(name(4), N.COMPLETED, from_version=None)
    text = impact(C.REVERT, [*there, other, unknown])
    assert "4 of 5 instances go back from 3.7.0 to 3.6.0 (3) and to other versions (1), in batches of 5" in text
    assert "1 instance, of which the version before is unknown, stays as it is." in text
    assert "unknown" not in impact(C.REVERT, there)


@pytest.mark.parametrize("command", C)
def test_impact_of_every_command_is_described(command: Command) -> None:
    assert impact(command, waits=True, strategy=Strategy.STAGED)
