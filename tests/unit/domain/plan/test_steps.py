"""The steps of an upgrade in their order, and the batches that one task runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.builders import NOW, fleets, make_execution, planned, requests
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import BatchKind, Plan
from upgrade_orchestrator.domain.plan.steps import (
    MOST_GROUPS,
    TASK_START_SECONDS,
    WAITS,
    Step,
    StepKind,
    StepProgress,
    batch_groups,
    batches_per_task,
    steps_of,
)

W = StepKind
S = ExecutionStatus
STEPS: dict[Strategy, tuple[dict[str, Any], list[tuple[StepKind, int]]]] = {
    Strategy.ROLLING: ({"batch_size": 2}, [(W.BATCH, 1), (W.BATCH, 2), (W.BATCH, 3), (W.VERIFY, 3)]),
    Strategy.CANARY: (
        {"batch_size": 2, "canary_percentage": 40},
        [(W.BATCH, 1), (W.MONITOR, 1), (W.BATCH, 2), (W.BATCH, 3), (W.VERIFY, 3)],
    ),
    Strategy.BLUE_GREEN: (
        {},
        [(W.BATCH, 1), (W.CHECK_GREEN, 1), (W.SWITCH_TRAFFIC, 1), (W.SOAK, 1), (W.RETIRE_BLUE, 1), (W.VERIFY, 1)],
    ),
    Strategy.RECREATE: ({}, [(W.BATCH, 1), (W.VERIFY, 1)]),
    Strategy.STAGED: ({"batch_size": 3}, [(W.BATCH, 1), (W.APPROVAL, 2), (W.BATCH, 2), (W.VERIFY, 2)]),
}
ROLLING = [(1, "BATCH"), (2, "BATCH"), (3, "BATCH")]


def _plan(strategy: Strategy) -> Plan:
    return planned(5, strategy=strategy, **STEPS[strategy][0])


@pytest.mark.parametrize("strategy", Strategy)
def test_steps_of_each_strategy_come_in_their_order(strategy: Strategy) -> None:
    found = [(each.kind, each.batch) for each in steps_of(_plan(strategy))]
    assert found == [(W.VALIDATE, 0), *STEPS[strategy][1]]


def progress(
    plan: Plan, status: ExecutionStatus = S.IN_PROGRESS, done: int = 0, promoted: bool = False
) -> StepProgress:
    """The first ``done`` batches are completed."""
    canary = Canary(promoted_at=NOW if promoted else None)
    batches = [
        Batch(each.number, each.kind, completed_at=NOW if each.number <= done else None) for each in plan.batches
    ]
    return StepProgress(make_execution(status, canary=canary), batches)


@pytest.mark.parametrize("strategy", Strategy)
def test_all_steps_of_an_execution_that_was_just_started_are_open(strategy: Strategy) -> None:
    plan = _plan(strategy)
    assert progress(plan, S.VALIDATING).open_steps(plan) == steps_of(plan)


@pytest.mark.parametrize("strategy", Strategy)
def test_steps_before_and_after_any_step_are_all_steps(strategy: Strategy) -> None:
    plan = _plan(strategy)
    steps, now = steps_of(plan), progress(plan, S.VALIDATING)
    for place, step in enumerate(steps):
        assert now.required_for(step, plan) == steps[: place + 1]
        assert now.following(step, plan) == steps[place + 1 :]


def test_batches_without_a_wait_between_them_run_as_one_step() -> None:
    plan = replace(_plan(Strategy.ROLLING), batch_delay_seconds=0)
    assert steps_of(plan)[1:] == [Step(W.BATCH, 1, 3), Step(W.VERIFY, 3)]
    assert steps_of(replace(plan, batch_delay_seconds=60))[1:4] == [Step(W.BATCH, each) for each in (1, 2, 3)]


def test_verification_requires_every_batch_even_without_a_batch_number() -> None:
    plan = _plan(Strategy.ROLLING)
    assert progress(plan, done=1).required_for(Step(W.VERIFY), plan) == steps_of(plan)[2:]


@pytest.mark.parametrize(
    ("done", "before", "after"),
    [
        (Step(W.BATCH, 1, 1), [Step(W.BATCH, 1, 1)], [Step(W.BATCH, 2, 3), Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 1, 2), [Step(W.BATCH, 1, 2)], [Step(W.BATCH, 3, 3), Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 2, 2), [Step(W.BATCH, 1, 2)], [Step(W.BATCH, 3, 3), Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 3, 3), [Step(W.BATCH, 1, 3)], [Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 1, 3), [Step(W.BATCH, 1, 3)], [Step(W.VERIFY, 3)]),
    ],
)
def test_batches_that_run_as_one_are_done_in_part_when_only_a_part_is_requested(
    done: Step, before: list[Step], after: list[Step]
) -> None:
    plan = replace(_plan(Strategy.ROLLING), batch_delay_seconds=0)
    assert progress(plan).required_for(done, plan) == before
    assert progress(plan).following(done, plan) == after


@pytest.mark.parametrize(("done", "left"), [(1, [Step(W.BATCH, 2, 3)]), (2, [Step(W.BATCH, 3, 3)]), (3, [])])
def test_batches_that_are_completed_are_not_open(done: int, left: list[Step]) -> None:
    plan = replace(_plan(Strategy.ROLLING), batch_delay_seconds=0)
    assert progress(plan, done=done).required_for(Step(W.BATCH, 1, 3), plan) == left


@pytest.mark.parametrize("promoted", [True, False])
def test_batch_after_the_canaries_requires_their_promotion(promoted: bool) -> None:
    plan = _plan(Strategy.CANARY)
    required = progress(plan, done=1, promoted=promoted).required_for(Step(W.BATCH, 2), plan)
    assert (Step(W.MONITOR) in required) is not promoted
    assert required[-1] == Step(W.BATCH, 2)


@pytest.mark.parametrize("approved", [True, False])
def test_stage_requires_its_approval(approved: bool) -> None:
    plan = _plan(Strategy.STAGED)
    now = replace(progress(plan, done=1), approved={2} if approved else set())
    assert (Step(W.APPROVAL, 2) in now.required_for(Step(W.BATCH, 2), plan)) is not approved


@pytest.mark.parametrize("status", [S.ROLLING_BACK, S.ROLLED_BACK, S.FAILED, S.CANCELLED])
def test_step_requires_only_itself_once_the_execution_no_longer_upgrades(status: ExecutionStatus) -> None:
    plan = _plan(Strategy.ROLLING)
    assert progress(plan, status).required_for(Step(W.BATCH, 3), plan) == [Step(W.BATCH, 3)]


def test_no_step_is_open_once_the_execution_is_completed() -> None:
    plan = _plan(Strategy.ROLLING)
    now = progress(plan, S.COMPLETED)
    assert (now.open_steps(plan), now.required_for(Step(W.VERIFY), plan)) == ([], [])


@pytest.mark.parametrize(("last", "found"), [(0, 2), (1, 2), (2, 2), (5, 5)])
def test_step_without_a_later_last_batch_ends_with_its_own_batch(last: int, found: int) -> None:
    assert Step(W.BATCH, 2, last).last == found


def test_steps_that_wait_are_approval_canary_monitor_and_soak() -> None:
    assert {W.APPROVAL, W.MONITOR, W.SOAK} == WAITS


@pytest.mark.parametrize(
    ("batches", "delay", "found"),
    [
        (ROLLING, 0, [(1, 3)]),
        (ROLLING, TASK_START_SECONDS - 0.1, [(1, 3)]),
        (ROLLING, TASK_START_SECONDS, [(1, 1), (2, 2), (3, 3)]),
        ([(1, "CANARY"), (2, "BATCH"), (3, "BATCH")], 0, [(1, 1), (2, 3)]),
        ([(1, "CANARY"), (2, "BATCH"), (3, "BATCH")], 60, [(1, 1), (2, 2), (3, 3)]),
        ([(1, "STAGE"), (2, "STAGE")], 0, [(1, 1), (2, 2)]),  # a person is between them
        ([(1, "GREEN")], 0, [(1, 1)]),
        ([(1, "ALL")], 0, [(1, 1)]),
        ([], 0, []),
    ],
)
def test_batches_run_as_one_unless_a_wait_is_between_them(
    batches: list[tuple[int, str]], delay: float, found: list[tuple[int, int]]
) -> None:
    assert batches_per_task(batches, delay) == found


@given(st.data(), st.sampled_from([0.0, 3.9, 4.0, 60.0]))
def test_every_batch_of_any_plan_belongs_to_one_group_that_runs_as_one(data: st.DataObject, delay: float) -> None:
    fleet = data.draw(fleets())
    request = data.draw(requests(len(fleet)))
    plan = planned(len(fleet), strategy=request.strategy, batch_size=request.batch_size)
    found = batches_per_task([(each.number, each.kind.value) for each in plan.batches], delay)
    numbers = [number for first, last in found for number in range(first, last + 1)]
    assert numbers == [each.number for each in plan.batches]
    kinds = {each.number: each.kind for each in plan.batches}
    long = [first for first, last in found if last > first]
    assert all(kinds[first] is BatchKind.BATCH for first in long)
    assert delay < TASK_START_SECONDS or not long


def _one_by_one(count: int, *before: str) -> list[tuple[int, str]]:
    kinds = [*before, *["BATCH"] * (count - len(before))]
    return list(enumerate(kinds, start=1))


@pytest.mark.parametrize("count", [1, 2, 99, MOST_GROUPS])
def test_batches_have_a_group_each_up_to_the_limit(count: int) -> None:
    assert batch_groups(_one_by_one(count)) == _one_by_one(count)


# fault 50
@pytest.mark.parametrize("before", [(), ("CANARY",)])
@pytest.mark.parametrize("count", [101, 102, 199, 200, 201, 999, 1000, 9999, 10_000])
def test_more_batches_share_groups_of_which_the_last_has_the_last_batch_alone(
    count: int, before: Sequence[str]
) -> None:
    batches = _one_by_one(count, *before)
    found = batch_groups(batches)
    assert len(found) <= MOST_GROUPS
    assert found[: len(before) + 1] == batches[: len(before) + 1]
    assert found[-1] == batches[-1]
    assert set(found) <= set(batches)
    runs = batches_per_task(found, 600)
    assert [number for first, last in runs for number in range(first, last + 1)] == [number for number, _ in batches]
    assert batches_per_task(found, 0)[-1] == (len(before) + 1, count)


def test_stages_never_share_a_group() -> None:
    stages = [(number, "STAGE") for number in range(1, 151)]
    assert batch_groups(stages) == stages


@pytest.mark.parametrize("done", [0, 1, 36, 149, 150, 151, 298, 299])
def test_task_of_one_batch_in_a_dag_of_before_does_its_part_of_the_shared_step(done: int) -> None:
    plan = replace(planned(300, batch_size=1), batch_delay_seconds=60)
    found, number = progress(plan, done=done), done + 1
    assert found.required_for(Step(W.BATCH, number), plan) == [Step(W.BATCH, number)]
    following = found.following(Step(W.BATCH, number), plan)
    assert following[0] == (Step(W.VERIFY, 300) if number == 300 else replace(following[0], batch=number + 1))
