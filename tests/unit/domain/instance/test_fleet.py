"""A fleet's response: which instances serve and which are unavailable (specification section 11)."""

import pytest

from tests.unit.domain.builders import fleet_of, make_fleet
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health

STATUSES = ["RUNNING", "DRAINING", "DRAINED", "UPGRADING", "STOPPED"]


def instance(status: str = "RUNNING", healthy: bool = True, pool: str = "blue", number: int = 0) -> FleetInstance:
    return FleetInstance(f"i-{number:02d}", "3.6.0", status, healthy, pool=pool)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("healthy", [True, False])
def test_instance_is_available_when_running_and_healthy(status: str, healthy: bool) -> None:
    assert instance(status, healthy).available is (status == "RUNNING" and healthy)


@pytest.mark.parametrize(
    ("status", "version", "runs"),
    [("RUNNING", "3.6.0", True), ("RUNNING", "3.7.0", False), ("DRAINED", "3.6.0", False)],
)
def test_instance_runs_a_version_when_up_at_it(status: str, version: str, runs: bool) -> None:
    assert instance(status).runs(version) is runs


def test_fleet_serves_with_the_pool_that_has_the_traffic() -> None:
    blue, green = instance(number=0), instance(number=1, pool="green")
    assert make_fleet(blue, green).serving() == (blue,)
    assert Fleet("f", (blue, green), 0, traffic="green").serving() == (green,)


def test_fleet_finds_an_instance_of_any_pool() -> None:
    blue, green = instance(number=0), instance(number=1, pool="green")
    assert make_fleet(blue, green).find("i-01") is green


def test_fleet_does_not_find_an_unknown_instance() -> None:
    assert make_fleet(*fleet_of(2)).find("i-02") is None


def test_unavailable_includes_every_instance_that_does_not_serve() -> None:
    fleet = make_fleet(*fleet_of(2, unhealthy=(1,)), instance("DRAINED", number=2))
    assert fleet.unavailable(()) == fleet.unavailable(["i-00"]) == {"i-01", "i-02"}


def test_unavailable_includes_planned_instances_that_are_missing() -> None:
    assert make_fleet(*fleet_of(1)).unavailable(["i-00", "i-09"]) == {"i-09"}


def test_unavailable_does_not_count_the_pool_without_traffic() -> None:
    assert make_fleet(instance(), instance("STOPPED", False, "green", 1)).unavailable(["i-01"]) == frozenset()


def test_fleet_is_mixed_while_serving_instances_run_another_version() -> None:
    fleet = make_fleet(
        instance(number=0), instance(number=1), FleetInstance("g", "3.7.0", "RUNNING", True, pool="green")
    )
    assert fleet.mixed("3.6.0") is None
    assert fleet.mixed("3.7.0") == fleet.mixed(None) == {"3.6.0": 2}
    both = make_fleet(instance(number=0), FleetInstance("i-1", "3.7.0", "RUNNING", True))
    assert both.mixed("3.6.0") == {"3.6.0": 1, "3.7.0": 1}


def test_unknown_version_is_no_version_that_is_wanted_and_counts_as_unknown() -> None:
    unknown = FleetInstance("i-01", None, "RUNNING", healthy=True)
    assert not unknown.runs("3.7.0")
    assert make_fleet(unknown, *fleet_of(1)).mixed("3.6.0") == {"unknown": 1, "3.6.0": 1}
    assert Health(False, None).described() == "reports version unknown, healthy: False"
