"""Check results: findings with their negative twins and an operator's messages (specification sections 2, 4 and 7)."""

from dataclasses import replace

import pytest

from tests.unit.domain.builders import fleet_of, make_fleet, make_instance, make_request, planned
from upgrade_orchestrator.domain.checks.checks import (
    PASSING,
    CheckName,
    CheckStatus,
    Findings,
    capacity,
    health,
    not_well,
    other_pools,
    size,
    stages,
    verdict,
    version_mix,
)
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.registry.entries import ComponentVersion

NOTHING = Findings()


def blocker(text: str) -> Findings:
    return Findings(blockers=(text,))


def warning(text: str) -> Findings:
    return Findings(warnings=(text,))


def test_checks_are_the_five_of_the_specification_in_order() -> None:
    assert [check.value for check in CheckName] == [
        "VERSION_COMPATIBILITY",
        "RESOURCE_AVAILABILITY",
        "BACKUP_VERIFICATION",
        "HEALTH_ENDPOINTS",
        "DEPENDENCY_CHECK",
    ]


# -- verdict ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("findings", "status", "message"),
    [
        (Findings(("no path", "too old"), ("untested",)), "FAILED", "no path; too old"),
        (Findings((), ("untested", "HIGH risk")), "WARNING", "untested; HIGH risk"),
        (NOTHING, "PASSED", "all well"),
    ],
)
def test_verdict_is_the_worst_finding_with_all_its_texts(findings: Findings, status: str, message: str) -> None:
    result = verdict(CheckName.DEPENDENCY_CHECK, findings, "all well")
    assert (result.name, result.status, result.message) == ("DEPENDENCY_CHECK", status, message)


def test_checks_pass_with_warnings_but_not_while_one_is_unfinished() -> None:
    assert {status for status in CheckStatus if status in PASSING} == {CheckStatus.PASSED, CheckStatus.WARNING}


def test_findings_are_combined_in_order() -> None:
    assert Findings(("a",), ("x",)) + Findings(("b",), ("y",)) == Findings(("a", "b"), ("x", "y"))


# -- size ------------------------------------------------------------------------------------------------------------


def test_size_check_blocks_a_total_larger_than_the_fleet() -> None:
    findings = size(make_request(total_instances=4), make_fleet(*fleet_of(3)))
    found = "totalInstances is 4, the fleet kafka-demo has 3 instances"
    assert findings == blocker(f"{found}: ask for at most 3, or leave it out")


def test_size_check_warns_of_a_partial_fleet() -> None:
    findings = size(make_request(total_instances=2), make_fleet(*fleet_of(3)))
    assert findings == warning("partial fleet: 2 of 3 instances are upgraded")


@pytest.mark.parametrize("total", [3, None])
def test_size_check_finds_nothing_when_the_whole_fleet_is_upgraded(total: int | None) -> None:
    assert size(make_request(total_instances=total), make_fleet(*fleet_of(3))) == NOTHING


def test_size_check_blocks_an_empty_fleet() -> None:
    (text,) = size(make_request(), make_fleet()).blockers
    found = "totalInstances is 0, the fleet kafka-demo has 0 instances"
    assert text == f"{found}: is it the right fleet (PUT .../deployment)?"


def test_size_check_does_not_count_the_pool_without_traffic() -> None:
    green = FleetInstance("g-1", "3.6.0", "RUNNING", healthy=True, pool="green")
    assert size(make_request(total_instances=4), make_fleet(*fleet_of(3), green)).blockers


# -- versions of the instances -----------------------------------------------------------------------------------------


def test_version_drift_check_warns_of_every_other_version() -> None:
    source = ComponentVersion(id="bbb-222", component_id="aaa-111", version="3.6.0")
    others = [FleetInstance(f"x-{version}", version, "RUNNING", healthy=True) for version in ("3.7.0", "3.5.0")]
    found = version_mix(source, make_fleet(*fleet_of(1), *others))
    assert found == warning("not all instances run 3.6.0: also found 1 on 3.5.0, 1 on 3.7.0")


def test_version_drift_check_finds_nothing_when_all_run_the_source_version() -> None:
    source = ComponentVersion(id="bbb-222", component_id="aaa-111", version="3.6.0")
    assert version_mix(source, make_fleet(*fleet_of(3))) == NOTHING


# -- other pools -------------------------------------------------------------------------------------------------------


def _pool(name: str, version: str, count: int) -> list[FleetInstance]:
    return [FleetInstance(f"{name}-{each}", version, "RUNNING", healthy=True, pool=name) for each in range(count)]


def test_left_over_pool_check_warns_of_every_pool_that_the_upgrade_leaves() -> None:
    fleet = make_fleet(*fleet_of(2), *_pool("green", "3.7.0", 2), *_pool("black", "3.5.0", 1))
    pools = "pool black (1 on 3.5.0), pool green (2 on 3.7.0)"
    words = f"without traffic there is also {pools}: this upgrade leaves it as it is"
    assert other_pools(make_request(), fleet) == warning(words)


def test_left_over_pool_check_does_not_warn_of_the_pool_that_a_blue_green_upgrade_reuses() -> None:
    request, green = make_request(strategy=Strategy.BLUE_GREEN), _pool("green", "3.7.0", 2)
    assert other_pools(request, make_fleet(*fleet_of(2), *green)) == NOTHING
    assert other_pools(request, make_fleet(*fleet_of(2), *_pool("black", "3.5.0", 1))) != NOTHING


