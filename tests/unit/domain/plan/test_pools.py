"""Which pool is which, and how a new one is shown to the rules of a batch."""

from dataclasses import replace

import pytest

from tests.unit.domain.builders import fleet_of, make_fleet, make_instance, make_request, name
from upgrade_orchestrator.domain.checks.checks import Findings, capacity, pool_verification
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase
from upgrade_orchestrator.domain.plan.pools import Pools, by_serving_pool, counterparts, under_planned_ids

POOLS = Pools("blue", "green")
PLANNED = tuple(name(each) for each in range(2))
ROWS = [make_instance(each) for each in PLANNED]


def green_of(count: int, version: str = "3.7.0", status: str = "RUNNING", healthy: bool = True) -> list[FleetInstance]:
    return [FleetInstance(f"g-{each:02d}", version, status, healthy, pool="green") for each in range(count)]


def both(*green: FleetInstance, blue: int = 2) -> Fleet:
    return make_fleet(*fleet_of(blue), *green)


@pytest.mark.parametrize(("old", "new"), [("blue", "green"), ("green", "blue"), ("main", "green")])
def test_new_pool_is_the_other_one_of_blue_and_green(old: str, new: str) -> None:
    assert Pools.for_serving(old) == Pools(old, new)


def test_new_pool_is_as_large_as_the_old_one_and_never_smaller_than_the_plan() -> None:
    assert POOLS.size(both(blue=3), 2) == 3
    assert POOLS.size(both(blue=0), 2) == 2


def test_planned_instances_are_paired_with_instances_of_the_new_pool_in_order() -> None:
    found = counterparts(both(*green_of(3)), POOLS, ROWS, "3.7.0")
    assert {planned: each.instance_id for planned, each in found.items()} == {"i-00": "g-00", "i-01": "g-01"}


def test_replaced_instance_keeps_its_replacement_in_any_order_of_the_fleet() -> None:
    rows = [ROWS[0], make_instance("i-01", replacement="g-00")]
    found = counterparts(both(*green_of(2)), POOLS, rows, "3.7.0")
    assert {planned: each.instance_id for planned, each in found.items()} == {"i-01": "g-00", "i-00": "g-01"}


def test_missing_replacement_is_not_substituted_by_another_instance() -> None:
    rows = [make_instance("i-00", replacement="g-09"), make_instance("i-01", replacement="g-01")]
    found = counterparts(both(*green_of(2)), POOLS, rows, "3.7.0")
    assert {planned: each.instance_id for planned, each in found.items()} == {"i-01": "g-01"}


@pytest.mark.parametrize("green", [[], green_of(1), green_of(2, "3.5.0")], ids=["none", "half", "left over"])
def test_incomplete_pool_has_no_counterparts(green: list[FleetInstance]) -> None:
    assert counterparts(both(*green), POOLS, ROWS, "3.7.0") == {}


def test_pool_with_stopped_instances_is_not_left_over() -> None:
    assert not POOLS.is_left_over(both(*green_of(2, "3.5.0", "STOPPED")), "3.7.0")
    assert POOLS.is_left_over(both(*green_of(2, "3.5.0")), "3.7.0")


def test_missing_instance_is_shown_drained_at_its_old_version() -> None:
    shown = under_planned_ids(both(), POOLS, ROWS, "3.7.0")
    assert [(each.instance_id, each.status, each.version) for each in shown.instances] == [
        ("i-00", "DRAINED", "3.6.0"),
        ("i-01", "DRAINED", "3.6.0"),
    ]


def test_counterpart_is_shown_with_its_state_under_the_planned_id() -> None:
    shown = under_planned_ids(both(*green_of(2, status="UPGRADING", healthy=False)), POOLS, ROWS, "3.7.0")
    assert shown.instances == tuple(
        FleetInstance(each, "3.7.0", "UPGRADING", healthy=False, pool="green", own_id=own)
        for each, own in zip(PLANNED, ("g-00", "g-01"), strict=True)
    )


def test_withdrawn_instance_is_shown_in_service() -> None:
    shown = under_planned_ids(both(*green_of(2)), POOLS, ROWS, "3.7.0", withdrawn={"i-01"})
    assert [(each.status, each.version) for each in shown.instances] == [("RUNNING", "3.7.0"), ("RUNNING", "3.6.0")]


def test_no_instance_counts_as_unavailable_while_a_pool_is_made() -> None:
    assert under_planned_ids(both(), POOLS, ROWS, "3.7.0").unavailable(PLANNED) == frozenset()


def test_new_pool_does_not_serve_before_the_switch() -> None:
    row, batch = make_instance(status=InstanceStatus.COMPLETED), Batch(1, "GREEN")
    assert [each.status for each in by_serving_pool([row], [batch])] == [InstanceStatus.PENDING]
    assert by_serving_pool([row], [replace(batch, phase=Phase.SOAK)]) == [row]
    assert by_serving_pool([row], [Batch(1, "BATCH")]) == [row]


# -- the checks that look at pools -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("free", "green", "fits"), [(3, 0, True), (2, 0, False), (1, 2, True), (0, 2, False)])
def test_capacity_includes_the_instances_of_a_left_over_pool(free: int, green: int, fits: bool) -> None:
    fleet = replace(both(*green_of(green, "3.5.0"), blue=3), free_instances=free)
    found = capacity(make_request(strategy=Strategy.BLUE_GREEN), 2, fleet)
    message = f"BLUE_GREEN needs room for 3 more instances, the fleet has {free + green}"
    assert [each.startswith(message) for each in found.blockers] == ([] if fits else [True])


def test_verification_finds_nothing_when_the_new_pool_has_replaced_the_old_one() -> None:
    fleet = replace(make_fleet(*green_of(2)), traffic="green")
    assert pool_verification("3.7.0", PLANNED, fleet) == Findings()


@pytest.mark.parametrize(
    ("fleet", "said"),
    [
        (replace(both(*green_of(2)), traffic="green"), "2 of 2 instances are still there: i-00, i-01"),
        (replace(make_fleet(*green_of(1)), traffic="green"), "pool green has 1 instances, 2 are wanted"),
        (
            replace(make_fleet(*green_of(2, healthy=False)), traffic="green"),
            "2 of 2 instances are not on 3.7.0 and healthy: g-00 is RUNNING at 3.7.0, unhealthy; "
            "g-01 is RUNNING at 3.7.0, unhealthy",
        ),
    ],
)
def test_verification_names_what_is_wrong_with_the_pools(fleet: Fleet, said: str) -> None:
    assert pool_verification("3.7.0", PLANNED, fleet).blockers == (said,)
