"""The plan by examples (specification section 4)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.domain.builders import fleet_of, make_request, name, planned
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.plan.budget import concurrency
from upgrade_orchestrator.domain.plan.plan import Plan, make_plan, order_instances


def sizes(plan: Plan) -> list[int]:
    return [len(batch.instances) for batch in plan.batches]


def kinds(plan: Plan) -> list[str]:
    return [batch.kind.value for batch in plan.batches]


def ids(*indexes: int) -> list[str]:
    return [name(index) for index in indexes]


def test_plan_order_is_unhealthy_first_then_the_fleets_order_then_leaders() -> None:
    ordered = order_instances(fleet_of(6, unhealthy=(3, 5), leaders=(0,)))
    assert [each.instance_id for each in ordered] == ids(3, 5, 1, 2, 4, 0)


def test_plan_order_is_the_fleets_when_all_instances_are_alike() -> None:
    backwards = list(reversed(fleet_of(4)))
    assert order_instances(backwards) == backwards


def test_plan_order_treats_a_stopped_instance_as_unavailable_even_if_it_reports_healthy() -> None:
    stopped = FleetInstance("z-stopped", "3.6.0", "STOPPED", healthy=True)
    assert order_instances([*fleet_of(2), stopped])[0] is stopped


def test_rolling_plan_has_batches_of_the_batch_size_and_a_last_smaller_one() -> None:
    plan = planned(12, batch_size=5)
    assert (sizes(plan), kinds(plan), plan.canary) == ([5, 5, 2], ["BATCH"] * 3, ())
    assert [batch.number for batch in plan.batches] == [1, 2, 3]
    assert plan.budget == 3


def test_canary_plan_of_the_seed_has_two_canaries_and_four_batches() -> None:
    plan = planned(20, strategy=Strategy.CANARY, canary_percentage=10, batch_size=5)
    assert plan.canary == ("i-00", "i-01") == plan.batches[0].instances
    assert (sizes(plan), kinds(plan)) == ([2, 5, 5, 5, 3], ["CANARY"] + ["BATCH"] * 4)
    assert plan.budget == 5


@pytest.mark.parametrize(("percentage", "count"), [(1, 1), (5, 1), (9, 1), (10, 2), (14, 2), (15, 3), (100, 20)])
def test_canary_count_is_the_floor_and_at_least_one(percentage: int, count: int) -> None:
    assert len(planned(20, strategy=Strategy.CANARY, canary_percentage=percentage).canary) == count


def test_canary_plan_of_one_instance_is_the_canary_alone() -> None:
    plan = planned(1, strategy=Strategy.CANARY)
    assert (sizes(plan), kinds(plan)) == ([1], ["CANARY"])


@pytest.mark.parametrize(("strategy", "kind"), [(Strategy.RECREATE, "ALL"), (Strategy.BLUE_GREEN, "GREEN")])
def test_recreate_and_blue_green_plans_have_one_batch_without_a_budget(strategy: Strategy, kind: str) -> None:
    plan = planned(7, strategy=strategy, batch_size=2)
    assert (sizes(plan), kinds(plan), plan.budget) == ([7], [kind], None)


@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.CANARY, Strategy.STAGED])
def test_plan_of_another_strategy_has_a_budget(strategy: Strategy) -> None:
    assert planned(8, strategy=strategy).budget == 2


def test_staged_plan_without_percentages_has_a_stage_per_batch() -> None:
    plan = planned(7, strategy=Strategy.STAGED, batch_size=3)
    assert (sizes(plan), kinds(plan)) == ([3, 3, 1], ["STAGE"] * 3)


@pytest.mark.parametrize(
    ("count", "percentages", "expected"),
    [
        (20, (10, 50, 100), [2, 8, 10]),
        (10, (25, 100), [2, 8]),
        (4, (100,), [4]),
        (3, (1, 2, 100), [1, 2]),
        (1, (10, 50, 100), [1]),
        (2, (50, 60, 100), [1, 1]),
    ],
)
def test_staged_plan_is_cumulative_and_omits_empty_stages(
    count: int, percentages: tuple[int, ...], expected: list[int]
) -> None:
    plan = planned(count, strategy=Strategy.STAGED, stage_percentages=percentages)
    assert sizes(plan) == expected
    assert [batch.number for batch in plan.batches] == list(range(1, len(expected) + 1))


def test_stage_percentages_are_for_staged_only() -> None:
    assert sizes(planned(10, stage_percentages=(50, 100), batch_size=4)) == [4, 4, 2]


def test_plan_of_a_part_has_the_first_instances_in_order() -> None:
    plan = make_plan(make_request(total_instances=3), fleet_of(5, unhealthy=(4,), leaders=(0,)))
    assert list(plan.instances) == ids(4, 1, 2)


def test_plan_without_a_total_has_the_whole_fleet() -> None:
    assert len(make_plan(make_request(total_instances=None), fleet_of(5)).instances) == 5


@pytest.mark.parametrize("total", [4, 0, -1])
def test_plan_is_refused_when_the_fleet_has_fewer_instances_than_the_total(total: int) -> None:
    with pytest.raises(ValueError, match=f"the fleet has 3 instances, {total} are wanted"):
        make_plan(make_request(total_instances=total), fleet_of(3))


def test_plan_is_refused_when_the_fleet_is_empty() -> None:
    with pytest.raises(ValueError, match="the fleet has 0 instances"):
        make_plan(make_request(), [])


def test_plan_hash_is_the_same_in_every_process() -> None:
    """A literal: a plan stored today must still be known by its hash after an upgrade of Python."""
    assert planned(20).hash == planned(20).hash
    assert planned(2, batch_size=1).hash == "6eba005398692fa0da2f23c2ee3419ba3c8e3c1e8974121939de54ddab9ad953"


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 4},
        {"batch_delay_seconds": 61},
        {"soak_seconds": 1},
        {"health_check_timeout_seconds": 301},
        {"max_unavailable_percentage": 50},
        {"strategy": Strategy.STAGED},
        {"total_instances": 19},
    ],
    ids=lambda change: next(iter(change)),
)
def test_plan_hash_changes_with_the_plan(change: dict[str, Any]) -> None:
    assert planned(20, **change).hash != planned(20).hash


def test_plan_hash_changes_with_the_order() -> None:
    assert make_plan(make_request(), fleet_of(20, unhealthy=(7,))).hash != planned(20).hash


def test_plan_hash_changes_when_an_instance_changes_its_batch() -> None:
    plan = planned(10)
    first, second = plan.batches
    swapped = (replace(first, instances=second.instances), replace(second, instances=first.instances))
    assert replace(plan, batches=swapped).hash != plan.hash


@pytest.mark.parametrize(("batch_size", "budget", "expected"), [(5, 2, 2), (2, 5, 2), (5, None, 4), (1, 1, 1)])
def test_concurrency_is_the_smaller_of_batch_size_and_budget(
    batch_size: int, budget: int | None, expected: int
) -> None:
    assert concurrency(4, batch_size, budget) == expected


def test_estimate_counts_waves_delays_and_soaks() -> None:
    """20 by 5 under a budget of 5: four waves of 30 s, three delays of 60 s, four soaks of 10 s."""
    assert planned(20, soak_seconds=10).estimated_seconds == 4 * 30 + 3 * 60 + 4 * 10


def test_estimate_is_that_of_the_upgrade_path_when_known() -> None:
    assert make_plan(make_request(), fleet_of(20), path_minutes=15).estimated_seconds == 15 * 60 + 3 * 60