def test_left_over_pool_check_finds_nothing_when_every_pool_serves() -> None:
    assert other_pools(make_request(), make_fleet(*fleet_of(2))) == NOTHING


# -- capacity --------------------------------------------------------------------------------------------------------


def test_capacity_check_blocks_blue_green_without_room_for_a_second_pool() -> None:
    findings = capacity(make_request(strategy=Strategy.BLUE_GREEN), 3, make_fleet(*fleet_of(3), free=2))
    assert findings == blocker(
        "BLUE_GREEN needs room for 3 more instances, the fleet has 2: give it more capacity, or choose another strategy"
    )


def test_capacity_check_finds_nothing_when_a_second_pool_fits() -> None:
    assert capacity(make_request(strategy=Strategy.BLUE_GREEN), 3, make_fleet(*fleet_of(3), free=3)) == NOTHING


@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.RECREATE])
def test_capacity_check_blocks_when_instances_are_missing(strategy: Strategy) -> None:
    findings = capacity(make_request(strategy=strategy), 5, make_fleet(*fleet_of(3)))
    assert findings == blocker(
        "the fleet has 3 instances, 5 are to be upgraded: bring the others back, or create an upgrade of fewer"
    )


@pytest.mark.parametrize("ill", [(0, 3), (0, 3, 5)])
def test_capacity_check_warns_when_the_budget_is_used_up(ill: tuple[int, ...]) -> None:
    findings = capacity(make_request(), 8, make_fleet(*fleet_of(8, unhealthy=ill)))
    names = ", ".join(f"i-{each:02d}" for each in ill)
    text = f"{len(ill)} instances are down ({names}), the budget is 2: until they recover only these are worked on"
    assert findings == warning(text)


@pytest.mark.parametrize("ill", [(), (4,)])
def test_capacity_check_finds_nothing_while_budget_is_left(ill: tuple[int, ...]) -> None:
    assert capacity(make_request(), 8, make_fleet(*fleet_of(8, unhealthy=ill))) == NOTHING


def test_capacity_check_of_recreate_ignores_unavailable_instances() -> None:
    down = make_fleet(*fleet_of(4, unhealthy=(0, 1, 2, 3)))
    assert capacity(make_request(strategy=Strategy.RECREATE), 4, down) == NOTHING


# -- health ----------------------------------------------------------------------------------------------------------


def test_health_check_blocks_when_endpoints_do_not_respond_and_names_them() -> None:
    findings = health({"i-02": "timed out", "i-01": "connection refused"}, 3)
    assert findings == blocker(
        "2 of 3 health endpoints do not answer (i-01: connection refused; i-02: timed out): check these instances "
        "and the fleet agent"
    )


def test_health_check_finds_nothing_when_all_endpoints_respond() -> None:
    assert health({}, 2) == NOTHING


def test_health_check_blocks_on_an_error_without_a_message() -> None:
    """str(TimeoutError()) is empty."""
    assert health({"i-00": ""}, 1).blockers


# -- verification ----------------------------------------------------------------------------------------------------


def upgraded(instance_id: str, version: str = "3.7.0", status: str = "RUNNING", healthy: bool = True) -> FleetInstance:
    return FleetInstance(instance_id, version, status, healthy)


ROWS = [make_instance("i-00"), make_instance("i-01")]


def test_verification_finds_nothing_when_all_instances_are_healthy_at_the_target() -> None:
    fleet = make_fleet(upgraded("i-00"), upgraded("i-01", status="DRAINED"), upgraded("not-planned", "3.6.0"))
    assert not_well(ROWS, fleet) == {}


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (upgraded("i-00", version="3.6.0"), "is RUNNING at 3.6.0, healthy"),
        (upgraded("i-00", healthy=False), "is RUNNING at 3.7.0, unhealthy"),
        (upgraded("i-00", status="UPGRADING"), "is UPGRADING at 3.7.0, healthy"),
        (upgraded("x-99"), "is not in the fleet's list"),
    ],
)
def test_verification_names_the_state_of_each_instance_that_is_not_well(found: FleetInstance, problem: str) -> None:
    assert not_well(ROWS, make_fleet(found, upgraded("i-01"))) == {"i-00": problem}


# fault 50
def test_more_stages_than_a_dag_has_groups_are_a_blocker_that_says_what_would_do() -> None:
    plan = planned(1001, strategy=Strategy.STAGED, batch_size=2, total_instances=1001)
    found = "501 stages need 500 approvals, at most 100 stages are accepted"
    assert stages(plan) == blocker(f"{found}: raise batchSize to 11 or more, or give stagePercentages")
    assert stages(planned(1001, strategy=Strategy.STAGED, batch_size=11, total_instances=1001)) == NOTHING


def test_stages_by_percentage_and_batches_of_other_strategies_are_not_limited() -> None:
    percentages = tuple(range(1, 101))
    wanted = {"strategy": Strategy.STAGED, "batch_size": 1, "stage_percentages": percentages}
    assert stages(planned(10_000, total_instances=10_000, **wanted)) == NOTHING
    assert stages(planned(10_000, total_instances=10_000, batch_size=1)) == NOTHING
    assert stages(None) == NOTHING


def test_verification_compares_each_instance_with_its_own_target() -> None:
    rows = [make_instance("i-00", to_version="3.5.0"), make_instance("i-01")]
    assert not_well(rows, make_fleet(replace(upgraded("i-00"), version="3.5.0"), upgraded("i-01"))) == {}
    assert set(not_well(rows, make_fleet(upgraded("i-00"), upgraded("i-01")))) == {"i-00"}
