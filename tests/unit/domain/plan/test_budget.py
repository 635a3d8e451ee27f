"""How many instances may be unavailable at once, for whatever reason (specification section 4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgrade_orchestrator.domain.execution.canary import canary_count
from upgrade_orchestrator.domain.plan.budget import Limits, budget_of, startable

IDS = [f"i-{index}" for index in range(12)]


@pytest.mark.parametrize(
    ("total", "percentage", "budget"), [(20, 25, 5), (10, 25, 2), (3, 25, 1), (1, 1, 1), (7, 100, 7), (19, 10, 1)]
)
def test_budget_is_the_floor_and_never_below_one(total: int, percentage: int, budget: int) -> None:
    assert budget_of(total, percentage) == budget


def test_canary_count_of_the_seed_is_two() -> None:
    assert canary_count(20, 10) == 2


def test_startable_returns_as_many_instances_as_the_budget() -> None:
    assert startable(IDS, Limits(5, 3), (), ()) == IDS[:3]


def test_startable_returns_as_many_instances_as_the_limit() -> None:
    assert startable(IDS, Limits(2, 3), (), ()) == IDS[:2]


def test_startable_counts_instances_in_flight() -> None:
    assert startable(IDS[2:], Limits(3, 3), IDS[:2], IDS[:2]) == [IDS[2]]


def test_startable_counts_every_unavailable_instance() -> None:
    assert startable(IDS, Limits(5, 3), (), ["foreign-1", "foreign-2"]) == [IDS[0]]


def test_startable_returns_only_unavailable_instances_when_the_budget_is_used_up() -> None:
    assert startable(IDS[:4], Limits(5, 2), (), [IDS[1], IDS[3], "foreign"]) == [IDS[1], IDS[3]]


def test_startable_is_empty_when_others_use_up_the_budget() -> None:
    assert startable(IDS, Limits(5, 2), (), ["foreign-1", "foreign-2"]) == []


def test_startable_ignores_the_unavailable_when_there_is_no_budget() -> None:
    assert startable(IDS, Limits(12, None), (), ["foreign", IDS[3]]) == IDS


def test_startable_keeps_the_limit_when_there_is_no_budget() -> None:
    assert startable(IDS, Limits(4, None), IDS[10:], ()) == IDS[:2]


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[str], Limits, list[str], set[str]]:
    """Candidates, limits, what is worked on (disjoint from the candidates) and what is unavailable (any)."""
    roles = draw(st.lists(st.sampled_from(["candidate", "flying", "other"]), min_size=12, max_size=12))
    candidates = [each for each, role in zip(IDS, roles, strict=True) if role == "candidate"]
    flying = [each for each, role in zip(IDS, roles, strict=True) if role == "flying"]
    down = draw(st.sets(st.sampled_from([*IDS, "foreign-1", "foreign-2", "foreign-3"])))
    limits = Limits(draw(st.integers(1, 8)), draw(st.none() | st.integers(1, 8)))
    return candidates, limits, flying, down | set(flying)


@given(situations())
def test_unavailable_never_exceed_the_budget_unless_they_did_before(
    situation: tuple[list[str], Limits, list[str], set[str]],
) -> None:
    candidates, limits, flying, down = situation
    after = down | set(startable(candidates, limits, flying, down))
    assert limits.budget is None or len(after) <= max(limits.budget, len(down))


@given(situations())
def test_instances_in_flight_never_exceed_the_limit(situation: tuple[list[str], Limits, list[str], set[str]]) -> None:
    candidates, limits, flying, down = situation
    chosen = startable(candidates, limits, flying, down)
    assert len(chosen) + len(flying) <= max(limits.in_flight, len(flying))


@given(situations())
def test_startable_returns_candidates_once_and_in_order(
    situation: tuple[list[str], Limits, list[str], set[str]],
) -> None:
    candidates, limits, flying, down = situation
    chosen = startable(candidates, limits, flying, down)
    assert chosen == [each for each in candidates if each in set(chosen)]


@given(situations())
def test_unavailable_candidates_use_no_budget(situation: tuple[list[str], Limits, list[str], set[str]]) -> None:
    candidates, limits, flying, down = situation
    ill = [each for each in candidates if each in down]
    assert startable(ill, limits, flying, down) == ill[: max(0, limits.in_flight - len(flying))]


@given(situations())
def test_startable_omits_no_candidate_that_fits(situation: tuple[list[str], Limits, list[str], set[str]]) -> None:
    candidates, limits, flying, down = situation
    chosen = startable(candidates, limits, flying, down)
    if len(chosen) + len(flying) >= limits.in_flight:
        return
    left = [each for each in candidates if each not in chosen]
    assert not [each for each in left if each in down]
    assert not left or (limits.budget is not None and len(down | set(chosen)) >= limits.budget)
