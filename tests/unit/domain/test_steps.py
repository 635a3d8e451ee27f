"""The steps of an upgrade in their order, and the batches that are one piece of work."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.builders import fleets, planned, requests
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.plan.plan import BatchKind, Plan
from upgrade_orchestrator.domain.plan.steps import HOP_SECONDS, WAITS, Step, Work, chains, steps_after, steps_of

W = Work
STEPS: dict[Strategy, tuple[dict[str, Any], list[tuple[Work, int]]]] = {
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
    Strategy.STAGED: ({"batch_size": 3}, [(W.BATCH, 1), (W.BATCH, 2), (W.VERIFY, 2)]),
}
ROLLING = [(1, "BATCH"), (2, "BATCH"), (3, "BATCH")]


def _plan(strategy: Strategy) -> Plan:
    return planned(5, strategy=strategy, **STEPS[strategy][0])


@pytest.mark.parametrize("strategy", Strategy)
def test_steps_of_each_strategy_come_in_their_order(strategy: Strategy) -> None:
    assert [(each.work, each.batch) for each in steps_of(_plan(strategy))] == STEPS[strategy][1]


@pytest.mark.parametrize("strategy", Strategy)
def test_what_follows_a_step_is_the_rest_of_them(strategy: Strategy) -> None:
    plan = _plan(strategy)
    steps = steps_of(plan)
    for place, step in enumerate(steps):
        assert steps_after(plan, step) == steps[place + 1 :]


def test_batches_without_a_wait_between_them_are_one_step() -> None:
    plan = replace(_plan(Strategy.ROLLING), batch_delay_seconds=0)
    assert steps_of(plan) == [Step(W.BATCH, 1, 3), Step(W.VERIFY, 3)]
    assert steps_of(replace(plan, batch_delay_seconds=60))[:3] == [Step(W.BATCH, each) for each in (1, 2, 3)]


@pytest.mark.parametrize(
    ("done", "after"),
    [
        (Step(W.BATCH, 1, 1), [Step(W.BATCH, 2, 3), Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 1, 2), [Step(W.BATCH, 3, 3), Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 2, 2), [Step(W.BATCH, 3, 3), Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 3, 3), [Step(W.VERIFY, 3)]),
        (Step(W.BATCH, 1, 3), [Step(W.VERIFY, 3)]),
    ],
)
def test_rest_of_a_piece_of_work_that_was_done_in_part_comes_first(done: Step, after: list[Step]) -> None:
    assert steps_after(replace(_plan(Strategy.ROLLING), batch_delay_seconds=0), done) == after


@pytest.mark.parametrize(
    "step", [Step(W.SOAK), Step(W.MONITOR), Step(W.REVERT, 0), Step(W.END), Step(W.BATCH, 4), Step(W.JUDGEMENT)]
)
def test_step_that_is_not_on_the_way_forward_is_followed_by_nothing(step: Step) -> None:
    assert steps_after(_plan(Strategy.ROLLING), step) == []


@pytest.mark.parametrize(("last", "found"), [(0, 2), (1, 2), (2, 2), (5, 5)])
def test_step_ends_with_its_own_batch_if_none_is_named_behind_it(last: int, found: int) -> None:
    assert Step(W.BATCH, 2, last).last == found


def test_only_people_and_soaks_are_waited_for() -> None:
    assert {W.MONITOR, W.SOAK} == WAITS


@pytest.mark.parametrize(
    ("batches", "delay", "found"),
    [
        (ROLLING, 0, [(1, 3)]),
        (ROLLING, HOP_SECONDS - 0.1, [(1, 3)]),
        (ROLLING, HOP_SECONDS, [(1, 1), (2, 2), (3, 3)]),
        ([(1, "CANARY"), (2, "BATCH"), (3, "BATCH")], 0, [(1, 1), (2, 3)]),
        ([(1, "CANARY"), (2, "BATCH"), (3, "BATCH")], 60, [(1, 1), (2, 2), (3, 3)]),
        ([(1, "STAGE"), (2, "STAGE")], 0, [(1, 1), (2, 2)]),  # a person is between them
        ([(1, "GREEN")], 0, [(1, 1)]),
        ([(1, "ALL")], 0, [(1, 1)]),
        ([], 0, []),
    ],
)
def test_batches_are_one_piece_of_work_where_no_wait_is_between_them(
    batches: list[tuple[int, str]], delay: float, found: list[tuple[int, int]]
) -> None:
    assert chains(batches, delay) == found


@given(st.data(), st.sampled_from([0.0, 3.9, 4.0, 60.0]))
def test_every_batch_of_any_plan_is_in_one_piece_of_work(data: st.DataObject, delay: float) -> None:
    fleet = data.draw(fleets())
    request = data.draw(requests(len(fleet)))
    plan = planned(len(fleet), strategy=request.strategy, batch_size=request.batch_size)
    found = chains([(each.number, each.kind.value) for each in plan.batches], delay)
    numbers = [number for first, last in found for number in range(first, last + 1)]
    assert numbers == [each.number for each in plan.batches]
    kinds = {each.number: each.kind for each in plan.batches}
    long = [first for first, last in found if last > first]
    assert all(kinds[first] is BatchKind.BATCH for first in long)
    assert delay < HOP_SECONDS or not long
