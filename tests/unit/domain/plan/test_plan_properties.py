"""What holds for every plan, whatever the fleet and the request (specification section 4)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.builders import fleets, make_request, requests
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.plan.budget import concurrency
from upgrade_orchestrator.domain.plan.plan import Plan, make_plan, order_instances

Case = tuple[list[FleetInstance], UpgradeRequest, Plan]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    fleet = draw(fleets())
    request = draw(requests(len(fleet)))
    return fleet, request, make_plan(request, fleet)


@given(cases())
def test_every_planned_instance_is_in_exactly_one_batch(case: Case) -> None:
    fleet, request, plan = case
    batched = [instance for batch in plan.batches for instance in batch.instances]
    assert batched == list(plan.instances)
    assert len(set(batched)) == len(batched) == (request.total_instances or len(fleet))
    assert set(batched) <= {each.instance_id for each in fleet}


@given(cases())
def test_batches_are_numbered_from_one_and_never_empty(case: Case) -> None:
    _, _, plan = case
    assert [batch.number for batch in plan.batches] == list(range(1, len(plan.batches) + 1))
    assert all(batch.instances for batch in plan.batches)


@given(cases())
def test_batches_keep_the_batch_size_unless_canary_stage_or_all_at_once(case: Case) -> None:
    _, request, plan = case
    sized = [len(batch.instances) for batch in plan.batches if batch.kind.value == "BATCH"]
    assert all(size == request.batch_size for size in sized[:-1])
    assert all(size <= request.batch_size for size in sized)


@given(cases())
def test_canary_is_a_prefix_of_its_percentage_for_canary_only(case: Case) -> None:
    _, request, plan = case
    assert plan.canary == plan.instances[: len(plan.canary)]
    if request.strategy is not Strategy.CANARY:
        assert plan.canary == ()
        return
    exact = len(plan.instances) * request.canary_percentage / 100
    assert plan.canary == plan.batches[0].instances
    assert len(plan.canary) == max(1, int(exact))


@given(cases())
def test_budget_is_the_floor_and_at_least_one(case: Case) -> None:
    _, request, plan = case
    if request.strategy in (Strategy.RECREATE, Strategy.BLUE_GREEN):
        assert plan.budget is None
        return
    exact = len(plan.instances) * request.max_unavailable_percentage / 100
    assert plan.budget is not None
    assert plan.budget == 1 or plan.budget <= exact < plan.budget + 1


@given(cases())
def test_concurrency_respects_batch_size_and_budget(case: Case) -> None:
    _, request, plan = case
    for batch in plan.batches:
        at_once = concurrency(len(batch.instances), request.batch_size, plan.budget)
        assert at_once >= 1
        if plan.budget is not None:
            assert at_once <= min(request.batch_size, plan.budget) or at_once == 1
        else:
            assert at_once == len(batch.instances)


@given(fleets())
def test_plan_order_has_every_instance_once(fleet: list[FleetInstance]) -> None:
    ordered = order_instances(fleet)
    assert sorted(each.instance_id for each in ordered) == sorted(each.instance_id for each in fleet)


@given(fleets())
def test_plan_order_has_no_healthy_leader_before_another_instance(fleet: list[FleetInstance]) -> None:
    ordered = order_instances(fleet)
    leads = [each.leader and each.available for each in ordered]
    assert leads == sorted(leads)


@given(fleets())
def test_plan_order_has_no_healthy_instance_before_an_unhealthy_one(fleet: list[FleetInstance]) -> None:
    available = [each.available for each in order_instances(fleet)]
    assert available == sorted(available)


@given(fleets())
def test_plan_order_keeps_the_fleets_order_among_equals(fleet: list[FleetInstance]) -> None:
    groups: dict[tuple[bool, bool], list[str]] = {}
    for each in order_instances(fleet):
        groups.setdefault((each.leader, each.available), []).append(each.instance_id)
    assert all(group == sorted(group) for group in groups.values())  # fleets() names them in the fleet's order


@given(fleets(), st.lists(st.integers(1, 99), max_size=5, unique=True))
def test_stages_of_a_plan_are_cumulative(fleet: list[FleetInstance], percentages: list[int]) -> None:
    rising = (*sorted(percentages), 100)
    plan = make_plan(make_request(strategy=Strategy.STAGED, stage_percentages=rising), fleet)
    ends = [sum(len(batch.instances) for batch in plan.batches[:count]) for count in range(1, len(plan.batches) + 1)]
    assert ends == sorted({max(1, len(fleet) * percent // 100) for percent in rising})


@given(cases(), st.sampled_from([{"batch_size": 13}, {"soak_seconds": 31}, {"batch_delay_seconds": 1}]))
def test_plan_hash_is_equal_exactly_for_equal_plans(case: Case, change: dict[str, Any]) -> None:
    fleet, request, plan = case
    changed = make_request(
        strategy=request.strategy, total_instances=request.total_instances, stage_percentages=request.stage_percentages
    )
    assert make_plan(request, list(fleet)).hash == plan.hash
    assert (make_plan(changed, fleet) == plan) is (make_plan(changed, fleet).hash == plan.hash)
    assert len(plan.hash) == 64
